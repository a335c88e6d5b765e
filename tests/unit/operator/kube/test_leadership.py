"""The guard: whoever has not renewed for two thirds of the lease must not act, whatever it was doing."""

import pytest

from avatar_api.group import AVATAR_MODEL
from avatar_operator.kube.client import Object
from avatar_operator.kube.guarded_client import GuardedClient
from avatar_operator.kube.leadership import Leadership, LeadershipLostError
from builders.clock import FakeClock
from builders.kube import FakeKubeClient
from builders.manifests import model_manifest


class Seconds:
    """A clock of the test's own."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds() -> Seconds:
    """A clock that stands still."""
    return Seconds()


@pytest.fixture
def leadership(seconds: Seconds) -> Leadership:
    """Of a lease of 15 seconds, which nobody has taken yet."""
    return Leadership(15, now=seconds)


def test_who_has_never_led_must_not_act(leadership: Leadership) -> None:
    assert not leadership.leads()
    with pytest.raises(LeadershipLostError, match="does not lead"):
        leadership.check()


def test_who_has_just_renewed_may_act(leadership: Leadership, seconds: Seconds) -> None:
    leadership.note_renewed(100.0)
    seconds.now = 109.9

    leadership.check()

    assert leadership.leads()


def test_who_has_not_renewed_for_two_thirds_of_the_lease_must_not_act(
    leadership: Leadership, seconds: Seconds
) -> None:
    leadership.note_renewed(100.0)
    seconds.now = 110.0

    assert not leadership.leads()
    with pytest.raises(LeadershipLostError, match="last renewed 10 s ago"):
        leadership.check()


def test_a_renewal_counts_from_when_it_was_sent(leadership: Leadership, seconds: Seconds) -> None:
    seconds.now = 104.0
    leadership.note_renewed(sent_at=100.0)

    assert leadership.seconds_left() == 6.0


def test_who_let_go_must_not_act(leadership: Leadership) -> None:
    leadership.note_renewed(100.0)
    leadership.let_go()

    with pytest.raises(LeadershipLostError):
        leadership.check()


async def _status(client: GuardedClient, body: Object) -> None:
    await client.apply_status(AVATAR_MODEL, body, {"state": "Pending"})


async def _finalizers(client: GuardedClient, body: Object) -> None:
    await client.set_finalizers(AVATAR_MODEL, body, ["ours"])


async def _deletion(client: GuardedClient, body: Object) -> None:
    await client.delete(AVATAR_MODEL, body)


async def _event(client: GuardedClient, body: Object) -> None:
    await client.create_event("team-a", {"metadata": {"name": "e"}, "reason": "News"})


WRITES = [_status, _finalizers, _deletion, _event]


@pytest.mark.parametrize("write", WRITES)
async def test_nothing_is_written_by_a_process_that_slept_longer_than_it_may(
    leadership: Leadership, seconds: Seconds, write: object
) -> None:
    kube = FakeKubeClient(FakeClock())
    body = kube.create(AVATAR_MODEL, model_manifest())
    client = GuardedClient(kube, leadership.check)
    leadership.note_renewed(100.0)
    seconds.now = 120.0

    with pytest.raises(LeadershipLostError):
        await write(client, body)  # type: ignore[operator]

    assert kube.read(AVATAR_MODEL, "ann") == body
    assert kube.events == {}


@pytest.mark.parametrize("write", WRITES)
async def test_the_leader_writes(leadership: Leadership, write: object) -> None:
    kube = FakeKubeClient(FakeClock())
    body = kube.create(AVATAR_MODEL, model_manifest())
    leadership.note_renewed(100.0)

    await write(GuardedClient(kube, leadership.check), body)  # type: ignore[operator]

    assert kube.events or not kube.exists(AVATAR_MODEL, "ann") or kube.read(AVATAR_MODEL, "ann") != body
