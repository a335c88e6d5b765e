"""What a request waits for, how long, and what it says meanwhile."""

import pytest

from avatar_api.avatar_model import AvatarModel, AvatarModelStatus
from avatar_api.avatar_request import AvatarRequestStatus
from avatar_api.group import AVATAR_MODEL, AVATAR_REQUEST, AVATAR_RUNTIME
from avatar_operator.core.conditions import find_condition
from avatar_operator.request_lifecycle.phases.acceptance import prompt_warnings
from avatar_operator.request_lifecycle.phases.resolution import resolution
from builders import model_stages, request_stages
from builders.clock import NOON
from builders.manifests import model_manifest, runtime_manifest
from builders.objects import a_condition, a_model, a_request
from builders.observations import observed_request, request_draft
from builders.world import World


def _failed_model() -> AvatarModelStatus:
    stalled = a_condition("Stalled", "True", "TooFewUsablePhotos", "3 of 12 photos are usable.")
    status = model_stages.failed()
    return status.model_copy(update={"conditions": [*status.conditions, stalled]})


def _answer(
    model: AvatarModel | None, *others: str, status: AvatarRequestStatus | None = None
) -> tuple[str, str]:
    observation = observed_request(
        a_request(status=status),
        model=model,
        model_names=others,
    )
    draft = resolution(observation, request_draft(observation))
    succeeded = find_condition(draft.status.conditions, "Succeeded")
    resolved = find_condition(draft.status.conditions, "ModelResolved")
    assert succeeded is not None
    assert resolved is not None
    assert (succeeded.status, resolved.status) == ("Unknown", "False")
    assert (succeeded.reason, succeeded.message) == (resolved.reason, resolved.message)
    return succeeded.reason, succeeded.message


WAITED = AvatarRequestStatus(conditions=[a_condition("ModelResolved", "False", "WaitingForModel")])


@pytest.mark.parametrize(
    ("answer", "reason", "words"),
    [
        (_answer(None, "anna", "bob"), "ModelNotFound", "There is no AvatarModel ann in namespace team-a: is anna meant?"),
        (_answer(None, "bob"), "ModelNotFound", "`kubectl get avm` lists those there are."),
        (_answer(None), "ModelNotFound", "nor any other, in namespace team-a; a request reaches only models in its own"),
        (_answer(None, status=WAITED), "ModelDeleted", "ann was deleted while this request waited for it"),
        (_answer(a_model(deleted_at=NOON)), "ModelDeleting", "ann is being deleted"),
        (_answer(a_model(status=model_stages.submitted())), "WaitingForModel", "not trained yet; `kubectl get avm ann`"),
        (_answer(a_model(status=_failed_model())), "ModelFailed", "(TooFewUsablePhotos): 3 of 12 photos are usable."),
    ],
    ids=["typo", "another name", "wrong namespace", "deleted", "being deleted", "training", "failed"],
)  # fmt: skip
def test_each_way_to_have_no_model_has_an_answer_of_its_own(
    answer: tuple[str, str], reason: str, words: str
) -> None:
    assert answer[0] == reason
    assert words in answer[1]


async def test_the_answers_follow_what_becomes_of_the_model() -> None:
    world = World()
    world.add_runtime()
    await world.settle(AVATAR_RUNTIME)
    world.add_request()
    reasons = []

    async def ask() -> None:
        await world.settle(AVATAR_REQUEST)
        succeeded = find_condition(world.request.status.conditions, "Succeeded")
        assert succeeded is not None
        reasons.append(succeeded.reason)

    await ask()
    world.kube.create(AVATAR_MODEL, model_manifest(name="anne"))
    await ask()
    world.add_model()
    await ask()
    world.kube.remove_by_force(AVATAR_MODEL, "ann")
    await ask()
    world.add_model()
    await world.train()
    await ask()

    assert reasons == ["ModelNotFound", "ModelNotFound", "WaitingForModel", "ModelDeleted", "Drawn"]


# how long


async def test_a_request_whose_model_never_exists_ends_by_the_limit_of_the_runtimes_of_its_namespace() -> (
    None
):
    world = World()
    limit = {"limits": {"inference": {"queueDeadlineSeconds": 120}}}
    world.add_runtime(limit)
    of_others = {
        "limits": {"inference": {"queueDeadlineSeconds": 9000}},
        "tenancy": {"allowedNamespaces": ["team-b"]},
    }
    world.kube.create(AVATAR_RUNTIME, runtime_manifest(name="of-others", spec=of_others))
    world.add_request()

    waiting = await world.settle(AVATAR_REQUEST)
    world.clock.advance(120)
    await world.settle(AVATAR_REQUEST)

    failure = world.request.status.last_failure
    assert waiting.requeue_after == 120
    assert failure is not None
    assert failure.reason == "QueueDeadlineExceeded"
    assert "Drawing did not begin within 120 s. It waited: There is no AvatarModel ann" in failure.message


async def test_a_request_in_a_namespace_without_any_runtime_ends_too() -> None:
    world = World()
    world.add_request()
    waiting = await world.settle(AVATAR_REQUEST)

    world.clock.advance(3600)
    await world.settle(AVATAR_REQUEST)

    assert waiting.requeue_after == 3600
    assert world.request.status.state == "Failed"


async def test_a_runtime_of_another_version_stops_no_request_that_does_not_use_it() -> None:
    world = World()
    newer = runtime_manifest(name="newer", spec={"limits": {"inference": {"queueDeadlineSeconds": "P1D"}}})
    world.kube.create(AVATAR_RUNTIME, newer)
    world.add_request()

    waiting = await world.settle(AVATAR_REQUEST)

    assert waiting.retrying is None
    assert waiting.requeue_after == 3600


async def test_a_request_goes_though_its_model_is_of_another_version() -> None:
    world = World()
    world.add_request()
    await world.settle(AVATAR_REQUEST)
    world.kube.create(AVATAR_MODEL, model_manifest(spec={"revision": "two"}))
    world.kube.delete_as_user(AVATAR_REQUEST, "portraits")

    await world.settle(AVATAR_REQUEST)

    assert not world.kube.exists(AVATAR_REQUEST, "portraits")


async def test_the_time_of_a_training_is_not_taken_from_drawing() -> None:
    world = World()
    world.add_runtime()
    await world.settle(AVATAR_RUNTIME)
    world.add_model()
    world.add_request({"queueDeadlineSeconds": 3000, "activeDeadlineSeconds": 60})
    await world.settle(AVATAR_REQUEST)
    world.clock.advance(2900)
    await world.train()

    await world.look_at(AVATAR_REQUEST)
    assert world.request.status.start_time == world.clock.now()
    world.clock.advance(58)
    await world.settle(AVATAR_REQUEST)

    assert world.request.status.state == "Succeeded"


async def test_drawing_has_its_own_deadline_whatever_was_left_of_waiting() -> None:
    world = World()
    world.add_runtime()
    await world.settle(AVATAR_RUNTIME)
    world.add_model()
    await world.train()
    world.add_request({"queueDeadlineSeconds": 3000, "activeDeadlineSeconds": 60})
    await world.look_at(AVATAR_REQUEST)
    world.clock.advance(60)

    await world.settle(AVATAR_REQUEST)

    assert world.request.status.last_failure is not None
    assert world.request.status.last_failure.reason == "DeadlineExceeded"


# what is odd


@pytest.mark.parametrize(
    ("prompts", "named"),
    [
        (["a photo of sks person"], None),
        (["A PHOTO OF SKS, smiling"], None),
        (["a photo of a woman"], "Prompt 1 of 1"),
        (["a desksks", "sks person"], "Prompt 1 of 2"),
        (["sks", "a dog", "sks person", "a cat"], "Prompts 2, 4 of 4"),
        (["x"] * 7, "Prompts 1, 2, 3, 4, 5, ... of 7"),
    ],
)
def test_a_prompt_without_the_models_token_is_warned_of(prompts: list[str], named: str | None) -> None:
    request = a_request(spec={"prompts": [{"prompt": prompt} for prompt in prompts]})

    warnings = prompt_warnings(request, "sks")

    assert [warning.message.split(" without")[0] for warning in warnings] == ([named] if named else [])
    assert all(warning.reason == "TokenMissing" for warning in warnings)


@pytest.mark.parametrize(
    ("prompt", "warned"), [("a photo of a woman", True), ("a photo of zwx person", False)]
)
async def test_a_warning_is_told_and_stops_nothing(prompt: str, *, warned: bool) -> None:
    world = World()
    world.add_runtime()
    await world.settle(AVATAR_RUNTIME)
    world.add_model({"subject": {"token": "zwx"}})
    await world.train()
    world.add_request({"prompts": [{"prompt": prompt}]})

    await world.settle(AVATAR_REQUEST)

    assert world.request.status.state == "Succeeded"
    assert [warning.reason for warning in world.request.status.warnings] == ["TokenMissing"] * warned
    assert world.kube.reasons().count("TokenMissing") == warned


@pytest.mark.parametrize(
    ("pictures", "words"), [(1, "1 picture of revision 1 lies"), (2, "2 pictures of revision 1 lie")]
)
async def test_one_picture_is_one_picture(pictures: int, words: str) -> None:
    world = World()
    world.add_runtime()
    await world.settle(AVATAR_RUNTIME)
    world.add_model()
    await world.train()
    world.add_request({"prompts": [{"prompt": "sks person", "numImages": pictures, "seed": 1}]})

    await world.settle(AVATAR_REQUEST)

    succeeded = find_condition(world.request.status.conditions, "Succeeded")
    assert succeeded is not None
    assert succeeded.message == f"{words} under {request_stages.PREFIX}"


# how quietly


async def test_waiting_for_a_model_and_drawing_costs_at_most_three_status_writes() -> None:
    world = World()
    world.add_runtime()
    await world.settle(AVATAR_RUNTIME)
    world.add_model()
    world.add_request()
    for _ in range(20):
        await world.settle(AVATAR_REQUEST)
        await world.look_at(AVATAR_MODEL)
        world.clock.advance(30)
    await world.train()
    for _ in range(20):
        await world.settle(AVATAR_REQUEST)
        world.clock.advance(300)

    assert world.request.status.state == "Succeeded"
    assert world.kube.writes["apply_status", "AvatarRequest"] <= 3
