"""Passes that are broken off: by an API server that refuses or is away, by words of another version, by a defect.

Each has a reason like any other retry: in the metric at once, and on the object once it has lasted for a minute.
"""

import asyncio
import copy
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from avatar_api.group import AVATAR_MODEL, AVATAR_REQUEST, AVATAR_RUNTIME, Kind
from avatar_api.meta import Condition
from avatar_operator.core.conditions import find_condition
from avatar_operator.core.workqueue import WorkQueue
from avatar_operator.kube.cache import ObjectKey
from avatar_operator.kube.client import Object
from avatar_operator.kube.leadership import LeadershipLostError
from avatar_operator.reconciling.workers import ReconcileWorkers
from avatar_operator.telemetry.metrics import OperatorMetrics
from builders.kube import FakeKubeClient
from builders.manifests import merged
from builders.virtual_time import VirtualTimeLoop
from builders.world import KEYS, MODEL_KEY, World

SECRET = "AKIAIOSFODNN7EXAMPLE"


class CountingKube(FakeKubeClient):
    """Counts the status writes that were tried, those that failed included."""

    tried = 0

    async def apply_status(self, kind: Kind, observed: Object, status: Mapping[str, Any]) -> Object:
        """See KubeClient."""
        self.tried += 1
        return await super().apply_status(kind, observed, status)


class Shift:
    """Workers that look after the one object of a kind, in virtual time."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.world = World(api_server=CountingKube)
        self.registry = CollectorRegistry()
        self.queue: WorkQueue[ObjectKey] = WorkQueue()

    async def work(self, seconds: int) -> None:
        """Let some time pass."""
        for _ in range(0, seconds, 5):
            await asyncio.sleep(5)
            self.world.clock.advance(5)

    def refuse(self, verb: str, status: int) -> None:
        """Have the API server refuse a verb until it is healed."""
        for _ in range(1000):
            self.world.kube.fail_next(verb, status=status)

    def make_all(self) -> None:
        """A runtime, a model and a request."""
        self.world.add_runtime()
        self.world.add_model()
        self.world.add_request()

    @property
    def writes(self) -> int:
        """Status writes that were tried."""
        assert isinstance(self.world.kube, CountingKube)
        return self.world.kube.tried

    @property
    def status(self) -> dict[str, Any]:
        """As it stands in the API server."""
        key = KEYS[self.kind]
        status: dict[str, Any] = self.world.kube.read(self.kind, key.name).get("status", {})
        return status

    def reconciling(self) -> Condition | None:
        """What the object says of its trouble."""
        conditions = [Condition.model_validate(one) for one in self.status.get("conditions", [])]
        return find_condition(conditions, "Reconciling")

    def retries(self, reason: str) -> float | None:
        """How often a pass was repeated for a reason."""
        labels = {"kind": self.kind.kind, "reason": reason}
        return self.registry.get_sample_value("avatar_reconcile_retries_total", labels)


def _work(kind: Kind, story: Callable[[Shift], Coroutine[Any, Any, None]]) -> None:
    async def around() -> None:
        shift = Shift(kind)
        shift.make_all()
        await shift.world.lead()
        metrics = OperatorMetrics(shift.registry)
        workers = ReconcileWorkers(shift.world.reconciler_of(kind), shift.queue, metrics, count=1)
        shift.queue.add(KEYS[kind])
        working = asyncio.create_task(workers.run())
        try:
            await story(shift)
            assert not working.done(), "a worker ended"
        finally:
            working.cancel()
            await asyncio.wait([working])

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(around())


@pytest.mark.parametrize("kind", [AVATAR_RUNTIME, AVATAR_MODEL, AVATAR_REQUEST], ids=lambda kind: kind.kind)
@pytest.mark.parametrize(
    ("status", "reason"),
    [(403, "ApiServerRefused"), (500, "ApiServerUnavailable"), (0, "ApiServerUnavailable")],
)
def test_an_api_server_that_takes_no_finalizer_is_told_on_the_object_after_a_minute_and_while_it_lasts(
    kind: Kind, status: int, reason: str
) -> None:
    async def story(shift: Shift) -> None:
        shift.refuse("set_finalizers", status)
        await shift.work(55)
        assert shift.reconciling() is None
        assert (shift.retries(reason) or 0) > 3

        await shift.work(3600)
        told = shift.reconciling()
        assert told is not None
        assert (told.status, told.reason) == ("True", reason)
        assert "injected" in told.message
        assert shift.writes == 1

        shift.world.kube.heal()
        await shift.work(120)
        told = shift.reconciling()
        assert told is None or told.reason != reason

    _work(kind, story)


def test_a_namespace_whose_labels_cannot_be_read_is_told_on_its_model() -> None:
    async def story(shift: Shift) -> None:
        selector = {"tenancy": {"namespaceSelector": {"matchLabels": {"avatars": "yes"}}}}
        shift.world.kube.edit(AVATAR_RUNTIME, "standard", selector)
        shift.refuse("read_namespace_labels", 403)
        await shift.work(180)

        told = shift.reconciling()
        assert told is not None
        assert told.reason == "ApiServerRefused"

    _work(AVATAR_MODEL, story)


def test_a_finalizer_that_the_api_server_does_not_let_go_is_told_on_the_object() -> None:
    async def story(shift: Shift) -> None:
        await shift.work(5)
        shift.world.kube.delete_as_user(AVATAR_MODEL, "ann")
        shift.refuse("set_finalizers", 422)
        shift.queue.add(MODEL_KEY)
        await shift.work(180)

        told = shift.reconciling()
        assert told is not None
        assert told.reason == "ApiServerRefused"

        shift.world.kube.heal()
        await shift.work(120)
        assert not shift.world.kube.exists(AVATAR_MODEL, "ann")

    _work(AVATAR_MODEL, story)


def test_a_defect_is_told_by_its_class_and_its_words_stay_in_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise LookupError(f"no such key: {SECRET}")

    async def story(shift: Shift) -> None:
        with monkeypatch.context() as patch, capture_logs() as lines:
            patch.setattr(shift.world.models, "decide", fail)
            await shift.work(600)

        told = shift.reconciling()
        assert told is not None
        assert (told.status, told.reason) == ("True", "Defect")
        assert "LookupError" in told.message
        assert SECRET not in str(shift.status)
        assert shift.writes == 1
        assert {line["event"] for line in lines if line["log_level"] == "error"} == {"reconcile failed"}
        assert all(line["exc_info"] for line in lines if line["log_level"] == "error")
        assert SECRET not in str([line for line in lines if "exc_info" not in line])
        assert (shift.retries("Defect") or 0) > 3

        await shift.work(120)
        told = shift.reconciling()
        assert told is not None
        assert told.reason != "Defect"

    _work(AVATAR_MODEL, story)


def _of_another_version(shift: Shift) -> dict[str, Any]:
    return merged(
        copy.deepcopy(shift.status),
        {"artifact": "in words of another version", "inventedLater": {"by": ["somebody"]}},
    )


def test_an_object_of_another_version_is_told_so_and_keeps_every_other_word() -> None:
    async def story(shift: Shift) -> None:
        await shift.work(5)
        later = _of_another_version(shift)
        shift.world.kube.force_status(AVATAR_MODEL, "ann", later)
        before = shift.writes
        shift.queue.add(MODEL_KEY)
        await shift.work(3600)

        told = shift.reconciling()
        assert told is not None
        assert (told.status, told.reason) == ("True", "NotUnderstood")
        assert "status.artifact" in told.message
        assert shift.writes == before + 1
        of_ours = ("Reconciling", "Stalled")
        for status in (later, shift.status):
            status["conditions"] = [one for one in status["conditions"] if one["type"] not in of_ours]
        assert shift.status == later

    _work(AVATAR_MODEL, story)


@pytest.mark.parametrize(
    "condition",
    [
        {"type": "InventedLater", "status": "True", "reason": "in other words"},
        {"type": "Reconciling", "status": "True", "reason": "in other words"},
        {"inventedLater": True},
    ],
    ids=["another type", "a trouble", "another shape"],
)
def test_conditions_of_another_version_stay_as_they_are(condition: dict[str, Any]) -> None:
    async def story(shift: Shift) -> None:
        await shift.work(5)
        later = _of_another_version(shift)
        others = [one for one in later["conditions"] if one["type"] != condition.get("type")]
        later["conditions"] = [condition, *others]
        shift.world.kube.force_status(AVATAR_MODEL, "ann", later)
        shift.queue.add(MODEL_KEY)
        await shift.work(180)

        conditions = shift.status["conditions"]
        assert [one["reason"] for one in conditions if one.get("type") == "Reconciling"] == ["NotUnderstood"]
        assert (condition in conditions) is (condition.get("type") != "Reconciling")

    _work(AVATAR_MODEL, story)


def test_a_status_that_is_not_taken_cannot_be_told_there_and_is_not_tried_twice_a_pass() -> None:
    async def story(shift: Shift) -> None:
        shift.refuse("apply_status", 503)
        await shift.work(1200)

        retries = shift.retries("ApiServerUnavailable")
        assert retries is not None
        assert retries > 10
        assert shift.writes == retries

    _work(AVATAR_MODEL, story)


def test_a_word_that_is_refused_does_not_end_a_worker() -> None:
    async def story(shift: Shift) -> None:
        shift.refuse("set_finalizers", 403)
        shift.refuse("apply_status", 403)
        await shift.work(600)
        assert shift.writes > 3

        shift.world.kube.heal()
        await shift.work(120)
        assert shift.status["state"] == "Pending"

    _work(AVATAR_MODEL, story)


def test_a_process_that_must_not_act_tells_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fenced(*_: object) -> Object:
        raise LeadershipLostError("another replica leads")

    async def story(shift: Shift) -> None:
        shift.refuse("set_finalizers", 403)
        with monkeypatch.context() as patch:
            patch.setattr(shift.world.kube, "apply_status", fenced)
            await shift.work(180)

        labels = {"kind": "AvatarModel", "result": "fenced"}
        assert (shift.registry.get_sample_value("avatar_reconcile_total", labels) or 0) > 0

    _work(AVATAR_MODEL, story)
