"""The log tells each step of a model's life once, in the words of the worker's log; a pass that changes nothing is silent."""

from collections.abc import Iterator, MutableMapping
from typing import Any

import pytest
import structlog
from structlog.testing import LogCapture

from avatar_api.group import AVATAR_MODEL
from avatar_operator.backends.attempts import AttemptFailed
from avatar_operator.names import inference_id
from builders.objects import MODEL_UID
from builders.observations import a_progress_message
from builders.world import MODEL_KEY, World

FIRST = inference_id(MODEL_UID, 1, 1)
Line = MutableMapping[str, Any]


@pytest.fixture
def lines() -> Iterator[list[Line]]:
    """Every line that is logged, as its fields."""
    capture = LogCapture()
    before = structlog.get_config()["processors"]
    structlog.configure(processors=[capture])
    yield capture.entries
    structlog.configure(processors=before)


def _steps(lines: list[Line]) -> list[str]:
    return [
        line["event"].removeprefix("AvatarModel ")
        for line in lines
        if line["log_level"] == "info" and line["event"].startswith("AvatarModel ")
    ]


async def test_a_whole_life_is_one_line_for_each_step(world: World, lines: list[Line]) -> None:
    await world.settle(AVATAR_MODEL)
    for sequence, step in enumerate((0, 10, 20, 30)):
        world.models.hint_progress(MODEL_KEY, a_progress_message("Training", step, sequence=sequence))
        await world.settle(AVATAR_MODEL)
    await world.train()

    assert _steps(lines) == [
        "Trained is False: Planned",
        "Accepted is True: Accepted",
        "Trained is False: Queued",
        "Trained is False: Training",
        "Trained is True: Trained",
        "Hosted is True: Verified",
    ]


async def test_the_end_of_a_model_is_a_line_with_its_words(world: World, lines: list[Line]) -> None:
    await world.train()
    lines.clear()
    world.kube.delete_as_user(AVATAR_MODEL, "ann")

    await world.settle(AVATAR_MODEL)

    assert _steps(lines) == ["is let go"]
    assert (lines[-1]["uid"], lines[-1]["inference_id"]) == (MODEL_UID, FIRST)


async def test_every_line_names_object_revision_attempt_and_inference_id(
    world: World, lines: list[Line]
) -> None:
    await world.train()

    for line in lines:
        if line["event"].startswith("AvatarModel "):
            words = ("kind", "namespace", "name", "uid", "revision", "attempt", "inference_id")
            assert [line[word] for word in words] == ["AvatarModel", "team-a", "ann", MODEL_UID, 1, 1, FIRST]


async def test_a_failure_is_told_with_its_words(world: World, lines: list[Line]) -> None:
    await world.settle(AVATAR_MODEL)
    world.backend.script("attempt_outcome", AttemptFailed("TooFewUsablePhotos", "4 of 12.", retryable=False))
    world.models.hint_outcome(MODEL_KEY)

    await world.settle(AVATAR_MODEL)

    (line,) = [line for line in lines if line["event"] == "AvatarModel Trained is False: TooFewUsablePhotos"]
    assert line["why"].startswith("4 of 12.")


async def test_passes_that_change_nothing_say_nothing(world: World, lines: list[Line]) -> None:
    await world.train()
    lines.clear()

    for _ in range(20):
        world.clock.advance(300)
        world.models.hint_outcome(MODEL_KEY)
        await world.look_at(AVATAR_MODEL)

    assert lines == []
