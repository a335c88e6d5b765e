"""Every picture of a request is drawn with the one artifact that it found first, whatever becomes of its model."""

import pytest

from avatar_api.avatar_request import AvatarRequestStatus
from avatar_api.group import AVATAR_MODEL, AVATAR_REQUEST, AVATAR_RUNTIME
from avatar_operator.backends.failures import BackendError
from avatar_operator.core.conditions import find_condition
from avatar_operator.request_lifecycle.observation import RequestObservation
from avatar_operator.request_lifecycle.phases.acceptance import acceptance
from avatar_operator.request_lifecycle.phases.resolution import resolution
from builders import model_stages, request_stages
from builders.backend import WEIGHTS_SHA256, denied, out_of_reach
from builders.clock import NOON
from builders.manifests import model_manifest
from builders.objects import MODEL_UID, a_model, a_request, an_artifact
from builders.observations import observed_request, request_draft
from builders.world import World

ANOTHER_UID = "99999999-2222-3333-4444-555555555555"
FIRST_ARTIFACT = f"team-a/{MODEL_UID}/r1-a1.tar.gz"


@pytest.fixture
async def world() -> World:
    """A request for six pictures, four of them drawn with a trained model."""
    world = World()
    world.add_runtime()
    await world.settle(AVATAR_RUNTIME)
    world.add_model()
    await world.train()
    world.add_request({"prompts": [{"prompt": "sks person", "numImages": 6, "seed": 1}]})
    await world.look_at(AVATAR_REQUEST)
    await world.look_at(AVATAR_REQUEST)
    assert len(world.backend.pictures) == 4
    return world


def _drawn_with(world: World) -> list[str]:
    return [call.target_model for call in world.backend.asked("draw")]


async def _delete_the_model(world: World) -> None:
    world.kube.delete_as_user(AVATAR_MODEL, "ann")
    await world.settle(AVATAR_MODEL)
    assert not world.kube.exists(AVATAR_MODEL, "ann")


async def test_the_artifact_is_written_down_before_anything_is_drawn(world: World) -> None:
    pinned = world.request.status.model

    assert pinned is not None
    assert (pinned.name, pinned.uid, pinned.revision) == ("ann", MODEL_UID, 1)
    assert pinned.target_model == FIRST_ARTIFACT
    assert pinned.sha256 == "a" * 64
    assert _drawn_with(world) == [FIRST_ARTIFACT]


async def test_the_digest_of_the_weights_goes_along_with_every_call(world: World) -> None:
    await world.settle(AVATAR_REQUEST)

    artifact = world.model.status.artifact
    assert artifact is not None
    assert artifact.weights_sha256 == WEIGHTS_SHA256
    assert {call.weights_sha256 for call in world.backend.asked("draw")} == {WEIGHTS_SHA256}


async def test_weights_that_are_not_those_that_were_verified_end_the_request(world: World) -> None:
    world.backend.script("draw", BackendError("ArtifactChanged", "other weights", retryable=False))

    await world.settle(AVATAR_REQUEST)

    failure = world.request.status.last_failure
    assert failure is not None
    assert (failure.reason, failure.retryable) == ("ArtifactChanged", False)


async def test_nothing_more_is_drawn_with_what_was_put_in_the_artifacts_place(world: World) -> None:
    replaced = BackendError("ArtifactReplaced", "something else lies there", retryable=False)
    world.backend.script("check_artifact", replaced)

    await world.settle(AVATAR_REQUEST)

    failure = world.request.status.last_failure
    assert world.request.status.state == "Failed"
    assert failure is not None
    assert failure.reason == "ArtifactReplaced"
    assert len(world.backend.pictures) == 4
    pinned = world.request.status.model
    assert pinned is not None
    assert set(world.backend.asked("check_artifact")) == {pinned.uri}


async def test_an_artifact_that_cannot_be_looked_at_is_looked_at_again(world: World) -> None:
    world.backend.script("check_artifact", out_of_reach("Throttled"))
    reconciled = await world.look_at(AVATAR_REQUEST)
    assert reconciled.retrying is not None
    assert len(world.backend.pictures) == 4

    await world.settle(AVATAR_REQUEST)

    assert world.request.status.state == "Succeeded"


async def test_a_model_created_anew_between_two_invocations_draws_nothing(world: World) -> None:
    await _delete_the_model(world)
    world.kube.create(AVATAR_MODEL, model_manifest(), uid=ANOTHER_UID)
    await world.train()
    assert world.model.metadata.uid == ANOTHER_UID

    await world.settle(AVATAR_REQUEST)

    failure = world.request.status.last_failure
    assert world.request.status.state == "Failed"
    assert failure is not None
    assert failure.reason == "ModelReplaced"
    assert "would show whoever the new model is of" in failure.message
    assert _drawn_with(world) == [FIRST_ARTIFACT]


async def test_nothing_more_is_drawn_of_a_model_that_was_deleted(world: World) -> None:
    await _delete_the_model(world)

    await world.settle(AVATAR_REQUEST)

    resolved = find_condition(world.request.status.conditions, "ModelResolved")
    assert resolved is not None
    assert (resolved.status, resolved.reason) == ("False", "ModelDeleted")
    assert world.request.status.last_failure is not None
    assert world.request.status.last_failure.reason == "ModelDeleted"
    assert _drawn_with(world) == [FIRST_ARTIFACT]


async def test_nothing_more_is_drawn_of_a_model_that_is_being_deleted(world: World) -> None:
    world.kube.delete_as_user(AVATAR_MODEL, "ann")

    await world.settle(AVATAR_REQUEST)

    assert world.request.status.last_failure is not None
    assert world.request.status.last_failure.reason == "ModelDeleted"
    assert _drawn_with(world) == [FIRST_ARTIFACT]


async def test_a_retraining_changes_nothing_for_a_request_that_is_being_drawn(world: World) -> None:
    world.kube.edit(AVATAR_MODEL, "ann", {"revision": 2})
    await world.train()
    assert world.model.status.artifact is not None
    assert world.model.status.artifact.revision == 2

    await world.settle(AVATAR_REQUEST)

    assert world.request.status.state == "Succeeded"
    assert _drawn_with(world) == [FIRST_ARTIFACT, FIRST_ARTIFACT]
    succeeded = find_condition(world.request.status.conditions, "Succeeded")
    assert succeeded is not None
    assert "6 pictures of revision 1 lie" in succeeded.message


async def test_an_artifact_that_is_gone_ends_the_request_and_says_so(world: World) -> None:
    world.backend.script("draw", denied("ArtifactMissing"))

    await world.settle(AVATAR_REQUEST)

    assert world.request.status.state == "Failed"
    assert world.request.status.last_failure is not None
    assert world.request.status.last_failure.reason == "ArtifactMissing"


async def test_a_crash_does_not_make_it_forget_the_artifact(world: World) -> None:
    world.kube.edit(AVATAR_MODEL, "ann", {"revision": 2})
    await world.train()
    world.crash()

    await world.settle(AVATAR_REQUEST)

    assert _drawn_with(world) == [FIRST_ARTIFACT, FIRST_ARTIFACT]


def _end(observation: RequestObservation) -> tuple[str, str] | None:
    draft = resolution(observation, request_draft(observation))
    succeeded = find_condition(draft.status.conditions, "Succeeded")
    assert succeeded is not None
    return None if succeeded.status == "Unknown" else (succeeded.status, succeeded.reason)


@pytest.mark.parametrize(
    ("observation", "end"),
    [
        (observed_request(a_request(status=request_stages.drawing()), model=a_model()), None),
        (
            observed_request(
                a_request(status=request_stages.drawing()),
                model=a_model(status=model_stages.hosted(revision=2)),
            ),
            None,
        ),
        (
            observed_request(a_request(status=request_stages.drawing()), model=a_model(uid=ANOTHER_UID)),
            ("False", "ModelReplaced"),
        ),
        (
            observed_request(a_request(status=request_stages.drawing()), model=a_model(deleted_at=NOON)),
            ("False", "ModelDeleted"),
        ),
        (
            observed_request(a_request(status=request_stages.drawing()), model=None),
            ("False", "ModelDeleted"),
        ),
    ],
    ids=["no artifact any more", "retrained", "replaced", "being deleted", "gone"],
)
def test_a_request_holds_to_its_model_by_uid(
    observation: RequestObservation, end: tuple[str, str] | None
) -> None:
    assert _end(observation) == end


@pytest.mark.parametrize(
    "target_model",
    [f"team-b/{MODEL_UID}/r1-a1.tar.gz", f"team-a/{ANOTHER_UID}/r1-a1.tar.gz", "r1-a1.tar.gz"],
    ids=["another namespace", "another model", "nobody's"],
)
def test_whoever_forges_a_status_draws_nobody_with_it(target_model: str) -> None:
    forged = request_stages.pinned().model_copy(update={"target_model": target_model})
    drawing = a_request(status=request_stages.drawing(model=forged))
    artifact = an_artifact().model_copy(update={"target_model": target_model})
    model = a_model(status=model_stages.hosted().model_copy(update={"artifact": artifact}))
    waiting = observed_request(a_request(), model=model)

    draft = resolution(waiting, request_draft(waiting))

    assert _end(observed_request(drawing, model=a_model())) == ("False", "ArtifactForeign")
    resolved = find_condition(draft.status.conditions, "ModelResolved")
    assert resolved is not None
    assert (resolved.status, resolved.reason) == ("False", "ArtifactForeign")
    assert draft.finished


@pytest.mark.parametrize(
    "status",
    [
        AvatarRequestStatus(state="Running"),
        AvatarRequestStatus(state="Running", runtime_name="standard"),
        request_stages.drawing(),
    ],
    ids=["a word", "a runtime", "an artifact"],
)
def test_a_forged_status_does_not_skip_acceptance(status: AvatarRequestStatus) -> None:
    request = a_request(spec={"steps": 150}, status=status)
    observation = observed_request(request, model=a_model(status=model_stages.hosted()))

    draft = acceptance(observation, request_draft(observation))

    accepted = find_condition(draft.status.conditions, "Accepted")
    assert accepted is not None
    assert (accepted.status, accepted.reason) == ("False", "LimitExceeded")
    assert draft.actions == ()
    assert draft.finished
