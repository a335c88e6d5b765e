"""The tenant of `tests/security/test_any_tenant.py` is held back by no more than the real API server would hold it by."""

import itertools
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from avatar_api.group import AVATAR_MODEL, AVATAR_REQUEST, Kind
from builders import any_object
from builders.api_objects import ApiObjects, Refused
from builders.dangerous_words import dangerous_words
from builders.machine_settings import PROFILE
from builders.manifests import Manifest, model_manifest, request_manifest

WORDS = dangerous_words("team-a", ())
EDGES: tuple[Any, ...] = (*any_object.EDGES, "", "x", "x" * 5000, True, [], {}, [{}])
"""What a schema may be wrong about."""
_numbers = itertools.count()


def _manifest(kind: Kind, namespace: str) -> Manifest:
    make = model_manifest if kind == AVATAR_MODEL else request_manifest
    return make(namespace=namespace, name=f"any-{next(_numbers)}")


def _is_taken(api: ApiObjects, manifest: Manifest, part: str, document: Any) -> bool:
    try:
        if part == "spec":
            api.create({**manifest, "spec": document}, dry_run=True)
        else:
            api.create(manifest)
            api.change_status(manifest, document)
    except Refused:
        return False
    return True


@settings(settings.get_profile(PROFILE), max_examples=60, suppress_health_check=list(HealthCheck))
@given(
    data=st.data(),
    kind=st.sampled_from((AVATAR_MODEL, AVATAR_REQUEST)),
    part=st.sampled_from(("spec", "status")),
)
def test_whatever_the_api_server_takes_a_tenant_may_write(
    api: ApiObjects, tenant: str, data: st.DataObject, kind: Kind, part: str
) -> None:
    schema, manifest = any_object.schema_of(kind, part), _manifest(kind, tenant)

    def any_value(of: any_object.Schema) -> Any:
        return data.draw(any_object.values(of, WORDS))

    document = manifest.get(part, {})
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from(any_object.fields(schema)))
        edges, valid = st.sampled_from(EDGES), any_object.values(any_object.at(schema, path), WORDS)
        try:
            document = any_object.with_field(schema, document, path, data.draw(edges | valid), any_value)
        except (AttributeError, TypeError, ValueError):
            # What stands above the field is no object any more.
            break
    assert any_object.admits(schema, document) or not _is_taken(api, manifest, part, document)
