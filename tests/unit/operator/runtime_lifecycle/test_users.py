"""Who keeps a runtime from going."""

from typing import Any

import pytest

from avatar_operator.runtime_lifecycle.users import Users, users_of
from builders.manifests import Changes, merged, model_manifest, request_manifest

STORED = {
    "storage": {
        "runtimeName": "standard",
        "runtimeUID": "uid",
        "requests": "s3://models/requests/",
        "artifacts": "s3://models/artifacts/",
    }
}
REFUSED = {"conditions": [{"type": "Accepted", "status": "False"}]}
ENDED = {"conditions": [{"type": "Succeeded", "status": "True"}]}
BEGUN = {"runtimeName": "standard", "storagePrefix": "s3://pictures/team-a/uid/"}


def _model(status: Changes, spec: Changes | None = None) -> dict[str, Any]:
    return {**model_manifest(spec=spec), "status": dict(status)}


def _request(status: Changes, spec: Changes | None = None) -> dict[str, Any]:
    return {**request_manifest(spec=spec), "status": dict(status)}


@pytest.mark.parametrize(
    ("status", "counts"),
    [
        ({}, False),
        (REFUSED, False),
        (STORED | REFUSED | {"training": {"revision": 1, "attempt": 1}}, True),
        ({"training": {"revision": 1, "attempt": 0}}, False),
        ({"training": {"inferenceId": "avm-1"}}, True),
        ({"artifact": {"uri": "s3://models/artifacts/a.tar.gz"}}, True),
        (STORED, True),
    ],
    ids=[
        "new",
        "refused",
        "planned once, refused now",
        "waiting",
        "planned by an older operator",
        "hosted",
        "recorded",
    ],
)
def test_a_model_counts_once_something_may_be_stored_for_it(status: Changes, counts: bool) -> None:
    assert users_of("standard", [_model(status)], []).models == counts


def test_a_model_of_another_runtime_does_not_count() -> None:
    other = _model(merged(STORED, {"storage": {"runtimeName": "other"}}), {"runtimeRef": {"name": "other"}})

    assert users_of("standard", [other], []) == Users()


@pytest.mark.parametrize(
    ("status", "spec", "counts"),
    [
        ({}, None, True),
        (ENDED, None, False),
        (BEGUN, {"deletionPolicy": "Retain"}, True),
        (BEGUN | ENDED, None, True),
        (BEGUN | ENDED, {"deletionPolicy": "Retain"}, True),
        (BEGUN | ENDED | {"retainedTime": "2026-11-25T12:00:00Z"}, {"deletionPolicy": "Retain"}, False),
        (BEGUN | ENDED | {"retainedTime": "2026-11-25T12:00:00Z"}, None, True),
        (ENDED | {"runtimeName": "standard"}, None, False),
        (BEGUN | {"runtimeName": "other"}, None, False),
    ],
    ids=[
        "waits for a model",
        "never began",
        "draws",
        "holds pictures",
        "keeps pictures without a mark",
        "keeps pictures",
        "keeps them no more",
        "drew nothing",
        "of another",
    ],
)
def test_a_request_counts_while_it_draws_and_while_its_pictures_must_go_with_it_or_be_marked(
    status: Changes, spec: Changes | None, counts: bool
) -> None:
    assert users_of("standard", [_model(STORED)], [_request(status, spec)]).requests == counts


def test_a_request_for_a_model_that_has_nothing_stored_does_not_count() -> None:
    assert users_of("standard", [_model({})], [_request({})]) == Users()


def test_users_are_told_with_an_example() -> None:
    users = users_of("standard", [_model(STORED)], [_request(BEGUN)])

    assert users.in_words() == "1 AvatarModel and 1 AvatarRequest, such as AvatarModel team-a/ann"
