"""The order and the time to live of queued invocations whose container could not be reached."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest

from sagemaker_local.async_inference.invocation import Failure, Invocation, Outcome
from sagemaker_local.async_inference.queue import InvocationQueue
from sagemaker_local.aws_clients import Scope
from sagemaker_local.clock import Clock, Scheduler
from sagemaker_local.control_plane.endpoint import Endpoint
from sagemaker_local.control_plane.specs import AsyncSpec, EndpointSpec
from sagemaker_local.instances.container_http import ContainerAnswer, ContainerRefused
from sagemaker_local.s3_objects import S3Location, S3Objects

DEADLINE = 60.0
SPEC = AsyncSpec({}, "s3://b/out", None, None, None, frozenset(), concurrency=4)


class FakeInstance:
    """A container whose connections are refused until it is `reachable`; stands where a process would be."""

    def __init__(self) -> None:
        self.reachable = False
        self.on_release: Callable[[], None] = lambda: None
        self.received: list[str] = []
        self.before_refusing: Callable[[], object] = lambda: None

    def call(self, method: str, path: str, *, headers: dict[str, str], **_: Any) -> ContainerAnswer:
        if not self.reachable:
            self.before_refusing()
            raise ContainerRefused("refused")
        self.received.append(headers["X-Amzn-SageMaker-Inference-Id"])
        return ContainerAnswer(200, {"content-length": "0"}, b"")

    def release(self) -> None:
        self.on_release()


class FakeEndpoint:
    """Hands out what it has been given, once."""

    def __init__(self) -> None:
        self.spec = EndpointSpec("config", (), SPEC)
        self.places: deque[FakeInstance] = deque()

    def acquire_instance(self, most: int) -> FakeInstance | None:
        return self.places.popleft() if self.places else None


class Bench:
    """A queue over fakes, and what has come out of it."""

    def __init__(self) -> None:
        self.endpoint = FakeEndpoint()
        self.outcomes: dict[str, Outcome] = {}
        self.finished = threading.Semaphore(0)
        self.scheduler = Scheduler()
        self.clock = Clock()
        self.queue = InvocationQueue(
            cast(Endpoint, self.endpoint), cast(S3Objects, None), self.clock, self.scheduler, self._finish
        )

    def _finish(self, invocation: Invocation, outcome: Outcome) -> None:
        self.outcomes[invocation.inference_id] = outcome
        self.finished.release()

    def put(self, *names: str, **parameters: Any) -> None:
        for name in names:
            self.queue.put(
                Invocation(
                    scope=Scope("123456789012", "us-east-1", "test"),
                    endpoint="e",
                    inference_id=name,
                    parameters=parameters,
                    spec=SPEC,
                    output=S3Location("b", name),
                    failure=None,
                    received=Clock.now(),
                    inline=b"x",
                )
            )

    def refuse(self, count: int) -> None:
        """Let the next `count` invocations be dispatched together to a container that cannot be reached, and come back."""
        instance = FakeInstance()
        together = threading.Barrier(count)
        instance.before_refusing = lambda: together.wait(DEADLINE)
        returned = threading.Semaphore(0)
        instance.on_release = returned.release
        self.endpoint.places.extend([instance] * count)
        self.queue.dispatch()
        for _ in range(count):
            assert returned.acquire(timeout=DEADLINE)

    def serve(self, count: int) -> list[str]:
        """Run `count` invocations one after the other; returns their ids in that order."""
        instance = FakeInstance()
        instance.reachable = True
        for _ in range(count):
            self.endpoint.places.append(instance)
            self.queue.dispatch()
            assert self.finished.acquire(timeout=DEADLINE)
        return instance.received


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.queue.close()
    bench.scheduler.close()


def test_an_invocation_that_was_never_delivered_waits_again(bench: Bench) -> None:
    bench.put("a")
    bench.refuse(1)
    assert (len(bench.queue), bench.outcomes) == (1, {})
    assert bench.serve(1) == ["a"]


def test_undelivered_invocations_keep_their_places(bench: Bench) -> None:
    bench.put("a", "b", "c", "d", "e")
    bench.refuse(3)
    assert bench.serve(5) == ["a", "b", "c", "d", "e"]


def test_an_undelivered_invocation_still_expires(bench: Bench) -> None:
    bench.clock.speed = 600
    instance = FakeInstance()
    expired = time.monotonic() + bench.clock.real(60)
    instance.before_refusing = lambda: time.sleep(max(expired - time.monotonic(), 0) + 0.05)
    bench.endpoint.places.append(instance)
    bench.put("a", RequestTTLSeconds=60)
    assert bench.finished.acquire(timeout=DEADLINE)
    outcome = bench.outcomes["a"]
    assert isinstance(outcome, Failure)
    assert "expired after 60 seconds" in outcome.reason


def test_coming_back_does_not_prolong_the_time_to_live(bench: Bench) -> None:
    bench.put("a", RequestTTLSeconds=600)
    latest = time.monotonic() + 600
    bench.refuse(1)
    (queued,) = bench.queue._waiting.values()
    assert queued.deadline <= latest


def test_what_comes_back_to_a_closed_queue_is_forgotten(bench: Bench) -> None:
    bench.put("a")
    instance = FakeInstance()
    gate = threading.Event()
    instance.before_refusing = lambda: gate.wait(DEADLINE)
    returned = threading.Event()
    instance.on_release = returned.set
    bench.endpoint.places.append(instance)
    bench.queue.dispatch()
    bench.queue.close()
    gate.set()
    assert returned.wait(DEADLINE)
    assert len(bench.queue) == 0
