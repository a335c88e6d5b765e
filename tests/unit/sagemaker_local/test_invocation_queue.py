"""What the queue does with invocations whose container refused them or died, and what it tells of its backlog."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest

from sagemaker_local.async_inference import queue
from sagemaker_local.async_inference.invocation import Failure, Invocation, Outcome
from sagemaker_local.async_inference.queue import InvocationQueue
from sagemaker_local.async_inference.redelivery import Redelivery
from sagemaker_local.async_inference.variant_metrics import VariantMetrics
from sagemaker_local.aws_clients import Scope
from sagemaker_local.clock import Clock, Scheduler
from sagemaker_local.control_plane.endpoint import Endpoint
from sagemaker_local.control_plane.specs import AsyncSpec, EndpointSpec
from sagemaker_local.errors import AwsError
from sagemaker_local.instances.container_http import ContainerAnswer, ContainerRefused, ContainerUnreachable
from sagemaker_local.instances.container_spec import Placement
from sagemaker_local.metric_publishing import Metric, MetricPublisher
from sagemaker_local.s3_objects import S3Location, S3Objects

DEADLINE = 60.0
SCOPE = Scope("123456789012", "us-east-1", "test")
SPEC = AsyncSpec({}, "s3://b/out", None, None, None, frozenset(), concurrency=4)


class FakeInstance:
    """A container that answers, refuses connections, or dies of every request; stands where a process would be."""

    placement = Placement(SCOPE, "e", "v")

    def __init__(self, fate: str = "refuses") -> None:
        self.fate = fate
        self.on_release: Callable[[], None] = lambda: None
        self.received: list[str] = []
        self.before_refusing: Callable[[], object] = lambda: None

    def call(self, method: str, path: str, *, headers: dict[str, str], **_: Any) -> ContainerAnswer:
        if self.fate == "refuses":
            self.before_refusing()
            raise ContainerRefused("refused")
        if self.fate == "dies":
            raise ContainerUnreachable("reset")
        self.received.append(headers["X-Amzn-SageMaker-Inference-Id"])
        return ContainerAnswer(200, {"content-length": "0"}, b"")

    def release(self) -> None:
        self.on_release()


class FakeEndpoint:
    """Hands out what it has been given, once."""

    scope, name, invocable = SCOPE, "e", True

    def serving_variants(self) -> list[Any]:
        return []

    def __init__(self) -> None:
        self.spec = EndpointSpec("config", (), SPEC)
        self.places: deque[FakeInstance] = deque()

    def acquire_instance(self, most: int) -> FakeInstance | None:
        return self.places.popleft() if self.places else None


class FakePublisher:
    """Keeps what CloudWatch would be told."""

    def __init__(self) -> None:
        self.values: dict[str, list[float]] = {}

    def record(self, scope: Scope, metric: Metric, value: float) -> None:
        self.values.setdefault(metric.name, []).append(value)


class Bench:
    """A queue over fakes, and what has come out of it."""

    def __init__(self) -> None:
        self.endpoint = FakeEndpoint()
        self.outcomes: dict[str, Outcome] = {}
        self.finished = threading.Semaphore(0)
        self.scheduler = Scheduler()
        self.clock = Clock()
        self.redelivery = Redelivery()
        self.told = FakePublisher()
        self.queue = InvocationQueue(
            cast(Endpoint, self.endpoint),
            cast(S3Objects, None),
            self.clock,
            self.scheduler,
            cast(MetricPublisher, self.told),
            self.redelivery,
            lambda variant: VariantMetrics(cast(MetricPublisher, self.told), SCOPE, "e", variant or "first"),
            self._finish,
        )

    def _finish(self, invocation: Invocation, outcome: Outcome, metrics: VariantMetrics) -> None:
        self.outcomes[invocation.inference_id] = outcome
        self.finished.release()

    def put(self, *names: str, **parameters: Any) -> None:
        for name in names:
            self.queue.put(
                Invocation(
                    scope=SCOPE,
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

    def lose(self) -> None:
        """Let the next invocation be dispatched to a container that dies of it."""
        instance = FakeInstance("dies")
        released = threading.Event()
        instance.on_release = released.set
        self.endpoint.places.append(instance)
        self.queue.dispatch()
        assert released.wait(DEADLINE)

    def serve(self, count: int) -> list[str]:
        """Run `count` invocations one after the other; returns their ids in that order."""
        instance = FakeInstance("answers")
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


def test_an_invocation_that_was_never_delivered_is_no_error_of_the_model(bench: Bench) -> None:
    bench.put("a")
    bench.refuse(1)
    assert not {"ModelLatency", "Invocation5XXErrors"} & set(bench.told.values)


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


def test_an_invocation_whose_container_died_fails(bench: Bench) -> None:
    bench.put("a")
    bench.lose()
    assert bench.finished.acquire(timeout=DEADLINE)
    outcome = bench.outcomes["a"]
    assert isinstance(outcome, Failure)
    assert outcome.reason.startswith("Amazon SageMaker could not get a response from the e endpoint.")


def test_a_redelivered_invocation_goes_first(bench: Bench) -> None:
    bench.redelivery.most = 1
    bench.put("a", "b")
    bench.lose()
    assert bench.serve(2) == ["a", "b"]


def test_an_invocation_is_redelivered_only_so_often(bench: Bench) -> None:
    bench.redelivery.most = 2
    bench.put("a")
    for _ in range(3):
        assert bench.outcomes == {}
        bench.lose()
    assert bench.finished.acquire(timeout=DEADLINE)
    assert isinstance(bench.outcomes["a"], Failure)


def test_an_invocation_whose_endpoint_is_being_deleted_is_not_redelivered(bench: Bench) -> None:
    bench.redelivery.most = 1
    bench.put("a")
    bench.endpoint.invocable = False
    bench.lose()
    assert bench.finished.acquire(timeout=DEADLINE)
    assert isinstance(bench.outcomes["a"], Failure)


def test_what_waits_fails_when_the_endpoint_becomes_a_real_time_one(bench: Bench) -> None:
    bench.put("a", "b")
    bench.endpoint.spec = EndpointSpec("real-time", (), None)
    bench.queue.dispatch()
    for _ in range(2):
        assert bench.finished.acquire(timeout=DEADLINE)
    assert all(isinstance(outcome, Failure) for outcome in bench.outcomes.values())
    assert (sorted(bench.outcomes), len(bench.queue)) == (["a", "b"], 0)


def test_a_full_queue_is_unavailable(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "MAX_QUEUED", 1)
    bench.put("a")
    with pytest.raises(AwsError) as refusal:
        bench.put("b")
    assert (refusal.value.code, refusal.value.status) == ("ServiceUnavailable", 503)


def test_the_backlog_counts_what_waits_and_what_runs(bench: Bench) -> None:
    instance = FakeInstance()
    running, gate = threading.Event(), threading.Event()

    def hold() -> None:
        running.set()
        gate.wait(DEADLINE)

    instance.before_refusing = hold
    bench.endpoint.places.append(instance)
    bench.put("a", "b", "c")
    assert running.wait(DEADLINE)
    backlog = bench.queue.backlog()
    gate.set()
    assert (backlog.waiting, backlog.in_process, backlog.size) == (2, 1, 3)
    assert backlog.oldest_age > 0
    assert backlog.without_capacity


def test_an_idle_queue_is_sampled_when_it_gets_work(bench: Bench) -> None:
    bench.put("a")
    assert bench.told.values["ApproximateBacklogSize"] == [1]
    assert bench.told.values["HasBacklogWithoutCapacity"] == [1]
    bench.put("b")
    assert bench.told.values["ApproximateBacklogSize"] == [1]


def test_the_last_sample_says_that_nothing_is_left(bench: Bench) -> None:
    bench.clock.speed = 600
    bench.put("a")
    bench.serve(1)
    deadline = time.monotonic() + DEADLINE
    while bench.told.values["ApproximateBacklogSize"][-1] != 0:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert bench.told.values["InvocationsProcessed"] == [1]
    assert bench.told.values["InvocationFailures"] == [0]
    assert bench.told.values["TotalProcessingTime"] >= bench.told.values["TimeInBacklog"]
