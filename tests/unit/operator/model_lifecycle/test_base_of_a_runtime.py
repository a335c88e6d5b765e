"""A runtime's base is edited under models that live: none is drawn with on the wrong base, none forgets its own."""

from avatar_api.group import AVATAR_MODEL, AVATAR_RUNTIME
from avatar_api.meta import Condition
from avatar_operator.core.conditions import find_condition
from builders.world import World

OTHER = {"baseModel": {"source": "s3://models/other/", "sha256": "c" * 64}}
STANDARD = {"baseModel": {"source": "s3://models/base/", "sha256": "b" * 64}}
READY = "dev.avatars.model.ready.v1alpha1"


async def _edit_base(world: World, spec: dict[str, dict[str, str]]) -> None:
    world.kube.edit(AVATAR_RUNTIME, "standard", spec)
    await world.settle(AVATAR_RUNTIME)
    await world.settle(AVATAR_MODEL)


def _ready(world: World) -> Condition:
    condition = find_condition(world.model.status.conditions, "Ready")
    assert condition is not None
    return condition


async def test_models_of_another_base_are_not_ready_until_it_comes_back(world: World) -> None:
    await world.train()

    await _edit_base(world, OTHER)
    assert (_ready(world).status, _ready(world).reason) == ("False", "BaseModelChanged")
    assert world.model.status.state == "Failed"
    assert len(world.backend.asked("submit_training")) == 1, (
        "an edit of the runtime never trains anybody again"
    )

    await _edit_base(world, STANDARD)
    assert _ready(world).status == "True"
    assert {type_ for type_, _ in world.announcer.told()} == {READY}
    assert len(set(world.announcer.told())) == 1, "it is the same news"


async def test_a_new_revision_trains_on_the_new_base(world: World) -> None:
    await world.train()
    await _edit_base(world, OTHER)
    world.kube.edit(AVATAR_MODEL, "ann", {"revision": 2})

    await world.train()

    assert _ready(world).status == "True"
    assert world.model.status.artifact is not None
    assert world.model.status.artifact.base_model == "s3://models/other/@cccccccccccc"


async def test_an_attempt_that_ends_after_the_edit_has_the_base_that_it_was_trained_on(world: World) -> None:
    await world.settle(AVATAR_MODEL)
    await _edit_base(world, OTHER)

    await world.train()

    (request,) = world.backend.asked("submit_training")
    assert request.base_model.sha256 == "b" * 64
    assert world.model.status.artifact is not None
    assert world.model.status.artifact.base_model == "s3://models/base/@bbbbbbbbbbbb"
    assert _ready(world).reason == "BaseModelChanged"


async def test_a_plan_that_was_made_before_the_edit_is_not_submitted_on_another_base(world: World) -> None:
    await world.look_at(AVATAR_MODEL)
    await _edit_base(world, OTHER)

    await world.train()

    (request,) = world.backend.asked("submit_training")
    assert (request.attempt, request.base_model.sha256) == (2, "c" * 64)
    assert world.model.status.artifact is not None
    assert world.model.status.artifact.base_model == "s3://models/other/@cccccccccccc"
    assert _ready(world).status == "True"
