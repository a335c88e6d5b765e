"""What of an AvatarModel may change, and until when: a typo may be mended, and no edit costs money by accident."""

from typing import Any

import pytest

from avatar_api.avatar_model import AvatarModelStatus, ModelStorage
from builders import model_stages
from builders.api_objects import ApiObjects, Refused
from builders.manifests import Changes, Manifest, covers, model_manifest
from builders.objects import a_condition

FIXED = r"spec: Forbidden: spec\.photos, spec\.subject and spec\.training are fixed .*: raise spec\.revision to train again"
OBJECTS = [{"uri": f"s3://photos/ann/{index}.jpg"} for index in range(10)]
STORAGE = ModelStorage(
    runtime_name="standard",
    runtime_uid="1",
    requests="s3://models/requests/",
    artifacts="s3://models/artifacts/",
)
REFUSED = AvatarModelStatus(
    observed_generation=1, conditions=[a_condition("Accepted", "False", "PhotosNotFound")]
)


def _photos(**photos: Any) -> Changes:
    return {"photos": {"s3Prefix": None, **photos}}


CHANGED_INPUTS: dict[str, Changes] = {
    "photos": {"photos": {"s3Prefix": "s3://photos/other/"}},
    "photos by object": _photos(objects=OBJECTS),
    "subject": {"subject": {"token": "zwx"}},
    "training": {"training": {"steps": 200}},
    "one more training option": {"training": {"rank": 8}},
    "training taken away": {"training": None},
}
BEFORE_PLANNING: dict[str, AvatarModelStatus] = {
    "refused": REFUSED,
    "waiting": model_stages.waiting(revision=2),
    "of an earlier revision": model_stages.hosted(revision=1),
}
AFTER_PLANNING: dict[str, AvatarModelStatus] = {
    "planned": model_stages.planned(revision=2),
    "submitted": model_stages.submitted(revision=2),
    "failed, and tried again": model_stages.failed(revision=2, retry_in=60),
    "failed": model_stages.failed(revision=2),
    "hosted": model_stages.hosted(revision=2),
}


@pytest.fixture
def model(api: ApiObjects, namespace: str) -> Manifest:
    """A model that stands in the API server, with some training options; nobody has looked at it."""
    manifest = model_manifest(namespace=namespace, spec={"training": {"steps": 100}, "revision": 2})
    api.create(manifest)
    return manifest


@pytest.mark.parametrize("status", AFTER_PLANNING.values(), ids=AFTER_PLANNING.keys())
@pytest.mark.parametrize("spec", CHANGED_INPUTS.values(), ids=CHANGED_INPUTS.keys())
def test_training_inputs_are_fixed_once_an_attempt_is_planned(
    api: ApiObjects, model: Manifest, status: AvatarModelStatus, spec: Changes
) -> None:
    api.change_status(model, status.to_wire())

    with pytest.raises(Refused, match=FIXED):
        api.change(model, {"spec": spec}, dry_run=True)


@pytest.mark.parametrize("status", BEFORE_PLANNING.values(), ids=BEFORE_PLANNING.keys())
@pytest.mark.parametrize("spec", CHANGED_INPUTS.values(), ids=CHANGED_INPUTS.keys())
def test_training_inputs_may_be_corrected_until_an_attempt_is_planned(
    api: ApiObjects, model: Manifest, status: AvatarModelStatus, spec: Changes
) -> None:
    api.change_status(model, status.to_wire())

    changed = api.change(model, {"spec": spec}, dry_run=True)

    assert changed["spec"] != api.read(model)["spec"]
    assert changed["spec"]["revision"] == 2


def test_training_inputs_are_fixed_until_the_operator_has_looked(api: ApiObjects, model: Manifest) -> None:
    with pytest.raises(Refused, match=FIXED):
        api.change(model, {"spec": {"training": {"steps": 5}}}, dry_run=True)


@pytest.mark.parametrize("spec", CHANGED_INPUTS.values(), ids=CHANGED_INPUTS.keys())
def test_training_inputs_may_change_with_the_revision(
    api: ApiObjects, model: Manifest, spec: Changes
) -> None:
    api.change_status(model, model_stages.hosted(revision=2).to_wire())

    changed = api.change(model, {"spec": {**spec, "revision": 3}}, dry_run=True)

    assert changed["spec"]["revision"] == 3


def test_photos_of_a_revision_may_be_listed_in_another_order(api: ApiObjects, namespace: str) -> None:
    manifest = model_manifest(namespace=namespace, spec=_photos(objects=OBJECTS))
    api.create(manifest)
    api.change_status(manifest, model_stages.hosted().to_wire())

    changed = api.change(manifest, {"spec": {"photos": {"objects": OBJECTS[::-1]}}}, dry_run=True)

    assert changed["spec"]["photos"]["objects"] == OBJECTS[::-1]


SAME_MEANING: dict[str, Changes] = {
    "an empty training": {"training": {}},
    "an empty prior preservation": {"training": {"priorPreservation": {}}},
    "an empty subject": {"subject": {}},
    "the subject's defaults": {"subject": {"classNoun": "person", "token": "sks"}},
    "every other default": {"revision": 1, "suspend": False, "deletionPolicy": "Delete"},
}


@pytest.mark.parametrize("spec", SAME_MEANING.values(), ids=SAME_MEANING.keys())
def test_what_means_the_same_is_no_change(api: ApiObjects, namespace: str, spec: Changes) -> None:
    absent = model_manifest(namespace=namespace)
    api.create(absent)
    written = model_manifest(name="bob", namespace=namespace, spec=spec)
    api.create(written)

    assert api.change(absent, {"spec": spec})["metadata"]["generation"] == 1
    assert api.change(written, {"spec": dict.fromkeys(spec)})["metadata"]["generation"] == 1


def test_the_revision_alone_may_be_raised(api: ApiObjects, model: Manifest) -> None:
    assert api.change(model, {"spec": {"revision": 7}}, dry_run=True)["spec"]["revision"] == 7


def test_the_revision_never_falls(api: ApiObjects, model: Manifest) -> None:
    with pytest.raises(Refused, match=r"spec\.revision only grows"):
        api.change(model, {"spec": {"revision": 1}}, dry_run=True)


def test_the_runtime_may_be_corrected_until_something_is_planned(api: ApiObjects, model: Manifest) -> None:
    spec: Changes = {"runtimeRef": {"name": "other"}}

    unseen = api.change(model, {"spec": spec}, dry_run=True)
    api.change_status(model, REFUSED.to_wire())
    refused = api.change(model, {"spec": spec}, dry_run=True)

    assert unseen["spec"]["runtimeRef"] == refused["spec"]["runtimeRef"] == {"name": "other"}


@pytest.mark.parametrize("revision", [2, 3])
@pytest.mark.parametrize(
    "status",
    [
        model_stages.waiting(revision=2).model_copy(update={"storage": STORAGE}),
        model_stages.planned(revision=2),
        model_stages.waiting(revision=2).model_copy(update={"artifact": model_stages.hosted().artifact}),
    ],
    ids=["storage", "attempt", "artifact"],
)
def test_the_runtime_is_fixed_once_data_may_lie_in_its_storage(
    api: ApiObjects, model: Manifest, status: AvatarModelStatus, revision: int
) -> None:
    api.change_status(model, status.to_wire())

    with pytest.raises(Refused, match=r"spec\.runtimeRef: Forbidden: .*create another AvatarModel"):
        api.change(model, {"spec": {"runtimeRef": {"name": "other"}, "revision": revision}}, dry_run=True)


@pytest.mark.parametrize(
    "spec",
    [
        {"suspend": True},
        {"queueDeadlineSeconds": 600},
        {"activeDeadlineSeconds": 600},
        {"retention": {"expireAfterSeconds": 3600}},
        {"deletionPolicy": "Retain"},
    ],
    ids=["suspend", "queue deadline", "active deadline", "retention", "deletion policy"],
)
def test_what_is_no_training_input_may_change_at_any_time(
    api: ApiObjects, model: Manifest, spec: Changes
) -> None:
    api.change_status(model, model_stages.submitted(revision=2).to_wire())

    assert covers(api.change(model, {"spec": spec}, dry_run=True)["spec"], spec)
