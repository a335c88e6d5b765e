"""Acceptance: may this be trained at all?"""

from dataclasses import replace

import pytest

from avatar_operator.core.conditions import find_condition, is_true
from avatar_operator.model_lifecycle.observation import ModelObservation
from avatar_operator.model_lifecycle.phases.acceptance import acceptance
from builders import model_stages
from builders.backend import denied
from builders.manifests import Changes
from builders.objects import a_model, a_runtime, photos
from builders.observations import model_draft, observed_model


def _refusal(observation: ModelObservation) -> tuple[str, str]:
    draft = acceptance(observation, model_draft(observation))
    condition = find_condition(draft.status.conditions, "Accepted")
    assert condition is not None
    assert condition.status == "False"
    assert draft.finished
    return condition.reason, condition.message


def test_a_model_within_the_limits_is_accepted() -> None:
    observation = observed_model(a_model())

    draft = acceptance(observation, model_draft(observation))

    assert is_true(draft.status.conditions, "Accepted")
    assert not draft.finished


def test_a_missing_runtime_is_named() -> None:
    reason, message = _refusal(observed_model(a_model(), runtime=None))

    assert reason == "RuntimeNotFound"
    assert "no AvatarRuntime standard" in message


def test_of_a_runtime_that_is_another_operators_it_is_not_said_that_there_is_none() -> None:
    observation = replace(observed_model(a_model(), runtime=None), runtime_is_foreign=True)

    reason, message = _refusal(observation)

    assert reason == "RuntimeNotFound"
    assert "spec.tenancy admits namespaces that it does not watch" in message


def test_what_the_backend_can_never_train_is_refused_with_its_words_until_it_is_edited() -> None:
    obstacle = denied("SessionPolicyTooLong")

    assert _refusal(observed_model(a_model(), obstacle=obstacle)) == (obstacle.reason, obstacle.message)
    mended = observed_model(a_model())
    assert is_true(acceptance(mended, model_draft(mended)).status.conditions, "Accepted")


def test_a_namespace_that_the_runtime_does_not_admit_is_refused() -> None:
    runtime = a_runtime(spec={"tenancy": {"allowedNamespaces": ["team-b"]}})

    reason, message = _refusal(observed_model(a_model(), runtime=runtime))

    assert reason == "NamespaceNotAllowed"
    assert "does not admit namespace team-a" in message


@pytest.mark.parametrize(
    "photos_of_others",
    [
        {"s3Prefix": "s3://photos/team-b/bob/"},
        {"s3Prefix": "s3://photos/"},
        {"s3Prefix": "s3://photos/team-a-and-more/"},
        {
            "s3Prefix": None,
            "objects": [{"uri": "s3://photos/team-a/1.jpg"}, {"uri": "s3://photos/team-b/1.jpg"}],
        },
    ],
    ids=["another tenant", "all tenants", "a name that begins alike", "one of several objects"],
)
def test_photos_outside_the_allowed_prefixes_are_refused(photos_of_others: Changes) -> None:
    reason, message = _refusal(observed_model(a_model(spec={"photos": photos_of_others})))

    assert reason == "PhotosNotAllowed"
    assert "outside what AvatarRuntime standard allows to namespace team-a" in message


@pytest.mark.parametrize("namespace", ["output", "failure"])
def test_a_namespace_in_whose_directory_everybodys_outcomes_would_lie_is_refused(namespace: str) -> None:
    reason, message = _refusal(observed_model(a_model(namespace=namespace)))

    assert reason == "NamespaceReserved"
    assert f"s3://models/requests/{namespace}/" in message
    assert "Use a namespace of another name" in message


@pytest.mark.parametrize(
    ("wish", "expected"),
    [
        ({"training": {"steps": 2001}}, "training.steps is 2001, at most 2000"),
        ({"training": {"batchSize": 9}}, "training.batchSize is 9, at most 8"),
        ({"training": {"rank": 65}}, "training.rank is 65, at most 64"),
        ({"training": {"resolution": 1032}}, "training.resolution is 1032, at most 1024"),
        (
            {"training": {"priorPreservation": {"numClassImages": 201}}},
            "training.priorPreservation.numClassImages is 201, at most 200",
        ),
        ({"queueDeadlineSeconds": 21601}, "queueDeadlineSeconds is 21601, at most 21600"),
        ({"activeDeadlineSeconds": 7201}, "activeDeadlineSeconds is 7201, at most 7200"),
    ],
)
def test_a_wish_above_its_limit_is_refused_by_name(wish: Changes, expected: str) -> None:
    reason, message = _refusal(observed_model(a_model(spec=wish)))

    assert reason == "LimitExceeded"
    assert expected in message


def test_everything_above_the_limits_is_named_at_once() -> None:
    _, message = _refusal(observed_model(a_model(spec={"training": {"steps": 3000, "rank": 100}})))

    assert "training.steps" in message
    assert "training.rank" in message


def test_defaults_of_the_runtime_count_against_its_limits_too() -> None:
    runtime = a_runtime(spec={"defaults": {"training": {"steps": 3000}}})

    assert _refusal(observed_model(a_model(), runtime=runtime))[0] == "LimitExceeded"


@pytest.mark.parametrize("count", [9, 16])
def test_too_few_or_too_many_photos_are_refused_with_their_number(count: int) -> None:
    reason, message = _refusal(observed_model(a_model(), photos=photos(count)))

    assert reason == "PhotoCountOutOfLimits"
    assert f"{count} photos were found; AvatarRuntime standard takes 10 to 15" in message


@pytest.mark.parametrize("count", [10, 15])
def test_as_many_photos_as_the_limits_say_are_accepted(count: int) -> None:
    observation = observed_model(a_model(), photos=photos(count))

    assert is_true(acceptance(observation, model_draft(observation)).status.conditions, "Accepted")


def test_photos_that_cannot_be_read_are_refused_with_the_backends_own_words() -> None:
    assert _refusal(observed_model(a_model(), photos=denied("PhotosDenied"))) == (
        "PhotosDenied",
        "The role may not do this. They are looked for again every 30 s.",
    )


def test_an_attempt_under_way_is_not_questioned() -> None:
    observation = observed_model(a_model(status=model_stages.submitted()), runtime=None)

    assert acceptance(observation, model_draft(observation)) == model_draft(observation)


def test_a_finished_model_is_not_questioned() -> None:
    observation = observed_model(
        a_model(status=model_stages.hosted()),
        runtime=a_runtime(spec={"tenancy": {"allowedNamespaces": ["x"]}}),
    )

    assert acceptance(observation, model_draft(observation)) == model_draft(observation)


def test_a_limit_that_was_raised_lets_a_refused_model_in() -> None:
    refused = observed_model(a_model(spec={"training": {"rank": 100}}))
    status = acceptance(refused, model_draft(refused)).status
    runtime = a_runtime(spec={"limits": {"training": {"maxRank": 128}}})
    observation = observed_model(a_model(spec={"training": {"rank": 100}}, status=status), runtime=runtime)

    assert is_true(acceptance(observation, model_draft(observation)).status.conditions, "Accepted")
