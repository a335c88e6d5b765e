"""Token buckets: bursts pass, the rest waits its turn."""

from __future__ import annotations

import asyncio

import pytest

from avatar_operator.aws.throttling import Rate, Throttles, TokenBucket


class FakeTime:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self.naps: list[float] = []

    def monotonic(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)


@pytest.fixture
def time() -> FakeTime:
    return FakeTime()


@pytest.fixture
def bucket(time: FakeTime) -> TokenBucket:
    return TokenBucket(Rate(per_second=2, burst=3), monotonic=time.monotonic, sleep=time.sleep)


async def test_a_burst_passes_without_waiting(bucket: TokenBucket, time: FakeTime) -> None:
    for _ in range(3):
        await bucket.take()
    assert time.naps == []


async def test_what_is_beyond_the_burst_waits_for_its_own_token(bucket: TokenBucket, time: FakeTime) -> None:
    for _ in range(6):
        await bucket.take()
    assert time.naps == pytest.approx([0.5, 1.0, 1.5])


async def test_tokens_come_back_up_to_the_burst(bucket: TokenBucket, time: FakeTime) -> None:
    for _ in range(3):
        await bucket.take()
    time.now = 100.0
    assert bucket.available() == 3


async def test_who_gives_up_waiting_gives_the_token_back() -> None:
    bucket = TokenBucket(Rate(per_second=0.001, burst=1), monotonic=lambda: 0.0)
    await bucket.take()
    waiter = asyncio.create_task(bucket.take())
    await asyncio.sleep(0)
    assert bucket.available() == -1
    waiter.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiter
    assert bucket.available() == 0


async def test_operations_without_a_rate_are_not_held_back_and_regions_do_not_share() -> None:
    throttles = Throttles({"ListModels": Rate(per_second=0.001, burst=1)})
    for _ in range(100):
        await throttles.take("us-east-1", "PutObject")
    await throttles.take("us-east-1", "ListModels")
    await throttles.take("eu-central-1", "ListModels")
    assert throttles.available() == {"ListModels": pytest.approx(0, abs=0.01)}
