"""The elector, in virtual time: never two leaders, a quick successor, and an end in time for whoever cannot renew."""

import asyncio

import pytest

from avatar_operator.errors import StartUpError
from avatar_operator.kube.client import Object
from avatar_operator.kube.election import LEASE_NAME
from avatar_operator.kube.leadership import LeadershipLostError
from builders.clock import FakeClock
from builders.kube import FakeKubeClient
from builders.replicas import LEASE, Replica, in_virtual_time, now


def _lease(kube: FakeKubeClient) -> Object:
    return kube.leases["home", LEASE_NAME]


def test_the_first_replica_leads_at_once_and_the_second_stands_by() -> None:
    async def story() -> None:
        kube = FakeKubeClient(FakeClock())
        first, second = Replica(kube, "first"), Replica(kube, "second")
        await first.lead()
        standing_by = asyncio.create_task(second.lead())
        await asyncio.sleep(1000)

        assert now() >= 1000
        assert first.leadership.leads()
        assert not standing_by.done()
        assert not second.leadership.leads()
        standing_by.cancel()
        await first.die()

    in_virtual_time(story())


def test_of_many_that_start_at_once_one_leads() -> None:
    async def story() -> None:
        kube = FakeKubeClient(FakeClock())
        replicas = [Replica(kube, str(number)) for number in range(5)]
        tasks = [asyncio.create_task(replica.lead()) for replica in replicas]
        await asyncio.sleep(10)

        assert [replica.leadership.leads() for replica in replicas].count(True) == 1
        for task in tasks:
            task.cancel()

    in_virtual_time(story())


def test_after_a_kill_the_other_leads_within_twenty_seconds_and_not_before_the_lease_is_over() -> None:
    async def story() -> None:
        kube = FakeKubeClient(FakeClock())
        first, second = Replica(kube, "first"), Replica(kube, "second")
        await first.lead()
        standing_by = asyncio.create_task(second.lead())
        await asyncio.sleep(31.4)
        await first.die()
        killed_at = now()
        await standing_by

        assert not first.leadership.leads()
        assert now() - killed_at < 17
        assert second.leadership.leads()
        await second.die()

    in_virtual_time(story())


@pytest.mark.parametrize("moment", [0.1 * tenth for tenth in range(0, 60, 7)])
def test_two_never_lead_at_the_same_time_whenever_the_first_is_cut_off(moment: float) -> None:
    async def story() -> None:
        kube = FakeKubeClient(FakeClock())
        first, second = Replica(kube, "first"), Replica(kube, "second")
        await first.lead()
        standing_by = asyncio.create_task(second.lead())
        await asyncio.sleep(20 + moment)
        first.connection.silent = True
        while not standing_by.done():
            assert not (first.leadership.leads() and second.leadership.leads())
            await asyncio.sleep(0.1)

        assert first.renewing is not None
        assert first.renewing.done()
        assert isinstance(first.renewing.exception(), LeadershipLostError)
        await second.die()

    in_virtual_time(story())


def test_after_a_release_the_other_leads_within_a_second_and_finds_what_was_left() -> None:
    async def story() -> None:
        kube = FakeKubeClient(FakeClock())
        first, second = Replica(kube, "first", {"told": "7"}), Replica(kube, "second")
        await first.lead()
        standing_by = asyncio.create_task(second.lead())
        await asyncio.sleep(8)
        first.left = {"told": "9"}
        await first.hand_over()
        released_at = now()
        found = await standing_by

        assert now() - released_at <= 1.0
        assert found == {"told": "9"}
        assert not first.leadership.leads()
        await second.die()

    in_virtual_time(story())


def test_what_a_holder_that_was_killed_left_at_its_last_renewal_is_found() -> None:
    async def story() -> None:
        kube = FakeKubeClient(FakeClock())
        first, second = Replica(kube, "first", {"told": "7"}), Replica(kube, "second")
        await first.lead()
        await asyncio.sleep(5)
        await first.die()

        assert await second.lead() == {"told": "7"}
        await second.die()

    in_virtual_time(story())


def test_who_takes_the_lease_does_not_wipe_out_what_it_has_not_read_yet() -> None:
    async def story() -> None:
        kube = FakeKubeClient(FakeClock())
        first, second = Replica(kube, "first", {"told": "7"}), Replica(kube, "second", {"told": "0"})
        await first.lead()
        await asyncio.sleep(5)
        await first.hand_over()
        await second.elector.acquire(second.stop)

        assert _lease(kube)["metadata"]["annotations"] == {"told": "7"}

    in_virtual_time(story())


def test_a_process_that_comes_back_under_its_name_leads_at_once() -> None:
    async def story() -> None:
        kube = FakeKubeClient(FakeClock())
        first = Replica(kube, "pod-a")
        await first.lead()
        await asyncio.sleep(5)
        await first.die()
        died_at = now()

        again = Replica(kube, "pod-a")
        await again.lead()

        assert now() == died_at
        assert _lease(kube)["spec"]["leaseTransitions"] == 0
        await again.die()

    in_virtual_time(story())


def test_an_api_server_that_is_away_for_less_than_the_deadline_costs_nothing() -> None:
    async def story() -> None:
        kube = FakeKubeClient(FakeClock())
        first = Replica(kube, "first")
        await first.lead()
        for _ in range(10):
            await asyncio.sleep(30)
            first.connection.cut = True
            await asyncio.sleep(5)
            first.connection.cut = False

        assert first.leadership.leads()
        await first.die()

    in_virtual_time(story())


def test_an_api_server_that_is_away_for_longer_ends_the_leader_before_its_lease_is_over() -> None:
    async def story() -> None:
        kube = FakeKubeClient(FakeClock())
        first = Replica(kube, "first")
        await first.lead()
        await asyncio.sleep(4)
        first.connection.cut = True
        cut_at = now()
        assert first.renewing is not None
        with pytest.raises(LeadershipLostError, match="last renewed"):
            await first.renewing

        assert now() - cut_at <= LEASE * 2 / 3

    in_virtual_time(story())


def test_a_leader_that_wakes_after_a_long_sleep_ends_before_it_renews() -> None:
    async def story() -> None:
        kube = FakeKubeClient(FakeClock())
        first = Replica(kube, "first")
        asleep = 0.0
        first.leadership.now = lambda: now() + asleep
        await first.lead()
        await asyncio.sleep(10)
        version = _lease(kube)["metadata"]["resourceVersion"]
        asleep = 60.0
        assert first.renewing is not None

        with pytest.raises(LeadershipLostError):
            await first.renewing

        assert _lease(kube)["metadata"]["resourceVersion"] == version

    in_virtual_time(story())


def test_a_slow_renewal_counts_from_when_it_was_sent() -> None:
    async def story() -> None:
        first = Replica(FakeKubeClient(FakeClock()), "first")
        first.connection.seconds = 1.5
        await first.elector.acquire(first.stop)

        assert first.leadership.seconds_left() == LEASE * 2 / 3 - 1.5

    in_virtual_time(story())


def test_a_leader_whose_lease_somebody_else_took_ends() -> None:
    async def story() -> None:
        kube = FakeKubeClient(FakeClock())
        first = Replica(kube, "first")
        await first.lead()
        theirs = await kube.read_lease("home", LEASE_NAME)
        theirs["spec"]["holderIdentity"] = "somebody"
        await kube.write_lease(theirs)
        assert first.renewing is not None

        with pytest.raises(LeadershipLostError, match="held by somebody"):
            await first.renewing

        assert not first.leadership.leads()

    in_virtual_time(story())


def test_a_leader_whose_lease_somebody_annotates_goes_on() -> None:
    async def story() -> None:
        kube = FakeKubeClient(FakeClock())
        first = Replica(kube, "first")
        await first.lead()
        await asyncio.sleep(1)
        annotated = await kube.read_lease("home", LEASE_NAME)
        annotated["metadata"]["annotations"] = {"example.com/theirs": "x"}
        await kube.write_lease(annotated)
        await asyncio.sleep(60)

        assert first.leadership.leads()
        assert _lease(kube)["metadata"]["annotations"] == {"example.com/theirs": "x"}
        await first.die()

    in_virtual_time(story())


@pytest.mark.parametrize("moment", [0.1 * tenth for tenth in range(0, 60, 7)])
def test_a_leader_whose_lease_somebody_deletes_makes_it_anew_and_nobody_leads_beside_it(
    moment: float,
) -> None:
    async def story() -> None:
        kube = FakeKubeClient(FakeClock())
        first = Replica(kube, "first", left={"avatars.dev/told-avatarmodels": "7"})
        second = Replica(kube, "second")
        await first.lead()
        standing_by = asyncio.create_task(second.lead())
        await asyncio.sleep(20 + moment)
        kube.leases.clear()
        for _ in range(600):
            assert not second.leadership.leads()
            await asyncio.sleep(0.1)

        assert first.leadership.leads()
        assert _lease(kube)["spec"]["holderIdentity"] == "first"
        assert _lease(kube)["metadata"]["annotations"] == first.left
        standing_by.cancel()
        await first.die()

    in_virtual_time(story())


def test_a_lease_that_is_deleted_with_its_leader_is_made_anew_once_it_would_have_been_over() -> None:
    async def story() -> None:
        kube = FakeKubeClient(FakeClock())
        first, second = Replica(kube, "first", {"told": "7"}), Replica(kube, "second")
        await first.lead()
        standing_by = asyncio.create_task(second.lead())
        await asyncio.sleep(20)
        await first.die()
        kube.leases.clear()
        died_at = now()

        assert await standing_by == {"told": "7"}, "what the leader left is known to whoever stood by"
        assert LEASE <= now() - died_at < LEASE + 2
        assert _lease(kube)["metadata"]["annotations"] == {"told": "7"}
        await second.die()

    in_virtual_time(story())


def test_a_released_lease_that_somebody_deletes_is_taken_at_once() -> None:
    async def story() -> None:
        kube = FakeKubeClient(FakeClock())
        first, second = Replica(kube, "first"), Replica(kube, "second")
        await first.lead()
        await first.hand_over()
        released_at = now()
        standing_by = asyncio.create_task(second.lead())
        kube.leases.clear()
        await standing_by

        assert now() - released_at <= 1.0
        await second.die()

    in_virtual_time(story())


def test_a_leader_whose_lease_somebody_deletes_ends_if_one_that_had_never_seen_it_was_faster() -> None:
    async def story() -> None:
        kube = FakeKubeClient(FakeClock())
        first, second = Replica(kube, "first"), Replica(kube, "second")
        await first.lead()
        await asyncio.sleep(2)
        kube.leases.clear()
        await second.lead()
        assert first.renewing is not None

        with pytest.raises(LeadershipLostError, match="held by second"):
            await first.renewing

        await second.die()

    in_virtual_time(story())


def test_a_leader_whose_answer_is_lost_goes_on() -> None:
    async def story() -> None:
        kube = FakeKubeClient(FakeClock())
        first = Replica(kube, "first")
        await first.lead()
        kube.lose_next_answer("write_lease")
        await asyncio.sleep(60)

        assert first.leadership.leads()
        await first.die()

    in_virtual_time(story())


@pytest.mark.parametrize(
    ("verb", "status"), [("read_lease", 403), ("write_lease", 403), ("write_lease", 404)]
)
def test_a_lease_that_may_not_be_used_at_all_says_what_to_mend(verb: str, status: int) -> None:
    async def story() -> None:
        kube = FakeKubeClient(FakeClock())
        kube.fail_next(verb, status=status)

        with pytest.raises(
            StartUpError, match=r"home/avatar-operator cannot be used: .*AVATAR_OPERATOR_NAMESPACE"
        ):
            await Replica(kube, "first").lead()

    in_virtual_time(story())


def test_an_api_server_that_does_not_answer_is_asked_again_by_a_replica_that_stands_by() -> None:
    async def story() -> None:
        kube = FakeKubeClient(FakeClock())
        first = Replica(kube, "first")
        first.connection.silent = True
        standing_by = asyncio.create_task(first.lead())
        await asyncio.sleep(30)
        first.connection.silent = False
        await standing_by

        assert now() < 40
        await first.die()

    in_virtual_time(story())


def test_what_the_next_leader_must_know_stands_in_the_lease_as_soon_as_it_is_handed_on() -> None:
    async def story() -> None:
        kube = FakeKubeClient(FakeClock())
        first = Replica(kube, "first")
        await first.lead()
        first.left = {"told": "7"}
        first.connection.cut = True
        handing_on = asyncio.create_task(first.elector.hand_on())
        await asyncio.sleep(2)
        assert not handing_on.done()
        first.connection.cut = False
        await handing_on

        assert now() < 5
        assert _lease(kube)["metadata"]["annotations"] == {"told": "7"}
        await first.die()

    in_virtual_time(story())


def test_a_replica_that_can_hand_nothing_on_begins_nothing() -> None:
    async def story() -> None:
        first = Replica(FakeKubeClient(FakeClock()), "first")
        await first.elector.acquire(first.stop)
        first.connection.cut = True

        with pytest.raises(LeadershipLostError):
            await first.elector.hand_on()

    in_virtual_time(story())
