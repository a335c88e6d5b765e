"""The sweeper: what a watch can lose is found, and a watch that loses things again and again is told of."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from avatar_api.group import AVATAR_MODEL, AVATAR_RUNTIME, KINDS, Kind
from avatar_operator.core.workqueue import WorkQueue
from avatar_operator.kube.cache import ObjectCache, ObjectKey, key_of
from avatar_operator.kube.client import KubeError, Object
from avatar_operator.kube.scope import Scope
from avatar_operator.kube.watch_ages import WatchAges
from avatar_operator.kube.watched_namespaces import WatchedNamespaces
from avatar_operator.reconciling.scheduling import Scheduler
from avatar_operator.sweeper import Sweeper
from builders.clock import FakeClock
from builders.kube import PAGE_SIZE, FakeKubeClient
from builders.manifests import model_manifest, runtime_manifest
from builders.virtual_time import VirtualTimeLoop
from builders.world import MODEL_KEY, RUNTIME_KEY

INTERVAL = 300.0


class Office:
    """A sweeper over an API server in memory, with a watch that the test can deafen."""

    def __init__(self, *, leads: bool = True, namespaces: tuple[str, ...] = ()) -> None:
        self.kube = FakeKubeClient(FakeClock())
        scope = Scope(namespaces)
        self.cache = ObjectCache(scope)
        self.changes: list[list[str]] = []
        """What could be watched, whenever that was another choice of namespaces than before."""
        self.namespaces = WatchedNamespaces(scope, lambda: self.changes.append(list(self.namespaces.open())))
        self.queues: dict[Kind, WorkQueue[ObjectKey]] = {kind: WorkQueue() for kind in KINDS}
        self.asked: list[ObjectKey] = []
        self.scheduler = Scheduler(self.cache, self.queues, self.asked.append)
        if leads:
            self.scheduler.begin()
        self.watches = WatchAges(monotonic=lambda: asyncio.get_running_loop().time())
        self.watch_delay: float | None = 0.0
        self.sweeper = Sweeper(
            self.kube, self.cache, self.scheduler, self.watches, self.namespaces, interval=INTERVAL
        )
        self.kube.watch(self._watch)

    def _watch(self, kind: Kind, body: Object, gone: bool) -> None:
        if self.watch_delay is None:
            return
        asyncio.get_running_loop().call_later(
            self.watch_delay, lambda: self.scheduler.seen(kind, body, deleted=gone)
        )

    def waiting(self, kind: Kind) -> int:
        return len(self.queues[kind])


def in_virtual_time(story: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(story)


async def _office_with_a_model() -> Office:
    office = Office()
    office.kube.create(AVATAR_RUNTIME, runtime_manifest())
    office.kube.create(AVATAR_MODEL, model_manifest())
    await asyncio.sleep(1)
    for queue in office.queues.values():
        while len(queue):
            queue.done(await queue.get())
    return office


def test_everything_is_known_before_anything_is_decided() -> None:
    async def story() -> None:
        office = Office()
        office.watch_delay = None
        office.kube.create(AVATAR_RUNTIME, runtime_manifest())
        office.kube.create(AVATAR_MODEL, model_manifest())

        await office.sweeper.catch_up()

        assert office.cache.get(MODEL_KEY) is not None
        assert office.cache.get(RUNTIME_KEY) is not None
        assert office.cache.listed(AVATAR_MODEL) == office.kube.version
        assert office.waiting(AVATAR_MODEL) == 1

    in_virtual_time(story())


def test_every_object_is_looked_at_and_every_outcome_asked_for() -> None:
    async def story() -> None:
        office = await _office_with_a_model()

        await office.sweeper.sweep(AVATAR_MODEL)
        await office.sweeper.sweep(AVATAR_RUNTIME)

        assert office.waiting(AVATAR_MODEL) == 1
        assert office.waiting(AVATAR_RUNTIME) == 1
        assert office.asked == [MODEL_KEY]

    in_virtual_time(story())


def test_a_deletion_that_the_watch_missed_is_found() -> None:
    async def story() -> None:
        office = await _office_with_a_model()
        office.watch_delay = None
        office.kube.remove_by_force(AVATAR_MODEL, "ann")

        await office.sweeper.sweep(AVATAR_MODEL)

        assert office.cache.get(MODEL_KEY) is None
        assert office.waiting(AVATAR_MODEL) == 1

    in_virtual_time(story())


def test_a_change_that_the_watch_missed_is_found() -> None:
    async def story() -> None:
        office = await _office_with_a_model()
        office.watch_delay = None
        changed = office.kube.edit(AVATAR_MODEL, "ann", {"suspend": True})

        await office.sweeper.sweep(AVATAR_MODEL)

        cached = office.cache.get(MODEL_KEY)
        assert cached is not None
        assert cached["spec"] == changed["spec"]

    in_virtual_time(story())


def test_a_missed_change_of_a_runtime_brings_its_models_back() -> None:
    async def story() -> None:
        office = await _office_with_a_model()
        office.watch_delay = None
        office.kube.edit(AVATAR_RUNTIME, "standard", {"managementPolicy": "Observe"})

        await office.sweeper.sweep(AVATAR_RUNTIME)

        assert office.waiting(AVATAR_MODEL) == 1

    in_virtual_time(story())


def test_a_successor_of_the_same_name_is_told_from_its_predecessor() -> None:
    async def story() -> None:
        office = await _office_with_a_model()
        office.watch_delay = None
        office.kube.remove_by_force(AVATAR_MODEL, "ann")
        successor = office.kube.create(AVATAR_MODEL, model_manifest())

        await office.sweeper.sweep(AVATAR_MODEL)

        assert office.cache.by_uid(successor["metadata"]["uid"]) == key_of(AVATAR_MODEL, successor)

    in_virtual_time(story())


def test_an_api_server_that_was_restored_from_a_backup_is_believed() -> None:
    async def story() -> None:
        office = await _office_with_a_model()
        restored, backup = office.kube.read(AVATAR_MODEL, "ann"), office.kube.backup()
        office.kube.edit(AVATAR_MODEL, "ann", {"suspend": True})
        await asyncio.sleep(1)
        await office.sweeper.sweep(AVATAR_MODEL)
        office.kube.restore(backup)

        await office.sweeper.sweep(AVATAR_MODEL)

        assert office.cache.get(MODEL_KEY) == restored
        assert office.cache.listed(AVATAR_MODEL) == backup.version
        assert office.waiting(AVATAR_MODEL) == 1

    in_virtual_time(story())


def test_an_object_created_during_the_list_is_not_taken_for_deleted() -> None:
    async def story() -> None:
        office = await _office_with_a_model()
        listed = office.kube.list_objects

        async def list_slowly(kind: Kind, namespace: str = "") -> Any:
            pages = [page async for page in listed(kind, namespace)]
            office.kube.create(AVATAR_MODEL, model_manifest(name="bob"))
            await asyncio.sleep(1)
            for page in pages:
                yield page

        office.kube.list_objects = list_slowly  # type: ignore[method-assign]

        await office.sweeper.sweep(AVATAR_MODEL)

        assert office.cache.get(ObjectKey("AvatarModel", "team-a", "bob")) is not None

    in_virtual_time(story())


def test_a_watch_that_is_well_does_not_lag() -> None:
    async def story() -> None:
        office = await _office_with_a_model()
        for _ in range(3):
            office.kube.edit(AVATAR_MODEL, "ann", {"suspend": True})
            await asyncio.sleep(INTERVAL)
            await office.sweeper.sweep(AVATAR_MODEL)

        assert office.sweeper.watch_lags()["avatarmodels"] == 0.0

    in_virtual_time(story())


def test_a_change_that_the_watch_shows_a_moment_after_the_list_was_not_missed() -> None:
    async def story() -> None:
        office = await _office_with_a_model()
        office.watch_delay = 0.5
        for _ in range(3):
            office.kube.edit(AVATAR_MODEL, "ann", {"suspend": True})
            await office.sweeper.sweep(AVATAR_MODEL)
            await asyncio.sleep(INTERVAL)

        assert office.sweeper.watch_lags()["avatarmodels"] == 0.0

    in_virtual_time(story())


def test_one_change_that_was_missed_and_found_is_no_reason_to_restart() -> None:
    async def story() -> None:
        office = await _office_with_a_model()
        office.watch_delay = None
        office.kube.edit(AVATAR_MODEL, "ann", {"suspend": True})
        await office.sweeper.sweep(AVATAR_MODEL)
        office.watch_delay = 0.0

        await asyncio.sleep(INTERVAL)

        assert office.sweeper.watch_lags()["avatarmodels"] == 0.0

    in_virtual_time(story())


def test_a_watch_that_misses_something_at_every_sweep_lags() -> None:
    async def story() -> None:
        office = await _office_with_a_model()
        office.watch_delay = None
        for suspend in (True, False, True):
            office.kube.edit(AVATAR_MODEL, "ann", {"suspend": suspend})
            await office.sweeper.sweep(AVATAR_MODEL)
            await asyncio.sleep(INTERVAL)

        lags = office.sweeper.watch_lags()
        assert lags["avatarmodels"] >= 2 * INTERVAL
        assert lags["avatarruntimes"] == 0.0

    in_virtual_time(story())


def test_a_watch_that_recovers_does_not_lag_any_more() -> None:
    async def story() -> None:
        office = await _office_with_a_model()
        office.watch_delay = None
        for suspend in (True, False):
            office.kube.edit(AVATAR_MODEL, "ann", {"suspend": suspend})
            await office.sweeper.sweep(AVATAR_MODEL)
            await asyncio.sleep(INTERVAL)
        office.watch_delay = 0.0
        await office.sweeper.sweep(AVATAR_MODEL)

        assert office.sweeper.watch_lags()["avatarmodels"] == 0.0

    in_virtual_time(story())


def test_an_api_server_that_does_not_answer_does_not_end_the_sweeps() -> None:
    async def story() -> None:
        office = await _office_with_a_model()
        for _ in KINDS:
            office.kube.fail_next("list_objects")
        task = asyncio.create_task(office.sweeper.run())
        await asyncio.sleep(2.5 * INTERVAL)

        assert not task.done()
        assert office.asked == [MODEL_KEY]
        task.cancel()
        await asyncio.wait([task])

    in_virtual_time(story())


def test_a_replica_that_stands_by_heals_its_cache_and_asks_for_nothing() -> None:
    async def story() -> None:
        office = Office(leads=False)
        office.watch_delay = None
        office.kube.create(AVATAR_MODEL, model_manifest())

        await office.sweeper.sweep(AVATAR_MODEL)

        assert office.cache.get(MODEL_KEY) is not None
        assert office.asked == []
        assert office.waiting(AVATAR_MODEL) == 0

    in_virtual_time(story())


def test_catching_up_finds_creations_changes_and_deletions_on_every_page() -> None:
    async def story() -> None:
        office = Office()
        names = [f"m{number}" for number in range(3 * PAGE_SIZE)]
        for name in names:
            office.kube.create(AVATAR_MODEL, model_manifest(name=name))
        await asyncio.sleep(1)
        office.watch_delay = None
        office.kube.create(AVATAR_MODEL, model_manifest(name="new"))
        office.kube.edit(AVATAR_MODEL, "m3", {"suspend": True})
        office.kube.remove_by_force(AVATAR_MODEL, "m5")

        await office.sweeper.catch_up()

        cached = {body["metadata"]["name"]: body for body in office.cache.objects(AVATAR_MODEL)}
        assert sorted(cached) == sorted({*names, "new"} - {"m5"})
        assert cached["m3"]["spec"]["suspend"] is True

    in_virtual_time(story())


@pytest.mark.parametrize("catching_up", [True, False])
def test_others_go_on_between_pages(catching_up: bool) -> None:
    async def story() -> None:
        office = Office()
        for number in range(3 * PAGE_SIZE):
            office.kube.create(AVATAR_MODEL, model_manifest(name=f"m{number}"))
        await asyncio.sleep(1)
        turns = 0

        async def turn() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        turning = asyncio.create_task(turn())
        await (office.sweeper.catch_up() if catching_up else office.sweeper.sweep(AVATAR_MODEL))
        turning.cancel()

        assert turns >= 3

    in_virtual_time(story())


def test_a_sweep_that_finds_nothing_missed_shows_that_the_watch_is_well() -> None:
    async def story() -> None:
        office = await _office_with_a_model()
        await asyncio.sleep(100)
        await office.sweeper.sweep(AVATAR_MODEL)

        ages = office.watches.ages()
        assert ages["avatarmodels"] == 0
        assert ages["avatarruntimes"] > 100
        assert list(office.sweeper.swept_at()) == ["avatarmodels"]

    in_virtual_time(story())


def test_a_sweep_that_finds_something_missed_does_not_show_that_the_watch_is_well() -> None:
    async def story() -> None:
        office = await _office_with_a_model()
        office.watch_delay = None
        office.kube.edit(AVATAR_MODEL, "ann", {"suspend": True})
        await asyncio.sleep(100)

        await office.sweeper.sweep(AVATAR_MODEL)

        assert office.watches.ages()["avatarmodels"] > 100

    in_virtual_time(story())


def test_a_sweep_that_began_before_everything_was_listed_anew_does_not_take_back_how_far_that_came() -> None:
    async def story() -> None:
        office = await _office_with_a_model()
        office.watch_delay = None
        office.kube.edit(AVATAR_MODEL, "ann", {"suspend": True})
        sweep = asyncio.create_task(office.sweeper.sweep(AVATAR_MODEL))
        await asyncio.sleep(1)
        office.kube.edit(AVATAR_MODEL, "ann", {"suspend": False})
        await office.sweeper.catch_up()

        await sweep

        assert office.cache.listed(AVATAR_MODEL) == office.kube.version

    in_virtual_time(story())


BOB = ObjectKey("AvatarModel", "team-b", "bob")


async def _office_of_teams() -> Office:
    """One that watches team-a and team-b, with a model in each and one in a third namespace."""
    office = Office(namespaces=("team-a", "team-b"))
    office.watch_delay = None
    office.kube.create(AVATAR_RUNTIME, runtime_manifest(spec={"tenancy": {"allowedNamespaces": ["team-a"]}}))
    for name, namespace in (("ann", "team-a"), ("bob", "team-b"), ("eve", "team-c")):
        office.kube.create(AVATAR_MODEL, model_manifest(name=name, namespace=namespace))
    return office


def test_only_the_named_namespaces_are_listed_and_runtimes_everywhere() -> None:
    async def story() -> None:
        office = await _office_of_teams()

        await office.sweeper.catch_up()
        await office.sweeper.sweep(AVATAR_MODEL)

        assert office.cache.keys(AVATAR_MODEL) == [MODEL_KEY, BOB]
        assert office.cache.keys(AVATAR_RUNTIME) == [RUNTIME_KEY]
        assert office.cache.listed(AVATAR_MODEL) == office.kube.version
        assert office.changes == []

    in_virtual_time(story())


def test_a_namespace_that_refuses_holds_up_no_other_and_is_watched_once_it_answers() -> None:
    async def story() -> None:
        office = await _office_of_teams()
        office.kube.closed_namespaces = {"team-b"}
        await office.sweeper.catch_up()
        assert office.cache.keys(AVATAR_MODEL) == [MODEL_KEY]
        assert not office.namespaces.shows("team-b")
        sweeping = asyncio.create_task(office.sweeper.run())
        await asyncio.sleep(60)
        assert office.changes == [["team-a"]]

        office.kube.closed_namespaces = set()
        await asyncio.sleep(60)

        assert office.changes == [["team-a"], ["team-a", "team-b"]]
        assert office.cache.get(BOB) is not None
        assert office.namespaces.shows("team-b")
        sweeping.cancel()

    in_virtual_time(story())


def test_what_a_namespace_that_refuses_does_not_show_is_not_gone() -> None:
    async def story() -> None:
        office = await _office_of_teams()
        await office.sweeper.catch_up()
        office.kube.closed_namespaces = {"team-b"}
        gone: list[ObjectKey] = []
        office.cache.subscribe(lambda kind, key, body, deleted: gone.append(key) if deleted else None)

        await office.sweeper.sweep(AVATAR_MODEL)
        await office.sweeper.catch_up()
        await office.sweeper.look_again(["team-a", "team-b"])

        assert gone == []
        assert office.cache.get(BOB) is not None
        assert office.sweeper.watch_lags()["avatarmodels"] == 0

    in_virtual_time(story())


def test_what_went_while_a_namespace_refused_is_gone_once_it_answers() -> None:
    async def story() -> None:
        office = await _office_of_teams()
        await office.sweeper.catch_up()
        office.kube.closed_namespaces = {"team-b"}
        await office.sweeper.catch_up()
        office.kube.remove_by_force(AVATAR_MODEL, "bob", namespace="team-b")
        office.kube.closed_namespaces = set()

        await office.sweeper.look_again(["team-b"])

        assert office.cache.get(BOB) is None
        assert office.cache.get(MODEL_KEY) is not None

    in_virtual_time(story())


def test_rights_on_runtimes_that_are_missing_end_the_operator_with_what_the_api_server_says() -> None:
    async def story() -> None:
        office = await _office_of_teams()
        office.kube.fail_next("list_objects", status=403)

        await office.sweeper.look_again(["team-a"])
        assert office.namespaces.closed() == ["team-a"]
        office.kube.closed_namespaces = {""}
        with pytest.raises(KubeError, match="403"):
            await office.sweeper.catch_up()

    in_virtual_time(story())


def test_a_runtime_of_another_operator_is_compared_and_never_queued() -> None:
    async def story() -> None:
        office = await _office_of_teams()
        office.kube.create(
            AVATAR_RUNTIME, runtime_manifest(name="theirs", spec={"tenancy": {"allowedNamespaces": ["*"]}})
        )
        theirs = ObjectKey("AvatarRuntime", "", "theirs")
        await office.sweeper.catch_up()
        queued = []
        while len(office.queues[AVATAR_RUNTIME]):
            queued.append(await office.queues[AVATAR_RUNTIME].get())
        assert queued == [RUNTIME_KEY]
        assert office.cache.foreign(theirs) is not None

        office.kube.remove_by_force(AVATAR_RUNTIME, "theirs")
        await office.sweeper.sweep(AVATAR_RUNTIME)

        assert office.cache.foreign(theirs) is None

    in_virtual_time(story())
