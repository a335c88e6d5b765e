"""An attempt has credentials of its own from its submission to its end, where the runtime has a role for them."""

import pytest

from avatar_api.group import AVATAR_MODEL, AVATAR_RUNTIME
from avatar_operator.backends.failures import BackendError
from avatar_operator.core.conditions import find_condition
from avatar_operator.names import inference_id
from builders.backend import RENEW_SECONDS, a_success, denied
from builders.objects import MODEL_UID
from builders.world import MODEL_KEY, World

FIRST = inference_id(MODEL_UID, 1, 1)
ROLE = {"backend": {"sagemaker": {"attemptRoleARN": "arn:aws:iam::123456789012:role/avatars-attempt"}}}


@pytest.fixture
async def limited() -> World:
    """A new model, and a runtime in service that limits each training to its own."""
    world = World()
    world.add_runtime(ROLE)
    await world.settle(AVATAR_RUNTIME)
    world.add_model()
    return world


def order(world: World, *verbs: str) -> list[str]:
    return [call.verb for call in world.backend.calls if call.verb in verbs]


async def test_they_lie_there_before_the_request_promises_them(limited: World) -> None:
    await limited.settle(AVATAR_MODEL)

    assert order(limited, "give_credentials", "write_request") == ["give_credentials", "write_request"]
    [request] = limited.backend.asked("write_request")
    assert request.credentials_uri == request.claim_uri.replace("claim.json", "credentials.json")


async def test_without_a_role_nothing_is_promised(world: World) -> None:
    await world.settle(AVATAR_MODEL)

    [request] = world.backend.asked("write_request")
    assert request.credentials_uri is None


async def test_they_are_renewed_in_time_while_the_attempt_is_under_way(limited: World) -> None:
    quiet = await limited.settle(AVATAR_MODEL)
    assert quiet.requeue_after is not None
    assert quiet.requeue_after <= RENEW_SECONDS

    limited.clock.advance(RENEW_SECONDS - 1)
    await limited.settle(AVATAR_MODEL)
    assert limited.backend.asked("give_credentials") == [FIRST]
    limited.clock.advance(1)
    await limited.settle(AVATAR_MODEL)
    assert limited.backend.asked("give_credentials") == [FIRST, FIRST]


async def test_they_open_what_the_attempt_was_sent_with_whatever_its_model_names_by_now(
    limited: World,
) -> None:
    await limited.settle(AVATAR_MODEL)
    limited.kube.edit(AVATAR_MODEL, "ann", {"photos": {"s3Prefix": "s3://photos/team-a/other/"}})
    limited.crash()
    await limited.settle(AVATAR_MODEL)

    [request] = limited.backend.asked("write_request")
    assert limited.backend.asked("read_request") == [FIRST]
    assert limited.backend.granted == [request.photos, request.photos]


async def test_whoever_takes_over_renews_them_at_once(limited: World) -> None:
    await limited.settle(AVATAR_MODEL)
    limited.crash()
    await limited.settle(AVATAR_MODEL)

    assert limited.backend.asked("give_credentials") == [FIRST, FIRST]


async def test_they_go_when_the_attempt_is_over(limited: World) -> None:
    await limited.settle(AVATAR_MODEL)
    limited.backend.script("attempt_outcome", a_success(FIRST))
    limited.models.hint_outcome(MODEL_KEY)
    await limited.settle(AVATAR_MODEL)

    assert limited.model.status.state == "Ready"
    assert limited.backend.asked("withdraw_credentials") == [FIRST]


async def test_a_model_that_no_session_can_be_limited_to_is_told_so_and_trained_once_it_is_mended(
    limited: World,
) -> None:
    limited.backend.obstacle = denied("SessionPolicyTooLong")
    await limited.settle(AVATAR_MODEL)
    assert limited.model.status.state == "Failed"
    assert limited.model.status.last_failure is not None
    assert limited.model.status.last_failure.reason == "SessionPolicyTooLong"
    assert limited.backend.asked("list_photos") == limited.backend.asked("give_credentials") == []

    limited.backend.obstacle = None
    limited.kube.edit(AVATAR_MODEL, "ann", {"photos": {"s3Prefix": "s3://photos/team-a/b/"}})
    await limited.settle(AVATAR_MODEL)
    assert limited.model.status.last_failure is None
    assert limited.backend.asked("give_credentials") == [FIRST]


async def test_a_role_that_is_refused_submits_nothing_and_says_so(limited: World) -> None:
    limited.backend.script(
        "give_credentials", BackendError("AttemptRoleRefused", "It is refused.", retryable=True)
    )
    await limited.look_at(AVATAR_MODEL)
    await limited.look_at(AVATAR_MODEL)

    trained = find_condition(limited.model.status.conditions, "Trained")
    assert trained is not None
    assert (trained.reason, "AttemptRoleRefused" in trained.message) == ("SubmissionDelayed", True)
    assert limited.backend.asked("write_request") == []
    await limited.settle(AVATAR_MODEL)
    assert [request.inference_id for request in limited.backend.asked("submit_training")] == [FIRST]
    assert limited.backend.asked("fence_attempt") == []
