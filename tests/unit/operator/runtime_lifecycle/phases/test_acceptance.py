"""Acceptance: can this runtime work at all?"""

import pytest

from avatar_api.avatar_runtime import AvatarRuntime
from avatar_operator.core.conditions import find_condition
from avatar_operator.runtime_lifecycle.lifecycle import decide, summarise
from avatar_operator.runtime_lifecycle.phases.acceptance import refusal
from builders.manifests import SIMULATED, Changes
from builders.objects import a_runtime
from builders.observations import observed_runtime


def _newer() -> AvatarRuntime:
    """A runtime of a version that knows another backend."""
    return a_runtime(spec={"backend": {"sagemaker": None, "cluster": {"gpus": 4}}})


@pytest.mark.parametrize("spec", [None, {"backend": SIMULATED}], ids=["sagemaker", "simulated"])
def test_a_runtime_that_makes_sense_is_accepted(spec: Changes | None) -> None:
    draft = decide(observed_runtime(a_runtime(spec=spec)))

    accepted = find_condition(draft.status.conditions, "Accepted")
    assert accepted is not None
    assert accepted.status == "True"
    assert len(draft.actions) == 1


def test_a_backend_of_a_newer_version_is_refused_and_nothing_else_takes_its_place() -> None:
    observation = observed_runtime(_newer())

    draft = summarise(observation, decide(observation))

    reasons = {condition.type: (condition.status, condition.reason) for condition in draft.status.conditions}
    assert draft.actions == ()
    assert reasons["Accepted"] == reasons["Ready"] == ("False", "UnsupportedBackend")
    assert reasons["Stalled"] == ("True", "UnsupportedBackend")
    assert draft.status.state == "Failed"


@pytest.mark.parametrize(
    ("spec", "reason", "words"),
    [
        (
            {"storage": {"artifacts": "s3://models/requests/"}},
            "StorageOverlaps",
            "spec.storage.artifacts (s3://models/requests/)",
        ),
        (
            {"storage": {"artifacts": "s3://models/requests/output/"}},
            "StorageOverlaps",
            "s3://models/requests/output/",
        ),
        (
            {"backend": {"sagemaker": {"inference": {"endpointName": "avatar-training"}}}},
            "EndpointNamesEqual",
            "avatar-training",
        ),
        (
            {"defaults": {"training": {"steps": 2001}}},
            "DefaultsExceedLimits",
            "spec.defaults.training.steps is 2001, and the limit 2000",
        ),
        (
            {"limits": {"inference": {"maxPixels": 4096}}},
            "DefaultsExceedLimits",
            "spec.defaults.inference width x height is 262144, and the limit 4096",
        ),
    ],
)
def test_what_cannot_work_is_refused_with_words_that_mend_it(spec: Changes, reason: str, words: str) -> None:
    refused = refusal(a_runtime(spec=spec))

    assert refused is not None
    assert refused[0] == reason
    assert words in refused[1]


def test_places_below_one_another_are_fine() -> None:
    storage = {"requests": "s3://models/", "artifacts": "s3://models/artifacts/", "outputs": "s3://models/"}

    assert refusal(a_runtime(spec={"storage": storage})) is None
