"""The outbox: status first, then its news; whatever dies in between, each is told, and under one id."""

import asyncio
import contextlib
import copy
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

import pytest

from avatar_api.group import AVATAR_MODEL, AVATAR_RUNTIME, KINDS, Kind
from avatar_operator.announcements.letter import Letter
from avatar_operator.announcements.outbox import OBJECTS_PER_TURN
from avatar_operator.announcements.place_troubles import LOSS_TOLD_SECONDS, PlaceTrouble
from avatar_operator.backends.attempts import AttemptFailed
from avatar_operator.backends.failures import BackendError
from avatar_operator.core.conditions import find_condition
from avatar_operator.core.decision import Notice
from avatar_operator.kube.client import KubeError, Object
from avatar_operator.left_behind.folding import CLEANUP_PATIENCE_SECONDS, RECORDING_PATIENCE_SECONDS
from avatar_operator.names import inference_id
from builders.backend import out_of_reach
from builders.kube import Backup, FakeKubeClient
from builders.manifests import merged, model_manifest
from builders.objects import MODEL_UID
from builders.virtual_time import VirtualTimeLoop
from builders.world import MODEL_KEY, World

READY = "dev.avatars.model.ready.v1alpha1"
FAILED = "dev.avatars.model.failed.v1alpha1"
FIRST = inference_id(MODEL_UID, 1, 1)


async def _a_world() -> World:
    world = World()
    world.add_runtime()
    await world.settle(AVATAR_RUNTIME)
    world.add_model()
    return world


def _types(world: World) -> list[str]:
    return [type_ for type_, _ in world.announcer.told()]


async def test_a_status_is_written_though_the_topic_cannot_be_reached_and_told_when_it_can() -> None:
    world = await _a_world()
    world.announcer.trouble = out_of_reach()

    await world.train()

    assert world.model.status.state == "Ready"
    assert world.announcer.told() == []
    assert "ModelReady" in world.kube.reasons(), "Events do not wait for the topic"
    world.announcer.trouble = None
    await world.outbox.flush()
    assert _types(world) == [READY]


async def test_an_overdue_training_ends_though_the_topic_cannot_be_reached() -> None:
    world = await _a_world()
    await world.settle(AVATAR_MODEL)
    world.announcer.trouble = out_of_reach()
    world.clock.advance(30_000)

    await world.settle(AVATAR_MODEL)

    assert world.model.status.state == "Failed"


async def test_news_of_a_process_that_died_before_telling_is_told_once_by_the_next() -> None:
    world = await _a_world()
    await world.renew_lease()
    world.announcer.trouble = out_of_reach()
    await world.train()
    world.crash()
    world.announcer.trouble = None

    for _ in range(3):
        await world.look_at(AVATAR_MODEL)

    assert _types(world) == [READY]


async def test_news_that_was_told_after_the_last_renewal_is_told_again_under_the_same_id() -> None:
    world = await _a_world()
    await world.renew_lease()
    await world.train()
    world.crash()

    await world.look_at(AVATAR_MODEL)

    assert _types(world) == [READY, READY]
    assert len({id_ for _, id_ in world.announcer.told()}) == 1
    assert world.kube.reasons().count("ModelReady") == 1


async def test_news_that_was_told_before_the_last_renewal_is_not_told_again() -> None:
    world = await _a_world()
    await world.train()
    await world.renew_lease()
    world.crash()

    await world.look_at(AVATAR_MODEL)

    assert _types(world) == [READY]


async def test_the_cursor_stays_before_what_has_not_been_told() -> None:
    world = await _a_world()
    world.announcer.trouble = out_of_reach()
    await world.train()
    # Something else happens, and much later, to the same kind of object.
    world.kube.edit(AVATAR_MODEL, "ann", {"suspend": True})
    await world.renew_lease()
    world.crash()
    world.announcer.trouble = None

    await world.look_at(AVATAR_MODEL)

    assert _types(world) == [READY]


async def test_what_stood_before_the_first_operator_with_an_outbox_is_not_told() -> None:
    world = await _a_world()
    await world.train()
    events = world.kube.reasons()
    world.announcer.announced.clear()
    world.lease.clear()
    world.crash()

    await world.look_at(AVATAR_MODEL)

    assert world.announcer.told() == []
    assert world.kube.reasons() == events
    world.kube.edit(AVATAR_MODEL, "ann", {"revision": 2})
    await world.train()
    assert _types(world) == [READY], "what happens from then on is"


@pytest.mark.parametrize(
    "cursor", ["", "not a number", "-1", "7" * 5000], ids=["empty", "words", "negative", "without end"]
)
async def test_a_cursor_that_cannot_be_read_is_none(cursor: str) -> None:
    world = await _a_world()
    await world.train()
    world.announcer.announced.clear()
    world.lease.update({f"avatars.dev/told-{kind.plural}": cursor for kind in KINDS})
    world.crash()

    await world.look_at(AVATAR_MODEL)

    assert world.announcer.told() == []


async def _a_world_with_a_history_and_a_backup_from_before_it() -> tuple[World, Backup]:
    world = await _a_world()
    backup = world.kube.backup()
    for suspend in (True, False) * 20:
        world.kube.edit(AVATAR_MODEL, "ann", {"suspend": suspend})
    await world.renew_lease()
    return world, backup


async def test_news_is_told_though_etcd_was_restored_and_the_cursor_is_of_a_later_time() -> None:
    world, backup = await _a_world_with_a_history_and_a_backup_from_before_it()
    world.kube.restore(backup)
    world.crash()
    world.announcer.trouble = out_of_reach()
    await world.train()
    world.crash()
    world.announcer.trouble = None

    await world.look_at(AVATAR_MODEL)

    assert _types(world) == [READY]


async def test_a_leader_that_saw_etcd_restored_hands_on_a_cursor_of_the_restored_time() -> None:
    world, backup = await _a_world_with_a_history_and_a_backup_from_before_it()
    world.kube.restore(backup)
    world.sweep()

    await world.renew_lease()

    assert world.lease["avatars.dev/told-avatarmodels"] == str(backup.version)


async def test_an_ordinary_restart_tells_nothing_again_though_the_newest_object_has_gone_meanwhile() -> None:
    world = await _a_world()
    await world.train()
    world.kube.create(AVATAR_MODEL, model_manifest(name="bob"))
    await world.renew_lease()
    world.kube.remove_by_force(AVATAR_MODEL, "bob")
    world.crash()

    await world.look_at(AVATAR_MODEL)

    assert _types(world) == [READY]


async def test_no_cursor_is_handed_on_before_everything_has_been_read_for_news() -> None:
    world = await _a_world()
    for number in range(OBJECTS_PER_TURN * 2):
        world.kube.create(AVATAR_MODEL, model_manifest(name=f"m{number}"))
    world.crash()
    beginning = asyncio.create_task(world.lead())
    cursors = []
    while not beginning.done():
        cursors.append(world.outbox.cursor())
        await asyncio.sleep(0)

    assert len(cursors) > 2
    assert set(map(len, cursors)) == {0}
    assert len(world.outbox.cursor()) == len(KINDS)


async def test_the_first_news_of_an_empty_cluster_is_told_by_the_next_leader_if_the_first_one_dies() -> None:
    world = World()
    world.lease.clear()
    await world.renew_lease()
    world.announcer.trouble = out_of_reach()
    world.add_runtime()
    await world.settle(AVATAR_RUNTIME)
    world.add_model()
    await world.train()
    world.crash()
    world.announcer.trouble = None

    await world.look_at(AVATAR_MODEL)

    assert _types(world) == [READY]


class Interrupted(Exception):
    """The process has died here."""


class InterruptedKube(FakeKubeClient):
    """An API server that stores a status, and whose answer comes late."""

    before_the_answer: Callable[[Object], Coroutine[Any, Any, None]] | None = None

    async def apply_status(self, kind: Kind, observed: Object, status: Mapping[str, Any]) -> Object:
        written = await super().apply_status(kind, observed, status)
        if self.before_the_answer is not None:
            await self.before_the_answer(written)
        return written


async def _trained_while_bob_is_seen(then: Callable[[World], None]) -> World:
    """A world where ann's becoming Ready stands in the API server, not in the cache, and Bob's younger object in both."""
    world = World(api_server=InterruptedKube)
    world.add_runtime()
    await world.settle(AVATAR_RUNTIME)
    world.add_model()
    await world.renew_lease()

    async def see_bob(written: Object) -> None:
        if written["status"]["state"] == "Ready":
            bob = world.kube.create(AVATAR_MODEL, model_manifest(name="bob"))
            world.cache.store(AVATAR_MODEL, bob)
            await world.renew_lease()
            then(world)

    assert isinstance(world.kube, InterruptedKube)
    world.kube.before_the_answer = see_bob
    world.watching = False
    with contextlib.suppress(Interrupted, KubeError):
        await world.train()
    world.kube.before_the_answer, world.watching = None, True
    return world


def _dies(world: World) -> None:
    raise Interrupted


def _loses_the_answer(world: World) -> None:
    raise KubeError("no answer", status=0)


async def test_a_status_that_was_written_when_the_process_died_is_told_though_a_younger_object_had_been_seen() -> (
    None
):
    world = await _trained_while_bob_is_seen(_dies)
    world.crash()

    await world.look_at(AVATAR_MODEL)

    assert _types(world) == [READY]


async def test_a_status_whose_answer_was_lost_is_told_by_the_next_leader_though_the_lease_was_renewed_after_it() -> (
    None
):
    world = await _trained_while_bob_is_seen(_loses_the_answer)
    assert _types(world) == []
    await world.renew_lease()
    world.crash()

    await world.look_at(AVATAR_MODEL)

    assert _types(world) == [READY]


@pytest.mark.parametrize("status", [0, 409])
async def test_the_cursor_goes_on_once_a_write_was_refused_or_its_object_is_seen_changed(status: int) -> None:
    world = await _a_world()
    await world.renew_lease()
    before = world.outbox.cursor()
    with contextlib.suppress(KubeError), world.outbox.writing(AVATAR_MODEL, MODEL_UID):
        world.kube.create(AVATAR_MODEL, model_manifest(name="bob"))
        assert world.outbox.cursor() == before
        raise KubeError("no", status=status)
    if status == 0:
        assert world.outbox.cursor() == before
        world.kube.edit(AVATAR_MODEL, "ann", {"suspend": True})

    assert world.outbox.cursor() != before


async def test_a_replica_that_stands_by_tells_nothing_and_hands_no_cursor_on() -> None:
    leader = await _a_world()
    standby = World(beside=leader)

    await leader.train()
    await standby.outbox.flush()

    assert _types(leader) == [READY]
    assert standby.outbox.cursor() == {}


async def test_a_replica_that_takes_over_tells_what_the_last_leader_had_not_told() -> None:
    leader = await _a_world()
    standby = World(beside=leader)
    await leader.settle(AVATAR_MODEL)
    await leader.renew_lease()
    leader.announcer.trouble = out_of_reach()
    await leader.train()
    await leader.renew_lease()
    leader.announcer.trouble = None

    await standby.look_at(AVATAR_MODEL)

    assert _types(standby) == [READY]
    assert standby.kube.reasons().count("TrainingSubmitted") == 1


async def test_a_replica_that_takes_over_does_not_repeat_what_had_been_told() -> None:
    leader = await _a_world()
    standby = World(beside=leader)
    await leader.train()
    await leader.renew_lease()

    await standby.look_at(AVATAR_MODEL)

    assert _types(standby) == [READY]


async def test_an_event_that_the_api_server_refuses_blocks_neither_the_object_nor_other_news() -> None:
    world = await _a_world()
    await world.look_at(AVATAR_MODEL)
    world.kube.fail_next("create_event", status=422)

    await world.train()

    assert world.model.status.state == "Ready"
    assert [request.inference_id for request in world.backend.asked("submit_training")] == [FIRST]
    assert world.kube.reasons() == ["EndpointsReady", "ModelReady"]
    assert _types(world) == [READY]
    refused = {"sink": "Event", "outcome": "Refused"}
    assert world.registry.get_sample_value("avatar_announcements_total", refused) == 1


@pytest.mark.parametrize("status", [0, 429, 500, 503])
async def test_an_event_that_an_api_server_in_trouble_did_not_take_is_told_later(status: int) -> None:
    world = await _a_world()
    await world.look_at(AVATAR_MODEL)
    world.kube.fail_next("create_event", status=status)

    await world.train()

    assert world.kube.reasons() == ["EndpointsReady", "TrainingSubmitted", "ModelReady"]


async def test_what_waits_to_be_told_holds_on_to_an_objects_identity_and_to_no_more_of_it() -> None:
    world = await _a_world()
    await world.lead()
    model = copy.deepcopy(world.kube.read(AVATAR_MODEL, "ann"))
    model["metadata"] |= {
        "resourceVersion": "1000",
        "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "x" * 200_000},
        "managedFields": [{"manager": "kubectl"}],
    }
    waiting: list[Letter] = []
    world.outbox._office.post = waiting.append  # type: ignore[method-assign,assignment]

    await world.outbox.farewell(model, Notice("Normal", "Expired", ""))

    assert {*waiting[0].body["metadata"]} == {"name", "namespace", "uid", "resourceVersion"}


async def test_one_status_that_is_written_again_is_told_once() -> None:
    world = await _a_world()
    await world.train()
    for suspend in (True, False, True):
        world.kube.edit(AVATAR_MODEL, "ann", {"suspend": suspend})
        await world.look_at(AVATAR_MODEL)

    assert _types(world) == [READY]


@pytest.mark.parametrize("crashes", [False, True])
async def test_a_farewell_is_one_though_the_object_does_not_go_at_the_first_try(crashes: bool) -> None:
    world = await _a_world()
    world.kube.edit(AVATAR_MODEL, "ann", {"retention": {"expireAfterSeconds": 3600}})
    await world.train()
    world.clock.advance(3600)
    world.kube.fail_next("delete")
    with pytest.raises(KubeError):
        await world.look_at(AVATAR_MODEL)
    world.kube.edit(AVATAR_MODEL, "ann", {"retention": {"expireAfterSeconds": 3599}})
    if crashes:
        world.crash()

    await world.settle(AVATAR_MODEL)

    assert not world.kube.exists(AVATAR_MODEL, "ann")
    assert world.kube.reasons().count("Expired") == 1


async def test_failures_of_two_attempts_are_two_pieces_of_news() -> None:
    world = await _a_world()
    for revision in (1, 2):
        world.kube.edit(AVATAR_MODEL, "ann", {"revision": revision})
        await world.settle(AVATAR_MODEL)
        world.backend.script("attempt_outcome", AttemptFailed("TooFewUsablePhotos", "few", retryable=False))
        world.models.hint_outcome(MODEL_KEY)
        world.clock.advance(10)
        await world.settle(AVATAR_MODEL)

    assert _types(world) == [FAILED, FAILED]
    assert len({id_ for _, id_ in world.announcer.told()}) == 2


async def test_a_status_of_another_version_has_no_news_and_stops_nothing() -> None:
    world = await _a_world()
    await world.lead()

    world.kube.force_status(AVATAR_MODEL, "ann", {"training": "in words of another version"})
    await world.outbox.flush()

    assert world.announcer.told() == []
    assert world.cache.get(MODEL_KEY) is not None


def _while_telling(world: World, story: Callable[[], Coroutine[Any, Any, None]]) -> None:
    async def around() -> None:
        telling = asyncio.create_task(world.outbox.run())
        await asyncio.sleep(0)
        try:
            await story()
        finally:
            telling.cancel()
            await asyncio.wait([telling])

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(around())


def _upgrade_runtime(world: World) -> None:
    """Have the runtime say something that this version does not understand."""
    body = copy.deepcopy(world.kube.read(AVATAR_RUNTIME, "standard"))
    status = merged(body["status"], {"endpoints": "in words of another version"})
    world.kube.force_status(AVATAR_RUNTIME, "standard", status)


async def test_a_runtime_of_another_version_does_not_keep_a_new_leader_from_telling() -> None:
    world = await _a_world()
    await world.renew_lease()
    world.announcer.trouble = out_of_reach()
    await world.train()
    _upgrade_runtime(world)
    world.crash()
    world.announcer.trouble = None

    await world.lead()
    await world.outbox.flush()

    assert _types(world) == [READY]


async def test_a_runtime_of_another_version_does_not_keep_its_models_from_being_let_go_with_a_word() -> None:
    world = await _a_world()
    await world.train()
    _upgrade_runtime(world)
    denied = BackendError("AccessDenied", "No.", retryable=True)
    world.backend.script("delete_model_data", denied, denied)
    world.kube.delete_as_user(AVATAR_MODEL, "ann")
    world.clock.advance(CLEANUP_PATIENCE_SECONDS)
    await world.look_at(AVATAR_MODEL)
    assert world.kube.exists(AVATAR_MODEL, "ann")
    world.clock.advance(RECORDING_PATIENCE_SECONDS)

    await world.settle(AVATAR_MODEL)

    assert not world.kube.exists(AVATAR_MODEL, "ann")
    assert "CleanupIncomplete" in world.kube.reasons()


async def test_an_announcement_that_sns_refuses_for_what_it_is_is_given_up_at_once_and_said_on_its_runtime() -> (
    None
):
    world = await _a_world()
    world.announcer.trouble = BackendError("AnnouncementRefused", "Message too long.", retryable=False)
    await world.train()
    world.announcer.trouble = None
    world.kube.edit(AVATAR_MODEL, "ann", {"revision": 2})

    await world.train()

    refused = {"sink": "Topic", "outcome": "Refused"}
    assert world.registry.get_sample_value("avatar_announcements_total", refused) == 1
    assert _types(world) == [READY], "of the second revision: the lane went on"
    assert world.outbox_troubles == ["standard"]
    await world.settle(AVATAR_RUNTIME)
    delivered = find_condition(world.runtime.status.conditions, "NotificationsDelivered")
    assert delivered is not None
    assert (delivered.status, delivered.reason) == ("False", "AnnouncementRefused")
    assert "Message too long." in delivered.message
    assert "NotificationsFailing" in world.kube.reasons()


def test_a_topic_that_is_out_of_reach_is_told_of_its_runtime_and_given_up_after_an_hour() -> None:
    world = World()
    given_up = {"sink": "Topic", "outcome": "GivenUp"}

    async def story() -> None:
        world.announcer.trouble = out_of_reach("AwsUnreachable")
        world.add_runtime()
        await world.settle(AVATAR_RUNTIME)
        world.add_model()
        await world.train()
        await asyncio.sleep(60)

        trouble = world.outbox.trouble("standard")
        assert trouble is not None
        assert trouble.reason == "AwsUnreachable"
        assert world.outbox_troubles == ["standard"]
        assert world.registry.get_sample_value("avatar_announcements_total", given_up) == 0
        await asyncio.sleep(3700)
        assert world.registry.get_sample_value("avatar_announcements_total", given_up) == 1
        world.announcer.trouble = None
        world.kube.edit(AVATAR_MODEL, "ann", {"revision": 2})
        await world.train()
        await asyncio.sleep(1)

        assert _types(world) == [READY]
        trouble = world.outbox.trouble("standard")
        assert trouble == PlaceTrouble("AwsUnreachable", "The service does not answer.", lost=True)
        assert world.outbox_troubles[-1:] == ["standard"]
        await asyncio.sleep(LOSS_TOLD_SECONDS)
        assert world.outbox.trouble("standard") is None

    _while_telling(world, story)


async def test_a_runtime_without_a_topic_is_told_of_by_events_only() -> None:
    world = World()
    world.add_runtime({"notifications": None})
    await world.settle(AVATAR_RUNTIME)
    world.add_model()
    world.announcer.trouble = out_of_reach()

    await world.train()
    world.announcer.trouble = None
    await world.outbox.flush()

    assert "ModelReady" in world.kube.reasons()
    assert world.announcer.told() == []


async def test_news_of_an_object_that_is_gone_is_told_all_the_same() -> None:
    world = await _a_world()
    world.announcer.trouble = out_of_reach()
    await world.train()
    world.kube.delete_as_user(AVATAR_MODEL, "ann")
    await world.settle(AVATAR_MODEL)
    assert not world.kube.exists(AVATAR_MODEL, "ann")
    world.announcer.trouble = None

    await world.outbox.flush()

    assert _types(world) == [READY]
