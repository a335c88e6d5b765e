"""Item 5: what would be dangerous by accident is refused by the API server, and what stood before is told of and not broken."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import combinations
from pathlib import Path

import pytest

from avatar_api.avatar_model import AvatarModel
from avatar_api.avatar_runtime import AvatarRuntime
from avatar_api.crd import DEFINITIONS
from avatar_operator.core.conditions import find_condition
from avatar_operator.model_lifecycle.phases.acceptance import refusal
from avatar_operator.runtime_lifecycle.dangers import danger
from avatar_operator.runtime_lifecycle.lifecycle import decide
from builders.api_objects import ApiObjects, Refused
from builders.manifests import (
    Changes,
    Manifest,
    covers,
    merged,
    model_manifest,
    request_manifest,
    runtime_manifest,
)
from builders.objects import a_runtime
from builders.observations import observed_runtime
from builders.older_definitions import without_rules
from e2e.flight import Flight, OperatorProcess
from local_cluster.access import Cluster

CRDS = Path(__file__).resolve().parents[2] / "crds"


@pytest.fixture(scope="module")
def api(cluster: Cluster) -> Iterator[ApiObjects]:
    """Objects of our kinds, handled as the admin."""
    cluster.apply_crds(CRDS)
    objects = ApiObjects(cluster)
    yield objects
    objects.close()


def _allowed(*prefixes: str, **more: object) -> Changes:
    return {"storage": {"allowed": {"photos": list(prefixes), "outputs": None, **more}}}


SAFE: dict[str, Changes] = {
    "a namespace between two slashes": _allowed("s3://photos/{namespace}/"),
    "a bucket for each namespace": _allowed("s3://{namespace}-photos/", "s3://{namespace}-albums/in/"),
    "parts of one directory": _allowed("s3://b/{namespace}/in/", "s3://b/{namespace}/out/"),
    "a prefix that is meant for everybody": _allowed("s3://photos/", shared=True),
    "a name beside the operator's own": _allowed(
        "s3://models/{namespace}_photos/", "s3://models/p/{namespace}/", shared=True
    ),
}

DANGEROUS: dict[str, tuple[Changes, str]] = {
    "everybody's photos": (_allowed("s3://photos/"), "a prefix without {namespace}"),
    "everybody's pictures": (
        _allowed("s3://photos/{namespace}/", outputs=["s3://albums/"]),
        "a prefix without {namespace}",
    ),
    "a namespace that is a part of a name": (
        _allowed("s3://photos/team-{namespace}x/"),
        "a prefix without {namespace}",
    ),
    "a namespace in which all others lie": (
        _allowed("s3://b/{namespace}/", "s3://b/photos/{namespace}/"),
        "one namespace's prefix must not lie in another's",
    ),
    "pictures of one namespace among the photos of another": (
        _allowed("s3://b/{namespace}/", outputs=["s3://b/albums/{namespace}/"]),
        "one namespace's prefix must not lie in another's",
    ),
    "a bucket that is another namespace's, too": (
        _allowed("s3://photos-{namespace}/", "s3://{namespace}-albums/in/"),
        "one namespace's prefix must not lie in another's",
    ),
    "the operator's requests": (
        _allowed("s3://models/requests/{namespace}/"),
        "storage.allowed must not overlap storage.requests",
    ),
    "what the operator's artifacts lie in": (
        _allowed("s3://models/", shared=True),
        "storage.allowed must not overlap storage.requests",
    ),
    "the operator's requests, for one namespace": (
        _allowed("s3://models/{namespace}/photos/"),
        "storage.allowed must not overlap storage.requests",
    ),
    "the operator's bucket, for one namespace": (
        _allowed("s3://{namespace}/"),
        "storage.allowed must not overlap storage.requests",
    ),
    "a topic of everybody's trainings, for one namespace": (
        {"notifications": {"statusTopicARN": "arn:aws:sns:eu-central-1:123456789012:{namespace}"}},
        "statusTopicARN must not be successTopicARN or errorTopicARN for any namespace",
    ),
    "a topic in another namespace's region": (
        {"notifications": {"statusTopicARN": "arn:aws:sns:{namespace}:123456789012:avatars"}},
        "statusTopicARN names an SNS topic, whose name is",
    ),
    "a topic whose name no namespace fits into": (
        {
            "notifications": {
                "statusTopicARN": f"arn:aws:sns:eu-central-1:123456789012:{'x' * 194}{{namespace}}"
            }
        },
        "the name of an SNS topic is at most 256 characters",
    ),
}

CROOKED = {
    "a dot segment": "a/./b",
    "a way up": "a/../b",
    "an empty segment": "a//b",
    "an encoded dot": "a/%2E%2e/b",
    "an encoded slash": "a%2fb",
    "a slash that is encoded twice": "a%252Fb",
    "a backslash": "a\\..\\b",
    "a control character": "a\u0007b",
}
PLAIN = ["Familie Müller/Ann & Bob", "a+b/c%20d", ".hidden/a..b", "100%/...", "2026-11-25T10:00:00Z"]
AMBIGUOUS = "an S3 location must read the same to everybody"


@pytest.mark.parametrize("spec", SAFE.values(), ids=SAFE.keys())
def test_what_keeps_tenants_apart_is_accepted(api: ApiObjects, spec: Changes) -> None:
    created = api.create(runtime_manifest(spec=spec), dry_run=True)

    assert covers(created["spec"]["storage"]["allowed"], {"photos": spec["storage"]["allowed"]["photos"]})


@pytest.mark.parametrize(("spec", "why"), DANGEROUS.values(), ids=DANGEROUS.keys())
def test_what_would_show_tenants_more_than_their_own_is_refused(
    api: ApiObjects, spec: Changes, why: str
) -> None:
    with pytest.raises(Refused) as refused:
        api.create(runtime_manifest(spec=spec), dry_run=True)

    assert why in str(refused.value)


PREFIXES = (
    "s3://photos/{namespace}/",
    "s3://photos/{namespace}/in/",
    "s3://photos/x/{namespace}/",
    "s3://photos/x-{namespace}/",
    "s3://photos/",
    "s3://photos-{namespace}/",
    "s3://{namespace}-photos/",
    "s3://{namespace}-{namespace}/x/",
    "s3://models/{namespace}/",
    "s3://models/{namespace}_in/{namespace}/",
    "s3://pictures/x/{namespace}/",
    "s3://photos.x.[a]+(b)/{namespace}/",
)


@pytest.mark.parametrize("shared", [False, True])
def test_the_operator_says_of_a_runtime_what_the_api_server_would_say(api: ApiObjects, shared: bool) -> None:
    for prefixes in combinations(PREFIXES, 2):
        manifest = runtime_manifest(spec=_allowed(*prefixes, shared=shared))
        try:
            api.create(manifest, dry_run=True)
        except Refused as refused:
            assert danger(AvatarRuntime.model_validate(manifest)) is not None, (prefixes, str(refused))
        else:
            assert danger(AvatarRuntime.model_validate(manifest)) is None, prefixes


def test_a_topic_for_each_namespace_is_accepted(api: ApiObjects) -> None:
    topic = "arn:aws:sns:eu-central-1:123456789012:avatars-{namespace}.fifo"
    spec = {"notifications": {"statusTopicARN": topic}}

    assert covers(api.create(runtime_manifest(spec=spec), dry_run=True)["spec"], spec)


def _everywhere(key: str) -> dict[str, Manifest]:
    """An object for each place in which users write down a location."""
    return {
        "a prefix of photos": model_manifest(
            namespace="default", spec={"photos": {"s3Prefix": f"s3://photos/{key}/"}}
        ),
        "a photo": model_manifest(
            namespace="default",
            spec={"photos": {"s3Prefix": None, "objects": [{"uri": f"s3://photos/{key}.jpg"}]}},
        ),
        "an output": request_manifest(
            namespace="default", spec={"output": {"prefix": f"s3://albums/{key}/"}}
        ),
        "requests": runtime_manifest(spec={"storage": {"requests": f"s3://other/{key}/"}}),
        "artifacts": runtime_manifest(spec={"storage": {"artifacts": f"s3://other/{key}/"}}),
        "outputs": runtime_manifest(spec={"storage": {"outputs": f"s3://other/{key}/"}}),
        "a base model": runtime_manifest(spec={"baseModel": {"source": f"s3://other/{key}/"}}),
        "an allowed prefix": runtime_manifest(spec=_allowed(f"s3://other/{key}/{{namespace}}/")),
    }


@pytest.mark.parametrize("key", CROOKED.values(), ids=CROOKED.keys())
def test_a_location_that_can_be_read_in_two_ways_is_refused_wherever_it_stands(
    api: ApiObjects, key: str
) -> None:
    for manifest in _everywhere(key).values():
        with pytest.raises(Refused, match=AMBIGUOUS):
            api.create(manifest, dry_run=True)


@pytest.mark.parametrize("key", PLAIN)
def test_people_may_call_their_files_what_they_like(api: ApiObjects, key: str) -> None:
    for manifest in _everywhere(key).values():
        assert covers(api.create(manifest, dry_run=True)["spec"], manifest["spec"])


@contextmanager
def _before_the_rules(cluster: Cluster, directory: Path) -> Iterator[None]:
    """A time in which the API server took whatever had the right types."""
    for definition in DEFINITIONS:
        (directory / definition.file_name()).write_text(without_rules(definition))
    cluster.apply_crds(directory)
    try:
        yield
    finally:
        cluster.apply_crds(CRDS)


@pytest.fixture
def old_runtime(api: ApiObjects, cluster: Cluster, tmp_path: Path) -> Iterator[Manifest]:
    """A runtime that has stood since before the rules: shared, overlapping, and in a crooked place."""
    spec = merged(
        _allowed("s3://photos/", "s3://models/"), {"storage": {"requests": "s3://models//requests/"}}
    )
    manifest = runtime_manifest(name=f"test-{uuid.uuid4().hex[:12]}", spec=spec)
    with _before_the_rules(cluster, tmp_path):
        api.create(manifest)
    yield manifest
    api.change(manifest, {"metadata": {"finalizers": None}})
    api.delete(manifest)


def test_a_runtime_that_is_older_than_the_rules_is_told_of_and_goes_on(
    api: ApiObjects, old_runtime: Manifest
) -> None:
    runtime = AvatarRuntime.model_validate(api.read(old_runtime))
    runtime = runtime.model_copy(
        update={"metadata": runtime.metadata.model_copy(update={"finalizers": ("avatars.dev/cleanup",)})}
    )

    draft = decide(observed_runtime(runtime))
    api.change_status(old_runtime, draft.status.to_wire())

    told = find_condition(draft.status.conditions, "TenantsApart")
    assert told is not None
    assert (told.status, told.reason) == ("False", "PrefixOverlapsStorage")
    assert len(draft.actions) == 1


def test_a_runtime_that_is_older_than_the_rules_can_be_held_changed_elsewhere_and_mended(
    api: ApiObjects, old_runtime: Manifest
) -> None:
    api.change(old_runtime, {"metadata": {"finalizers": ["avatars.dev/cleanup"]}})
    api.change(old_runtime, {"spec": {"limits": {"training": {"maxSteps": 50}}}})
    with pytest.raises(Refused, match=r"storage\.allowed must not overlap"):
        api.change(old_runtime, {"spec": {"storage": {"allowed": {"photos": ["s3://models/"]}}}})
    mended = {"spec": {"storage": {"allowed": {"photos": ["s3://photos/{namespace}/"]}}}}

    assert covers(api.change(old_runtime, mended), mended)


def test_a_model_that_is_older_than_the_rules_can_be_read_told_of_changed_elsewhere_and_deleted(
    api: ApiObjects, cluster: Cluster, namespace: str, tmp_path: Path
) -> None:
    crooked = {"photos": {"s3Prefix": f"s3://photos/{namespace}/../team-b/"}}
    manifest = model_manifest(namespace=namespace, spec=crooked)
    with _before_the_rules(cluster, tmp_path):
        api.create(manifest)

    api.change(manifest, {"metadata": {"finalizers": ["avatars.dev/cleanup"]}})
    api.change_status(manifest, {"state": "Failed"})
    api.change(manifest, {"spec": {"suspend": True}})

    model = AvatarModel.model_validate(api.read(manifest))
    refused = refusal(a_runtime(), model, {})
    assert refused is not None
    assert refused[0] == "PhotosNotAllowed"
    assert "may mean another place" in refused[1]
    api.delete(manifest)
    api.change(manifest, {"metadata": {"finalizers": None}})
    with pytest.raises(Refused, match="not found"):
        api.read(manifest)


def test_a_namespace_that_is_called_like_a_fixed_part_of_keys_trains_nothing_and_is_told_why(
    flight: Flight, cluster: Cluster, operator: OperatorProcess
) -> None:
    flight.apply(flight.runtime_manifest(tenancy={"allowedNamespaces": ["output"]}))
    tenant = Flight(cluster, "output", flight.aws)
    cluster.create_namespace("output")

    tenant.apply(tenant.model_manifest("ann", runtimeRef={"name": flight.name}))

    model = tenant.wait_for_state("avm", "ann", "Failed")
    told = next(each for each in model["status"]["conditions"] if each["type"] == "Accepted")
    assert told["reason"] == "NamespaceReserved"
    assert f"s3://{flight.bucket}/requests/output/" in told["message"]
