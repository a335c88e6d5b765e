"""Hints find their models, are left to others where there is none, and the last one brings the outcome by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from avatar_api.documents.training import Stage
from avatar_api.group import AVATAR_MODEL, AVATAR_RUNTIME, KINDS, Kind
from avatar_operator.backends.failures import BackendError
from avatar_operator.core.workqueue import WorkQueue
from avatar_operator.hint_routing import HintRouter
from avatar_operator.hint_routing import gone_objects as gone_objects_module
from avatar_operator.hint_routing.outcome_reminders import is_nearly_done
from avatar_operator.hint_routing.photo_arrivals import QUIET_SECONDS
from avatar_operator.ingest.messages import AttemptHint, ChangedObject, HintOutcome, PhotosHint, ProgressHint
from avatar_operator.kube.cache import ObjectKey
from avatar_operator.names import inference_id
from avatar_operator.reconciling.scheduling import Scheduler
from builders.backend import a_success
from builders.clock import NOON
from builders.manifests import model_manifest
from builders.objects import MODEL_UID
from builders.observations import a_progress_message
from builders.virtual_time import VirtualTimeLoop
from builders.world import MODEL_KEY, World

FIRST = inference_id(MODEL_UID, 1, 1)
STRANGER = inference_id("00000000-0000-0000-0000-000000000000", 1, 1)
PACKAGING = ProgressHint(a_progress_message("Packaging", sequence=9))


NO_PHOTOS = BackendError("PhotosNotFound", "there is no photo", retryable=False)
UPLOAD = PhotosHint((ChangedObject("photos", "team-a/ann/1.jpg"),))


class Desk:
    """A model in training, and hints that arrive."""

    def __init__(self) -> None:
        self.world = World()
        self.queues: dict[Kind, WorkQueue[ObjectKey]] = {kind: WorkQueue() for kind in KINDS}
        scheduler = Scheduler(self.world.cache, self.queues, self.world.models.hint_outcome)
        scheduler.begin()
        self.take = HintRouter(self.world.cache, scheduler, self.world.models)

    async def in_training(self) -> Desk:
        self.world.add_runtime()
        await self.world.settle(AVATAR_RUNTIME)
        self.world.add_model()
        await self.world.settle(AVATAR_MODEL)
        return self

    async def without_photos(self) -> Desk:
        """A model that waits for its photos, and nothing to do."""
        self.world.add_runtime()
        await self.world.settle(AVATAR_RUNTIME)
        self.world.backend.script("list_photos", *[NO_PHOTOS] * 3)
        self.world.add_model()
        await self.world.settle(AVATAR_MODEL)
        await self.emptied()
        return self

    async def emptied(self) -> None:
        """Forget what the queue asks for."""
        while len(self.queues[AVATAR_MODEL]):
            self.queues[AVATAR_MODEL].done(await self.queues[AVATAR_MODEL].get())

    async def work(self) -> None:
        """Whatever the queue asks for."""
        while len(self.queues[AVATAR_MODEL]):
            self.queues[AVATAR_MODEL].done(await self.queues[AVATAR_MODEL].get())
            await self.world.settle(AVATAR_MODEL)

    def step(self) -> int | None:
        """How far the training is, as the model says."""
        training = self.world.model.status.training
        return None if training is None or training.progress is None else training.progress.step

    def asked(self) -> int:
        """How often the backend was asked for an outcome."""
        return len(self.world.backend.asked("attempt_outcome"))


def in_virtual_time(story: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(story)


async def test_a_hint_about_a_known_model_is_taken() -> None:
    desk = await Desk().in_training()
    await desk.work()
    assert desk.take(AttemptHint(FIRST)) is HintOutcome.TAKEN
    assert len(desk.queues[AVATAR_MODEL]) == 1


@pytest.mark.parametrize("inference", [STRANGER, "somebody-else-s"])
async def test_a_hint_about_a_model_that_nobody_here_knows_is_left_to_others(inference: str) -> None:
    desk = await Desk().in_training()
    await desk.work()
    assert desk.take(AttemptHint(inference)) is HintOutcome.UNKNOWN
    assert len(desk.queues[AVATAR_MODEL]) == 0


async def test_a_hint_about_a_model_that_was_deleted_is_stale() -> None:
    desk = await Desk().in_training()
    desk.world.cache.remove(AVATAR_MODEL, MODEL_KEY, MODEL_UID)
    assert desk.take(AttemptHint(FIRST)) is HintOutcome.STALE
    assert desk.take(PACKAGING) is HintOutcome.STALE


async def test_the_memory_of_deleted_models_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gone_objects_module, "MAX_REMEMBERED", 0)
    desk = await Desk().in_training()
    desk.world.cache.remove(AVATAR_MODEL, MODEL_KEY, MODEL_UID)
    assert desk.take(AttemptHint(FIRST)) is HintOutcome.UNKNOWN


def test_an_outcome_whose_notification_got_lost_is_found_within_seconds() -> None:
    async def story() -> None:
        desk = await Desk().in_training()
        await desk.work()
        desk.take(PACKAGING)
        await desk.work()
        desk.world.backend.script("attempt_outcome", a_success(FIRST))
        await asyncio.sleep(5)
        await desk.work()
        assert desk.world.model.status.state == "Ready"

    in_virtual_time(story())


def test_an_outcome_that_does_not_come_is_asked_for_ever_more_slowly() -> None:
    async def story() -> None:
        desk = await Desk().in_training()
        await desk.work()
        before = desk.asked()
        desk.take(PACKAGING)
        desk.take(PACKAGING)
        asked = []
        for _ in range(3600):
            await asyncio.sleep(1)
            await desk.work()
            asked.append(desk.asked() - before)
        assert asked[60] == 4
        assert 10 < asked[-1] < 20
        assert asked[-1] > asked[-400]

    in_virtual_time(story())


def test_nothing_is_asked_for_once_the_attempt_has_ended() -> None:
    async def story() -> None:
        desk = await Desk().in_training()
        desk.take(PACKAGING)
        desk.world.backend.script("attempt_outcome", a_success(FIRST))
        desk.take(AttemptHint(FIRST))
        await desk.work()
        assert desk.world.model.status.state == "Ready"
        ended = desk.asked()
        await asyncio.sleep(3600)
        assert len(desk.queues[AVATAR_MODEL]) == 0
        desk.take(PACKAGING)
        await desk.work()
        await asyncio.sleep(3600)
        assert len(desk.queues[AVATAR_MODEL]) == 0
        assert desk.asked() == ended

    in_virtual_time(story())


@pytest.mark.parametrize(
    ("stage", "step", "total", "nearly_done"),
    [
        ("Preparing", 12, 12, False),
        ("Training", 799, 800, False),
        ("Training", 800, 800, True),
        ("Training", 0, 0, False),
        ("Packaging", 0, 0, True),
    ],
)
def test_the_last_word_of_a_worker_is_recognised(
    stage: Stage, step: int, total: int, nearly_done: bool
) -> None:
    assert is_nearly_done(a_progress_message(stage, step, total)) is nearly_done


async def test_a_sequence_that_somebody_made_up_does_not_silence_the_worker() -> None:
    desk = await Desk().in_training()
    forged = a_progress_message("Training", 5, sequence=2147483647)
    honest = a_progress_message("Training", 50, sequence=10)
    desk.take(ProgressHint(forged))
    await desk.work()
    desk.world.clock.advance(5)
    desk.take(ProgressHint(honest.model_copy(update={"time": NOON + timedelta(seconds=4)})))
    await desk.work()
    training = desk.world.model.status.training
    assert training is not None
    assert training.progress is not None
    assert training.progress.step == 50


async def test_a_worker_whose_clock_was_never_set_is_heard_after_half_a_minute_all_the_same() -> None:
    desk = await Desk().in_training()
    forged = a_progress_message("Training", 95, sequence=2147483647)
    desk.take(ProgressHint(forged.model_copy(update={"time": NOON + timedelta(days=9)})))
    await desk.work()
    honest = a_progress_message("Training", 50, sequence=10)
    desk.world.clock.advance(30)
    desk.take(ProgressHint(honest.model_copy(update={"time": datetime(1970, 1, 1, tzinfo=UTC)})))
    await desk.work()
    assert desk.step() == 50


async def test_progress_that_the_attempt_cannot_make_is_neither_shown_nor_does_it_silence_the_worker() -> (
    None
):
    desk = await Desk().in_training()
    forged = a_progress_message("Training", 2147483647, 2147483647, sequence=2147483647)
    assert desk.take(ProgressHint(forged)) is HintOutcome.IMPOSSIBLE
    await desk.work()
    assert desk.step() is None
    assert desk.take(ProgressHint(a_progress_message("Training", 50, sequence=0))) is HintOutcome.TAKEN
    await desk.work()
    assert desk.step() == 50


async def test_the_steps_that_an_attempt_was_asked_for_are_those_of_its_request() -> None:
    desk = await Desk().in_training()
    [request] = desk.world.backend.asked("submit_training")
    training = desk.world.model.status.training
    assert training is not None
    assert training.steps == request.training.steps
    desk.world.kube.edit(AVATAR_RUNTIME, "standard", {"defaults": {"training": {"steps": 5}}})
    steps = request.training.steps
    assert desk.take(ProgressHint(a_progress_message("Training", 1, steps))) is HintOutcome.TAKEN
    assert desk.take(ProgressHint(a_progress_message("Training", 1, steps + 1))) is HintOutcome.IMPOSSIBLE


async def test_a_message_that_a_newer_one_has_overtaken_is_dropped() -> None:
    desk = await Desk().in_training()
    desk.world.clock.advance(60)
    desk.take(ProgressHint(a_progress_message("Training", 50, sequence=10)))
    desk.world.clock.advance(29)
    desk.take(ProgressHint(a_progress_message("Training", 5, sequence=2)))
    await desk.work()
    training = desk.world.model.status.training
    assert training is not None
    assert training.progress is not None
    assert training.progress.step == 50


def test_photos_that_arrive_are_seen_seconds_after_the_last_one() -> None:
    async def story() -> None:
        desk = await Desk().without_photos()
        for _ in range(10):
            assert desk.take(UPLOAD) is HintOutcome.TAKEN
            await asyncio.sleep(QUIET_SECONDS - 1)
            assert len(desk.queues[AVATAR_MODEL]) == 0
        await asyncio.sleep(2)
        assert len(desk.queues[AVATAR_MODEL]) == 1

    in_virtual_time(story())


def test_photos_that_a_model_names_are_seen_as_well() -> None:
    async def story() -> None:
        desk = await Desk().without_photos()
        named = {"photos": {"s3Prefix": None, "objects": [{"uri": "s3://photos/team-a/bob/1.jpg"}]}}
        desk.world.kube.create(AVATAR_MODEL, model_manifest(name="bob", spec=named))
        await desk.emptied()
        assert desk.take(PhotosHint((ChangedObject("photos", "team-a/bob/2.jpg"),))) is HintOutcome.UNAWAITED
        assert desk.take(PhotosHint((ChangedObject("photos", "team-a/bob/1.jpg"),))) is HintOutcome.TAKEN
        await asyncio.sleep(QUIET_SECONDS + 1)
        assert await desk.queues[AVATAR_MODEL].get() == ObjectKey("AvatarModel", "team-a", "bob")

    in_virtual_time(story())


@pytest.mark.parametrize(
    "elsewhere",
    [
        ("photos", "team-a/ann/deeper/1.jpg"),
        ("photos", "team-a/anne/1.jpg"),
        ("photos", "team-a/1.jpg"),
        ("pictures", "team-a/ann/1.jpg"),
    ],
)
def test_an_upload_elsewhere_concerns_nobody(elsewhere: tuple[str, str]) -> None:
    async def story() -> None:
        desk = await Desk().without_photos()
        assert desk.take(PhotosHint((ChangedObject(*elsewhere),))) is HintOutcome.UNAWAITED
        await asyncio.sleep(60)
        assert len(desk.queues[AVATAR_MODEL]) == 0

    in_virtual_time(story())


def test_photos_of_a_model_that_waits_for_none_concern_nobody() -> None:
    async def story() -> None:
        desk = await Desk().in_training()
        await desk.emptied()
        assert desk.take(UPLOAD) is HintOutcome.UNAWAITED
        desk.world.kube.create(AVATAR_MODEL, model_manifest(name="bob"))
        bob = desk.world.cache.get(ObjectKey("AvatarModel", "team-a", "bob"))
        assert bob is not None
        assert desk.take(PhotosHint((ChangedObject("photos", "team-a/bob/1.jpg"),))) is HintOutcome.TAKEN
        desk.world.cache.remove(
            AVATAR_MODEL, ObjectKey("AvatarModel", "team-a", "bob"), bob["metadata"]["uid"]
        )
        await desk.emptied()
        assert desk.take(PhotosHint((ChangedObject("photos", "team-a/bob/1.jpg"),))) is HintOutcome.UNAWAITED
        await asyncio.sleep(60)
        assert len(desk.queues[AVATAR_MODEL]) == 0

    in_virtual_time(story())
