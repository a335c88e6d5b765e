"""Objects of another version: what a living one is refused for must not keep a finalizer."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from avatar_api.avatar_model import AvatarModel
from avatar_api.avatar_request import AvatarRequest
from avatar_api.avatar_runtime import AvatarRuntime
from avatar_api.reading import Place, read_for_deletion, read_object
from avatar_operator.names import inference_id
from builders import model_stages
from builders.manifests import Changes, Manifest, merged, model_manifest, request_manifest, runtime_manifest
from builders.objects import MODEL_UID, a_condition

STATUS = {
    **model_stages.submitted().to_wire(),
    "storage": {
        "runtimeName": "standard",
        "runtimeUID": "1",
        "requests": "s3://models/requests/",
        "artifacts": "s3://models/artifacts/",
    },
}


def _deleted(manifest: Manifest, changes: Changes | None = None) -> Manifest:
    return merged(
        merged(manifest, {"metadata": {"uid": "1", "deletionTimestamp": "2026-11-22T12:00:00Z"}}), changes
    )


def test_an_object_of_this_version_is_read_whole_while_it_is_deleted() -> None:
    body = _deleted(model_manifest(), {"status": STATUS})

    reading = read_object(AvatarModel, body)

    assert reading.object == AvatarModel.model_validate(body)
    assert reading.left_out == ()


def test_a_living_object_that_is_not_understood_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"spec\.deletionPolicy"):
        read_object(AvatarModel, model_manifest(spec={"deletionPolicy": "Archive"}))


def test_a_living_object_of_this_version_is_read() -> None:
    assert read_object(AvatarModel, model_manifest()).object.spec.runtime_ref.name == "standard"


@pytest.mark.parametrize(
    ("kind", "manifest"), [(AvatarModel, model_manifest()), (AvatarRequest, request_manifest())]
)
def test_an_unknown_deletion_policy_keeps_the_data(
    kind: type[AvatarModel] | type[AvatarRequest], manifest: Manifest
) -> None:
    body = _deleted(manifest, {"spec": {"deletionPolicy": "Archive"}})

    reading = read_for_deletion(kind, body)

    assert reading.object.spec.deletion_policy == "Retain"
    assert reading.left_out == ("spec.deletionPolicy",)


def test_an_unknown_management_policy_leaves_endpoints_to_others() -> None:
    body = _deleted(runtime_manifest(spec={"managementPolicy": "Adopt"}))

    assert read_object(AvatarRuntime, body).object.spec.management_policy == "Observe"


def test_one_part_that_is_not_understood_takes_nothing_else_along() -> None:
    status = merged(STATUS, {"training": {"progress": {"step": "many", "totalSteps": 1, "percent": 1}}})

    reading = read_object(AvatarModel, _deleted(model_manifest(), {"status": status}))

    training = reading.object.status.training
    assert training is not None
    assert training.inference_id == inference_id(MODEL_UID, 1, 1)
    assert reading.object.status.storage is not None
    assert reading.left_out == ("status.training.progress.step", "status.training.progress")


def test_one_condition_that_is_not_understood_leaves_the_others() -> None:
    conditions = [
        a_condition("Ready").to_wire(),
        {"type": "Moderated", "since": 3},
        a_condition("X").to_wire(),
    ]

    reading = read_object(AvatarModel, _deleted(model_manifest(), {"status": {"conditions": conditions}}))

    assert [condition.type for condition in reading.object.status.conditions] == ["Ready", "X"]
    assert "status.conditions[1]" in reading.left_out


def test_several_conditions_that_are_not_understood_are_left_out_one_by_one() -> None:
    body = _deleted(model_manifest(), {"status": {**STATUS, "conditions": [None, None, None]}})

    assert read_object(AvatarModel, body).object.status.conditions == []


def test_endpoints_are_found_again_beside_an_instance_type_of_another_kind() -> None:
    changes: Changes = {"backend": {"sagemaker": {"training": {"instanceType": {"anyOf": ["a", "b"]}}}}}

    reading = read_object(AvatarRuntime, _deleted(runtime_manifest(spec=changes)))

    sagemaker = reading.object.spec.backend.sagemaker
    assert sagemaker is not None
    assert sagemaker.training.endpoint_name == "avatar-training"


def test_storage_is_known_beside_allowed_locations_of_another_kind() -> None:
    changes: Changes = {"storage": {"allowed": {"photos": "everywhere"}}}

    storage = read_object(AvatarRuntime, _deleted(runtime_manifest(spec=changes))).object.spec.storage

    assert storage.requests == "s3://models/requests/"


def test_a_backend_that_is_not_known_is_none_of_ours() -> None:
    changes: Changes = {"backend": {"sagemaker": None, "kubernetes": {"queue": "gpu"}}}

    backend = read_object(AvatarRuntime, _deleted(runtime_manifest(spec=changes))).object.spec.backend

    assert (backend.sagemaker, backend.simulated) == (None, None)


def test_the_body_that_is_read_stays_as_it_is() -> None:
    body = _deleted(model_manifest(spec={"deletionPolicy": "Archive"}))

    read_object(AvatarModel, body)

    assert body["spec"]["deletionPolicy"] == "Archive"


def test_metadata_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ValidationError, match=r"metadata\.name"):
        read_for_deletion(AvatarModel, _deleted(model_manifest(), {"metadata": {"name": None}}))


WHOLE: list[tuple[type[AvatarModel] | type[AvatarRequest] | type[AvatarRuntime], Manifest]] = [
    (AvatarModel, _deleted(model_manifest(spec={"training": {"steps": 5}}), {"status": STATUS})),
    (AvatarRequest, _deleted(request_manifest(), {"status": {"state": "Running", "images": []}})),
    (
        AvatarRuntime,
        _deleted(
            runtime_manifest(), {"status": {"endpoints": [{"role": "Training", "name": "t", "state": "x"}]}}
        ),
    ),
]
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)


def _places(value: object, place: Place) -> Iterator[Place]:
    children: Any = ()
    match value:
        case dict():
            children = value.items()
        case list():
            children = enumerate(value)
    for name, child in children:
        yield (*place, name)
        yield from _places(child, (*place, name))


@st.composite
def _mangled(
    draw: st.DrawFn,
) -> tuple[type[AvatarModel] | type[AvatarRequest] | type[AvatarRuntime], Manifest]:
    kind, body = draw(st.sampled_from(WHOLE))
    for _ in range(draw(st.integers(1, 4))):
        body = _deleted(body)
        below = [place for place in _places(body, ()) if place[0] in ("spec", "status")]
        body = _replaced(body, draw(st.sampled_from(below)), draw(_JSON)) if below else body
    return kind, body


def _replaced(value: Any, place: Place, by: object) -> Any:
    if not place:
        return by
    first, *rest = place
    copied: Any = dict(value) if isinstance(value, dict) else list(value)
    copied[first] = _replaced(copied[first], tuple(rest), by)
    return copied


@given(_mangled())
def test_whatever_stands_in_spec_and_status_is_read_for_deletion(
    mangled: tuple[type[AvatarModel] | type[AvatarRequest] | type[AvatarRuntime], Manifest],
) -> None:
    kind, body = mangled

    reading = read_object(kind, body)

    assert reading.object.metadata.uid == "1"
    assert reading.object.metadata.deletion_timestamp is not None
