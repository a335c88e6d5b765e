"""What fits into a session policy; and of what does not, who is told to shorten what."""

from __future__ import annotations

import pytest

from avatar_api.avatar_model import AvatarModel
from avatar_api.avatar_runtime import AvatarRuntime
from avatar_operator.backends.failures import BackendError
from avatar_operator.backends.sagemaker.fitting_grants import (
    MAX_POLICY_CHARACTERS,
    drawing_obstacle,
    fitting_training_grants,
    training_obstacle,
)
from avatar_operator.locations import runtime_storage
from builders.backend_objects import BUCKET, make_attempt, make_model, make_request, make_runtime

RUNTIME = make_runtime(attemptRoleARN="arn:aws:iam::123456789012:role/avatars-attempt")
HOME = f"s3://{'b' * 63}/"
LONGEST_PREFIX = f"{HOME}{'k' * (1023 - len(HOME))}/"
WILD = f"{HOME}{'*' * 400}/"


def storing(runtime: AvatarRuntime = RUNTIME, **prefixes: str) -> AvatarRuntime:
    """A runtime with other prefixes of its own."""
    storage = runtime.spec.storage.model_copy(update=prefixes)
    return runtime.model_copy(update={"spec": runtime.spec.model_copy(update={"storage": storage})})


def named(*uris: str) -> AvatarModel:
    return make_model({"objects": [{"uri": uri} for uri in uris]})


def granted(model: AvatarModel, *uris: str) -> list[int]:
    """The lengths of the policies that an attempt may be limited by."""
    fitting = fitting_training_grants(RUNTIME, make_attempt(model), uris)
    return [len(grant.policy("aws")) for grant in fitting.grants]


def test_prefixes_as_long_as_prefixes_get_fit() -> None:
    assert training_obstacle(RUNTIME, make_model({"s3Prefix": LONGEST_PREFIX})) is None
    assert drawing_obstacle(RUNTIME, make_request(output={"prefix": f"{HOME}{'k' * 698}/"})) is None


def test_few_photos_may_be_named_and_many_are_granted_by_their_directory() -> None:
    model, directory = make_model(), f"s3://{BUCKET}/photos/team-a/ann"
    few, many = ([f"{directory}/{number:03}.png" for number in range(count)] for count in (5, 100))
    assert len(granted(model, *few)) == 2
    assert len(granted(model, *many)) == 1
    assert max(granted(model, *few)) <= MAX_POLICY_CHARACTERS


@pytest.mark.parametrize("letter", ["*", "$", "ж"])
def test_a_prefix_whose_spelling_is_too_long_is_the_tenants_to_shorten(letter: str) -> None:
    prefix = f"{HOME}{letter * 500}/"
    obstacles = [
        training_obstacle(RUNTIME, make_model({"s3Prefix": prefix})),
        training_obstacle(RUNTIME, named(f"{prefix}1.png", f"{prefix}2.png")),
        drawing_obstacle(RUNTIME, make_request(output={"prefix": prefix})),
    ]
    for obstacle, field in zip(obstacles, ("spec.photos", "spec.photos", "spec.output.prefix"), strict=True):
        assert obstacle is not None
        assert (obstacle.reason, obstacle.retryable) == ("SessionPolicyTooLong", False)
        assert f"What takes most room is {field}: shorten what stands there by" in obstacle.message
        assert "AWS takes 2,048" in obstacle.message


def test_whoever_shortens_by_as_much_as_was_said_fits() -> None:
    obstacle = training_obstacle(RUNTIME, make_model({"s3Prefix": WILD}))
    assert obstacle is not None
    excess = int(obstacle.message.split("stands there by ")[1].split()[0].replace(",", ""))
    shortened = WILD.replace("*", "", -(-excess // 4))
    assert training_obstacle(RUNTIME, make_model({"s3Prefix": shortened})) is None
    assert training_obstacle(RUNTIME, make_model({"s3Prefix": WILD.replace("*", "", excess // 4 - 1)}))


@pytest.mark.parametrize("prefix", [f"s3://{BUCKET}/photos/team-a/", f"{HOME}{'*' * 900}/"])
def test_prefixes_of_the_runtimes_own_that_are_too_long_are_the_platform_teams_to_mend(prefix: str) -> None:
    long = storing(requests=f"{HOME}{'r' * 500}/", artifacts=f"{HOME}{'a' * 500}/")
    obstacle = training_obstacle(long, make_model({"s3Prefix": prefix}))
    assert obstacle is not None
    assert obstacle.reason == "SessionPolicyTooLong"
    assert "is spec.storage.requests and spec.storage.artifacts of the AvatarRuntime" in obstacle.message
    assert "Ask the platform team" in obstacle.message


def test_pictures_that_go_to_the_runtimes_own_prefix_are_the_platform_teams_to_mend() -> None:
    obstacle = drawing_obstacle(storing(outputs=f"{HOME}{'*' * 500}/"), make_request())
    assert obstacle is not None
    assert "spec.storage.outputs of the AvatarRuntime" in obstacle.message
    assert "Ask the platform team" in obstacle.message


def test_photos_in_more_directories_than_fit_are_to_be_put_into_one() -> None:
    obstacle = training_obstacle(
        RUNTIME, named(*(f"s3://photos/team-a/{number:03}/1.png" for number in range(100)))
    )
    assert obstacle is not None
    assert (obstacle.reason, obstacle.retryable) == ("PhotosScattered", False)
    assert "the 100 directories of spec.photos: put the photos into one." in obstacle.message


def test_nobody_is_told_to_put_photos_into_one_directory_whose_name_alone_is_too_long() -> None:
    for directories in (1, 3):
        obstacle = training_obstacle(
            RUNTIME, named(*(f"{WILD}{number % directories}/{number}.png" for number in range(20)))
        )
        assert obstacle is not None
        assert obstacle.reason == "SessionPolicyTooLong"


def test_what_is_accepted_fits_whatever_the_number_of_its_attempt() -> None:
    prefix = WILD
    while training_obstacle(RUNTIME, make_model({"s3Prefix": prefix})) is not None:
        prefix = prefix.replace("*", "", 1)
    model = make_model({"s3Prefix": prefix})
    for number in (1, 9_999_999):
        attempt = make_attempt(model, attempt=number, storage=runtime_storage(RUNTIME))
        assert fitting_training_grants(RUNTIME, attempt, [f"{prefix}1.png"]).grants


def test_without_an_attempt_role_no_name_is_too_long() -> None:
    assert training_obstacle(make_runtime(), make_model({"s3Prefix": WILD})) is None
    assert drawing_obstacle(make_runtime(), make_request(output={"prefix": f"{HOME}{'*' * 500}/"})) is None


def test_an_attempt_of_which_nothing_fits_is_refused_for_good() -> None:
    with pytest.raises(BackendError) as caught:
        granted(make_model(), f"{WILD}1.png")
    assert (caught.value.reason, caught.value.retryable) == ("SessionPolicyTooLong", False)
