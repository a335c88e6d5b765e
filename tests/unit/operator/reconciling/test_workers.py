"""Workers: whatever a reconcile raises ends in a back-off for that one key."""

import asyncio
import itertools
from collections.abc import Callable, Coroutine
from typing import Any, cast

import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from avatar_api.group import AVATAR_MODEL
from avatar_operator.core.decision import Retry
from avatar_operator.core.workqueue import WorkQueue
from avatar_operator.kube.cache import ObjectKey
from avatar_operator.kube.client import KubeError
from avatar_operator.kube.leadership import LeadershipLostError
from avatar_operator.reconciling.reconciler import Reconciled, Reconciler
from avatar_operator.reconciling.workers import ReconcileWorkers
from avatar_operator.telemetry.metrics import OperatorMetrics
from builders.virtual_time import VirtualTimeLoop

ANN = ObjectKey("AvatarModel", "team-a", "ann")
BOB = ObjectKey("AvatarModel", "team-a", "bob")
DELAYED = Retry("Throttled", "slow down")
Behaviour = Callable[[ObjectKey], Coroutine[Any, Any, Reconciled]]


class ToldReconciler:
    """Reconciles as the test says, and writes down when."""

    kind = AVATAR_MODEL

    def __init__(self, behaviour: Behaviour) -> None:
        self._behaviour = behaviour
        self.passes: list[tuple[str, float]] = []

    async def reconcile(self, key: ObjectKey) -> Reconciled:
        self.passes.append((key.name, asyncio.get_running_loop().time()))
        return await self._behaviour(key)


def _run(
    behaviour: Behaviour,
    *keys: ObjectKey,
    seconds: float,
    count: int = 1,
    registry: CollectorRegistry | None = None,
) -> ToldReconciler:
    """Let workers work on keys for some virtual seconds."""
    reconciler = ToldReconciler(behaviour)
    metrics = OperatorMetrics(registry or CollectorRegistry())

    async def story() -> None:
        queue: WorkQueue[ObjectKey] = WorkQueue(base_delay=0.5, max_delay=60.0)
        told = cast(Reconciler[Any, Any, Any], reconciler)
        workers = ReconcileWorkers(told, queue, metrics, count=count)
        for key in keys:
            queue.add(key)
        task = asyncio.create_task(workers.run())
        await asyncio.sleep(seconds)
        assert not task.done(), "a worker ended"
        task.cancel()
        await asyncio.wait([task])

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(story())
    return reconciler


def _times(reconciler: ToldReconciler, name: str = "ann") -> list[float]:
    return [round(time, 3) for key, time in reconciler.passes if key == name]


@pytest.mark.parametrize(
    "error",
    [KubeError("no answer", status=0), RuntimeError("a defect")],
    ids=["no API server", "a defect"],
)
def test_a_failing_key_is_tried_again_with_growing_waits(error: Exception) -> None:
    async def fail(_key: ObjectKey) -> Reconciled:
        raise error

    assert _times(_run(fail, ANN, seconds=4.0)) == [0.0, 0.5, 1.5, 3.5]


def test_a_failing_key_does_not_keep_others_waiting() -> None:
    async def fail_for_ann(key: ObjectKey) -> Reconciled:
        if key == ANN:
            raise RuntimeError("a defect")
        return Reconciled("unchanged")

    assert _times(_run(fail_for_ann, ANN, BOB, seconds=0.1), "bob") == [0.0]


def test_a_pass_that_asks_for_patience_gets_it() -> None:
    async def throttled(_key: ObjectKey) -> Reconciled:
        return Reconciled("unchanged", retrying=Retry("Throttled", "slow down", at_least=20.0))

    assert _times(_run(throttled, ANN, seconds=50.0)) == [0.0, 20.0, 40.0]


def test_a_pass_that_recorded_a_failure_is_tried_again_with_growing_waits() -> None:
    async def delayed(_key: ObjectKey) -> Reconciled:
        return Reconciled("unchanged", retrying=DELAYED)

    assert _times(_run(delayed, ANN, seconds=2.0)) == [0.0, 0.5, 1.5]


def test_a_success_makes_the_next_failure_the_first() -> None:
    outcomes = iter([False, False, True, False, False])

    async def some(_key: ObjectKey) -> Reconciled:
        if next(outcomes):
            return Reconciled("unchanged", requeue_after=10.0)
        raise RuntimeError("a defect")

    assert _times(_run(some, ANN, seconds=12.4))[:4] == [0.0, 0.5, 1.5, 11.5]


def test_a_pass_is_repeated_when_it_said() -> None:
    async def again(_key: ObjectKey) -> Reconciled:
        return Reconciled("unchanged", requeue_after=30.0)

    assert _times(_run(again, ANN, seconds=70.0)) == [0.0, 30.0, 60.0]


def test_a_pass_that_changed_something_is_followed_by_another_until_one_changes_nothing() -> None:
    results = iter(["changed", "changed", "unchanged"])

    async def step(_key: ObjectKey) -> Reconciled:
        return Reconciled(cast(Any, next(results)))

    assert _times(_run(step, ANN, seconds=5.0)) == [0.0, 0.0, 0.0]


def test_a_pass_that_changed_something_and_recorded_a_failure_backs_off() -> None:
    async def delayed(_key: ObjectKey) -> Reconciled:
        return Reconciled("changed", retrying=DELAYED)

    assert _times(_run(delayed, ANN, seconds=2.0)) == [0.0, 0.5, 1.5]


def test_a_pass_that_wants_to_go_on_at_once_does() -> None:
    steps = iter([0.0, 0.0, None])

    async def step(_key: ObjectKey) -> Reconciled:
        return Reconciled("unchanged", requeue_after=next(steps))

    assert _times(_run(step, ANN, seconds=5.0)) == [0.0, 0.0, 0.0]


def test_as_many_keys_are_worked_on_as_there_are_workers() -> None:
    async def slow(_key: ObjectKey) -> Reconciled:
        await asyncio.sleep(10.0)
        return Reconciled("unchanged")

    keys = [ObjectKey("AvatarModel", "team-a", str(number)) for number in range(4)]

    reconciler = _run(slow, *keys, seconds=15.0, count=2)

    assert [time for _, time in reconciler.passes] == [0.0, 0.0, 10.0, 10.0]


def test_a_retry_is_counted_by_its_reason() -> None:
    registry = CollectorRegistry()

    async def delayed(_key: ObjectKey) -> Reconciled:
        return Reconciled("unchanged", retrying=DELAYED)

    _run(delayed, ANN, seconds=2.0, registry=registry)

    labels = {"kind": "AvatarModel", "reason": "Throttled"}
    assert registry.get_sample_value("avatar_reconcile_retries_total", labels) == 3


def test_a_retry_names_its_reason_in_the_log() -> None:
    async def delayed(_key: ObjectKey) -> Reconciled:
        return Reconciled("unchanged", retrying=DELAYED)

    with capture_logs() as lines:
        _run(delayed, ANN, seconds=0.1)

    (line,) = lines
    assert (line["log_level"], line["event"], line["name"]) == ("debug", "tried again", ANN.name)
    assert (line["reason"], line["why"]) == (DELAYED.reason, DELAYED.message)


def test_a_pass_of_a_process_that_must_not_act_is_broken_off() -> None:
    registry = CollectorRegistry()

    async def fenced(_key: ObjectKey) -> Reconciled:
        raise LeadershipLostError("another replica leads")

    _run(fenced, ANN, seconds=0.1, registry=registry)

    labels = {"kind": "AvatarModel", "result": "fenced"}
    assert registry.get_sample_value("avatar_reconcile_total", labels) == 1


def test_a_pass_is_timed_under_the_phase_that_decided_and_a_broken_one_under_none() -> None:
    registry = CollectorRegistry()

    async def drawing_or_broken(key: ObjectKey) -> Reconciled:
        if key == BOB:
            raise KubeError("no answer", status=0)
        return Reconciled("unchanged", decided_by="drawing")

    _run(drawing_or_broken, ANN, BOB, seconds=0.1, registry=registry)

    for phase in ("drawing", "none"):
        labels = {"kind": "AvatarModel", "phase": phase}
        assert registry.get_sample_value("avatar_reconcile_duration_seconds_count", labels) == 1


def test_workers_that_drain_end_what_they_do_and_begin_nothing() -> None:
    async def story() -> None:
        async def slow(_key: ObjectKey) -> Reconciled:
            await asyncio.sleep(10.0)
            return Reconciled("changed")

        reconciler = ToldReconciler(slow)
        queue: WorkQueue[ObjectKey] = WorkQueue()
        told = cast(Reconciler[Any, Any, Any], reconciler)
        workers = ReconcileWorkers(told, queue, OperatorMetrics(CollectorRegistry()), count=1)
        running = asyncio.create_task(workers.run())
        # A pass that has ended before must not be taken for the end of the one that is under way.
        queue.add(BOB)
        await asyncio.sleep(25.0)
        queue.add(ANN)
        began = asyncio.get_running_loop().time()
        await workers.drain()
        ended = asyncio.get_running_loop().time()
        queue.add(ANN)
        await asyncio.sleep(100.0)

        assert 0 < ended - began <= 10.0
        assert [time for _, time in reconciler.passes if time >= ended] == []
        running.cancel()
        await asyncio.wait([running])

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(story())


def test_idle_workers_have_drained_already() -> None:
    async def story() -> None:
        told = cast(Reconciler[Any, Any, Any], ToldReconciler(lambda key: asyncio.sleep(0)))  # type: ignore[arg-type,return-value]
        workers = ReconcileWorkers(told, WorkQueue(), OperatorMetrics(CollectorRegistry()), count=2)
        running = asyncio.create_task(workers.run())
        await asyncio.sleep(1.0)

        await workers.drain()

        assert asyncio.get_running_loop().time() == 1.0
        running.cancel()
        await asyncio.wait([running])

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(story())


def test_passes_that_wait_for_nothing_leave_the_loop_to_others_in_between() -> None:
    turns: list[int] = []

    async def unchanged(_key: ObjectKey) -> Reconciled:
        return Reconciled("unchanged")

    async def story() -> None:
        queue: WorkQueue[ObjectKey] = WorkQueue()
        reconciler = ToldReconciler(unchanged)
        told = cast(Reconciler[Any, Any, Any], reconciler)
        workers = ReconcileWorkers(told, queue, OperatorMetrics(CollectorRegistry()), count=2)
        for number in range(100):
            queue.add(ObjectKey("AvatarModel", "team-a", f"m{number}"))
        task = asyncio.create_task(workers.run())
        while len(reconciler.passes) < 100:
            turns.append(len(reconciler.passes))
            await asyncio.sleep(0)
        turns.append(len(reconciler.passes))
        task.cancel()
        await asyncio.wait([task])

    asyncio.run(story())
    held = max(later - earlier for earlier, later in itertools.pairwise(turns))
    assert held <= 2, f"{held} passes came without a turn for anybody else"
