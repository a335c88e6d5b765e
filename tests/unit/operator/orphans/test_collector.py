"""The collector: found, told, and removed where the platform team wants that."""

from dataclasses import replace
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from avatar_api.group import AVATAR_MODEL, AVATAR_RUNTIME
from avatar_operator.backends.cleanup_report import CleanupReport
from avatar_operator.backends.compute import Stray
from avatar_operator.backends.storage import StoredOwner
from avatar_operator.left_behind.entries import left_by_model
from avatar_operator.orphans.collector import OrphanCollector
from builders.backend import backends_of, denied
from builders.clock import NOON
from builders.objects import MODEL_UID, RUNTIME_UID, a_model
from builders.world import World

GONE_UID = "99999999-0000-0000-0000-000000000000"
DAY = 86400.0


def _owner(uid: str, kind: Any = "AvatarModel") -> StoredOwner:
    location = f"s3://models/artifacts/team-a/{uid}/"
    return StoredOwner("team-a", uid, kind, location, age_seconds=10 * DAY, objects=2)


ORPHAN, OWNED = _owner(GONE_UID), _owner(MODEL_UID)


class Collection:
    """A world with a model, an orphan beside it, and a collector that a test has look."""

    def __init__(self, policy: str) -> None:
        self.world = World()
        self.world.add_runtime({"garbageCollection": {"orphans": policy}})
        self.world.add_model()
        self.registry = CollectorRegistry()
        self.seconds = 0.0
        self.hidden: set[str] = set()
        """Namespaces of which not everything is known."""
        self.collector = OrphanCollector(
            self.world.cache,
            backends_of(self.world.backend),
            self.world.clock,
            self.world.orphans,
            self.registry,
            shows_all=lambda namespace: namespace not in self.hidden,
            monotonic=lambda: self.seconds,
        )

    async def look(self, *owners: StoredOwner) -> None:
        """One look, the grace period after the last one, and what the runtime says of it."""
        self.pass_time(DAY)
        self.world.backend.script("owners", owners)
        await self.collector.look()
        await self.world.settle(AVATAR_RUNTIME)

    def pass_time(self, seconds: float) -> None:
        """Time passes, and the clock goes right."""
        self.world.clock.advance(seconds)
        self.seconds += seconds

    def counted(self, action: str) -> float | None:
        return self.registry.get_sample_value("avatar_orphans_total", {"action": action})

    @property
    def said(self) -> tuple[int, int] | None:
        """Found and removed, as the runtime has it."""
        orphans = self.world.runtime.status.orphans
        return None if orphans is None else (orphans.found, orphans.removed)


async def test_by_default_orphans_are_only_told_and_each_once() -> None:
    collection = Collection("Report")

    for _ in range(3):
        await collection.look(ORPHAN, OWNED)

    assert collection.said == (1, 0)
    assert (collection.counted("Reported"), collection.counted("Removed")) == (1, 0)
    assert collection.world.backend.asked("delete_owned") == []
    assert collection.world.kube.reasons().count("OrphansFound") == 1


async def test_orphans_are_removed_where_the_runtime_says_so_and_what_has_an_owner_stays() -> None:
    collection = Collection("Delete")

    await collection.look(ORPHAN, OWNED)
    assert collection.world.backend.asked("delete_owned") == []
    await collection.look(ORPHAN, OWNED)
    await collection.look(OWNED)

    assert collection.world.backend.asked("delete_owned") == [ORPHAN]
    assert collection.said == (0, 1)
    assert collection.counted("Removed") == 1


@pytest.mark.parametrize("answer", [denied(), CleanupReport(("denied",))])
async def test_an_orphan_that_cannot_be_removed_goes_on_being_told(answer: object) -> None:
    collection = Collection("Delete")
    collection.world.backend.script("delete_owned", answer)

    await collection.look(ORPHAN)
    await collection.look(ORPHAN)

    assert collection.said == (1, 0)
    assert collection.counted("Failed") == 1


async def test_what_belongs_to_a_namespace_that_is_not_watched_is_no_orphan() -> None:
    """Its owner may live there, and this operator cannot know."""
    collection = Collection("Delete")
    collection.hidden = {"team-a"}

    await collection.look(ORPHAN)
    await collection.look(ORPHAN)

    assert collection.said == (0, 0)
    assert collection.counted("Reported") == 0
    assert collection.world.backend.asked("delete_owned") == []


async def test_what_a_runtime_is_removing_anyway_is_no_orphan() -> None:
    collection = Collection("Delete")
    world = collection.world
    entry = left_by_model(world.runtime, a_model(uid=GONE_UID), NOON)
    status = world.runtime.status.model_copy(update={"left_behind": [entry]})
    world.kube.force_status(AVATAR_RUNTIME, "standard", status.to_wire())

    world.backend.script("owners", (ORPHAN,))
    await collection.collector.look()
    collection.pass_time(DAY)
    world.backend.script("owners", (ORPHAN,))
    await collection.collector.look()

    assert world.backend.asked("delete_owned") == []


@pytest.mark.parametrize("jump", [DAY, -DAY])
async def test_a_clock_that_is_set_does_not_make_an_orphan(jump: float) -> None:
    collection = Collection("Delete")
    await collection.look(ORPHAN)
    collection.world.clock.advance(jump)
    collection.seconds -= DAY - 3600

    await collection.look(ORPHAN)
    assert collection.world.backend.asked("delete_owned") == []
    await collection.look(ORPHAN)

    assert collection.world.backend.asked("delete_owned") == [ORPHAN]


async def test_what_was_written_lately_by_the_clock_of_its_place_is_left_alone() -> None:
    collection, young = Collection("Delete"), replace(ORPHAN, age_seconds=DAY - 1)
    for _ in range(3):
        await collection.look(young)

    assert collection.world.backend.asked("delete_owned") == []


async def test_a_model_that_is_created_while_the_listing_runs_keeps_what_is_stored_for_it() -> None:
    collection = Collection("Delete")
    world = collection.world
    await collection.look(ORPHAN)
    owners = world.backend.owners

    async def created_meanwhile(runtime: Any) -> Any:
        listed = await owners(runtime)
        manifest = world.kube.read(AVATAR_MODEL, "ann")
        metadata = {"name": "bob", "namespace": "team-a"}
        world.kube.create(AVATAR_MODEL, {**manifest, "metadata": metadata}, uid=GONE_UID)
        return listed

    world.backend.owners = created_meanwhile  # type: ignore[method-assign]
    await collection.look(ORPHAN)

    assert world.backend.asked("delete_owned") == []


async def test_a_model_that_is_created_while_another_orphan_is_removed_keeps_what_is_stored_for_it() -> None:
    collection, another = Collection("Delete"), _owner("88888888-0000-0000-0000-000000000000")
    world = collection.world
    delete_owned = world.backend.delete_owned

    async def created_meanwhile(runtime: Any, owner: Any) -> CleanupReport:
        manifest = world.kube.read(AVATAR_MODEL, "ann")
        metadata = {"name": "bob", "namespace": "team-a"}
        world.kube.create(AVATAR_MODEL, {**manifest, "metadata": metadata}, uid=another.uid)
        return await delete_owned(runtime, owner)

    world.backend.delete_owned = created_meanwhile  # type: ignore[method-assign]

    await collection.look(ORPHAN, another)
    await collection.look(ORPHAN, another)

    assert world.backend.asked("delete_owned") == [ORPHAN]


async def test_whoever_says_stop_is_heard_at_the_next_orphan() -> None:
    collection, another = Collection("Delete"), _owner("88888888-0000-0000-0000-000000000000")
    world = collection.world
    delete_owned = world.backend.delete_owned

    async def stop_after_the_first(runtime: Any, owner: Any) -> CleanupReport:
        world.kube.edit(AVATAR_RUNTIME, "standard", {"garbageCollection": {"orphans": "Report"}})
        return await delete_owned(runtime, owner)

    world.backend.delete_owned = stop_after_the_first  # type: ignore[method-assign]

    await collection.look(ORPHAN, another)
    await collection.look(ORPHAN, another)

    assert world.backend.asked("delete_owned") == [ORPHAN]
    assert collection.said == (1, 1)


async def test_a_runtime_whose_storage_cannot_be_listed_does_not_keep_the_others_from_being_looked_at() -> (
    None
):
    collection = Collection("Report")
    world = collection.world
    other = world.kube.read(AVATAR_RUNTIME, "standard")
    world.kube.create(AVATAR_RUNTIME, {**other, "metadata": {"name": "other"}}, uid="the other's")
    world.backend.script("owners", denied(), ())

    await collection.collector.look()

    assert len(world.backend.asked("owners")) == 2
    assert world.orphans.of("the other's") is not None


async def test_a_look_that_finds_the_same_again_is_written_once_a_day() -> None:
    collection = Collection("Report")
    await collection.look()
    world = collection.world
    writes = world.kube.writes["apply_status", "AvatarRuntime"]

    for _ in range(23):
        world.clock.advance(3600)
        await collection.collector.look()
        await world.settle(AVATAR_RUNTIME)
    assert world.kube.writes["apply_status", "AvatarRuntime"] == writes
    world.clock.advance(3600)
    await collection.collector.look()
    await world.settle(AVATAR_RUNTIME)

    assert world.kube.writes["apply_status", "AvatarRuntime"] == writes + 1


def _stray(runtime_uid: str) -> Stray:
    return Stray("Endpoint", "forgotten", runtime_uid, age_seconds=10 * DAY)


@pytest.mark.parametrize(("runtime_uid", "removed"), [(RUNTIME_UID, True), (GONE_UID, False)])
async def test_an_endpoint_that_nobody_names_is_removed_only_if_it_is_certainly_this_runtimes(
    runtime_uid: str, removed: bool
) -> None:
    collection = Collection("Delete")
    for _ in range(2):
        collection.world.backend.script("strays", (_stray(runtime_uid),))
        await collection.look()

    assert collection.world.backend.asked("strays")[0] == {RUNTIME_UID}
    assert collection.world.backend.asked("delete_stray") == ([_stray(runtime_uid)] if removed else [])
    assert collection.said == ((0, 1) if removed else (1, 0))
