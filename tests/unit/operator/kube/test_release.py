"""Letting go of the Lease: whoever goes leaves none that names it, wherever it was stopped."""

import asyncio

import pytest

from avatar_operator.kube.client import Object
from avatar_operator.kube.election import LEASE_NAME
from builders.clock import FakeClock
from builders.kube import FakeKubeClient
from builders.replicas import LEASE, Replica, in_virtual_time, now


def _holder(kube: FakeKubeClient) -> str:
    holder: str = kube.leases["home", LEASE_NAME]["spec"]["holderIdentity"]
    return holder


class SlowWrites(FakeKubeClient):
    """An API server that takes a Lease at once, and says so a second later."""

    async def write_lease(self, lease: Object) -> Object:
        """See KubeClient."""
        written = await super().write_lease(lease)
        await asyncio.sleep(1.0)
        return written


def test_a_replica_that_is_stopped_while_it_takes_the_lease_releases_it() -> None:
    async def story() -> None:
        kube = SlowWrites(FakeClock())
        first, second = Replica(kube, "first"), Replica(kube, "second")
        coming = asyncio.create_task(first.elector.acquire(first.stop))
        await asyncio.sleep(0.5)
        first.stop.set()
        await coming
        await first.elector.release()

        assert _holder(kube) == ""
        stopped_at = now()
        await second.lead()
        assert now() - stopped_at <= 2.0
        await second.die()

    in_virtual_time(story())


def test_a_replica_that_never_learned_that_it_took_the_lease_releases_it() -> None:
    async def story() -> None:
        kube = FakeKubeClient(FakeClock())
        first = Replica(kube, "first")
        kube.lose_next_answer("write_lease")
        coming = asyncio.create_task(first.elector.acquire(first.stop))
        await asyncio.sleep(0.5)
        assert _holder(kube) == "first"
        first.stop.set()

        assert await coming is None
        await first.elector.release()

        assert _holder(kube) == ""

    in_virtual_time(story())


def test_a_replica_that_is_stopped_while_it_stands_by_leaves_the_leaders_lease_alone() -> None:
    async def story() -> None:
        kube = FakeKubeClient(FakeClock())
        first, second = Replica(kube, "first"), Replica(kube, "second")
        await first.lead()
        standing_by = asyncio.create_task(second.elector.acquire(second.stop))
        await asyncio.sleep(30.5)
        second.stop.set()
        stopped_at = now()

        assert await standing_by is None
        await second.elector.release()

        assert now() == stopped_at
        assert _holder(kube) == "first"
        await asyncio.sleep(LEASE)
        assert first.leadership.leads()
        await first.die()

    in_virtual_time(story())


class LateRenewal(FakeKubeClient):
    """An API server at which a renewal that was broken off arrives right after a look of the leader that goes."""

    late = False

    async def read_lease(self, namespace: str, name: str) -> Object:
        """See KubeClient."""
        lease = await super().read_lease(namespace, name)
        if self.late:
            self.late = False
            await self.write_lease(lease)
        return lease


@pytest.mark.parametrize("after_the_look", [False, True])
def test_a_leader_that_is_stopped_in_the_middle_of_a_renewal_releases_the_lease(
    *, after_the_look: bool
) -> None:
    async def story() -> None:
        kube = LateRenewal(FakeClock())
        first = Replica(kube, "first", {"told": "7"})
        await first.lead()
        kube.late = after_the_look
        if not after_the_look:
            await kube.write_lease(await kube.read_lease("home", LEASE_NAME))

        await first.hand_over()

        assert _holder(kube) == ""
        assert kube.leases["home", LEASE_NAME]["metadata"]["annotations"] == {"told": "7"}

    in_virtual_time(story())


@pytest.mark.parametrize("taken_by", ["somebody", ""])
def test_a_leader_that_goes_leaves_a_lease_alone_that_another_has_by_now(taken_by: str) -> None:
    async def story() -> None:
        kube = FakeKubeClient(FakeClock())
        first = Replica(kube, "first")
        await first.lead()
        theirs = await kube.read_lease("home", LEASE_NAME)
        theirs["spec"]["holderIdentity"] = taken_by
        taken = await kube.write_lease(theirs)

        await first.hand_over()

        assert kube.leases["home", LEASE_NAME] == taken

    in_virtual_time(story())


def test_a_leader_that_goes_makes_no_lease_anew_that_somebody_deleted() -> None:
    async def story() -> None:
        kube = FakeKubeClient(FakeClock())
        first = Replica(kube, "first")
        await first.lead()
        kube.leases.clear()

        await first.hand_over()

        assert kube.leases == {}
        assert not first.leadership.leads()

    in_virtual_time(story())


def test_a_release_that_cannot_be_told_does_not_keep_the_process_from_ending() -> None:
    async def story() -> None:
        kube = FakeKubeClient(FakeClock())
        first = Replica(kube, "first")
        await first.lead()
        first.connection.silent = True
        asked_at = now()
        await first.hand_over()

        assert now() - asked_at < 5
        assert not first.leadership.leads()

    in_virtual_time(story())
