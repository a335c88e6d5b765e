"""Metrics: the right number under the right labels, and every series that is known beforehand from the start."""

import asyncio
from typing import get_args

import pytest
from prometheus_client import CollectorRegistry

from avatar_api.group import AVATAR_MODEL, AVATAR_REQUEST, AVATAR_RUNTIME, KINDS, Kind
from avatar_api.meta import Failure
from avatar_operator.core.workqueue import WorkQueue
from avatar_operator.kube.cache import ObjectCache, ObjectKey
from avatar_operator.kube.watch_ages import WatchAges
from avatar_operator.telemetry.metrics import (
    REQUEST_OUTCOMES,
    TRAINING_OUTCOMES,
    OperatorMetrics,
    ReconcileResult,
    StateCollector,
)
from avatar_operator.telemetry.replica_metrics import ReplicaCollector
from builders.clock import NOON
from builders.manifests import merged, model_manifest
from builders.virtual_time import VirtualTimeLoop


@pytest.fixture
def registry() -> CollectorRegistry:
    """An empty registry."""
    return CollectorRegistry()


@pytest.fixture
def metrics(registry: CollectorRegistry) -> OperatorMetrics:
    """The operator's series, as they are when it starts."""
    return OperatorMetrics(registry)


@pytest.mark.parametrize("kind", [kind.kind for kind in KINDS])
@pytest.mark.parametrize("result", get_args(ReconcileResult))
def test_every_end_of_a_pass_is_there_before_it_happens(
    metrics: OperatorMetrics, registry: CollectorRegistry, kind: str, result: str
) -> None:
    assert registry.get_sample_value("avatar_reconcile_total", {"kind": kind, "result": result}) == 0
    assert registry.get_sample_value("avatar_reconcile_duration_seconds_count", {"kind": kind}) == 0


@pytest.mark.parametrize("backend", ["sagemaker", "simulated"])
def test_every_end_of_trainings_and_requests_is_there_before_it_happens(
    metrics: OperatorMetrics, registry: CollectorRegistry, backend: str
) -> None:
    for outcome in TRAINING_OUTCOMES:
        labels = {"backend": backend, "outcome": outcome}
        assert registry.get_sample_value("avatar_training_duration_seconds_count", labels) == 0
    for outcome in REQUEST_OUTCOMES:
        labels = {"backend": backend, "outcome": outcome}
        assert registry.get_sample_value("avatar_request_duration_seconds_count", labels) == 0
    assert registry.get_sample_value("avatar_time_in_queue_seconds_count", {"backend": backend}) == 0


def test_a_pass_is_counted_by_kind_and_end(metrics: OperatorMetrics, registry: CollectorRegistry) -> None:
    metrics.reconciled("AvatarModel", "changed", 0.25)

    labels = {"kind": "AvatarModel", "result": "changed"}
    assert registry.get_sample_value("avatar_reconcile_total", labels) == 1
    assert registry.get_sample_value("avatar_reconcile_total", {**labels, "result": "unchanged"}) == 0
    assert registry.get_sample_value("avatar_reconcile_total", {**labels, "kind": "AvatarRequest"}) == 0
    assert registry.get_sample_value("avatar_reconcile_duration_seconds_sum", {"kind": "AvatarModel"}) == 0.25


def test_a_retry_is_counted_by_kind_and_reason(metrics: OperatorMetrics, registry: CollectorRegistry) -> None:
    metrics.retried("AvatarModel", "Throttled")
    metrics.retried("AvatarModel", "Throttled")

    labels = {"kind": "AvatarModel", "reason": "Throttled"}
    assert registry.get_sample_value("avatar_reconcile_retries_total", labels) == 2


def test_a_call_of_the_api_server_is_counted_by_verb_kind_and_code(
    metrics: OperatorMetrics, registry: CollectorRegistry
) -> None:
    metrics.kube_request("apply_status", "AvatarModel", 409)

    labels = {"verb": "apply_status", "kind": "AvatarModel", "code": "409"}
    assert registry.get_sample_value("avatar_kube_requests_total", labels) == 1
    assert registry.get_sample_value("avatar_kube_requests_total", {**labels, "code": "200"}) == 0


def test_queues_are_told_of_by_kind(registry: CollectorRegistry) -> None:
    queues: dict[Kind, WorkQueue[ObjectKey]] = {kind: WorkQueue() for kind in KINDS}
    ann, bob = (ObjectKey("AvatarModel", "team-a", name) for name in ("ann", "bob"))

    async def story() -> None:
        registry.register(StateCollector(ObjectCache(), queues))
        queue = queues[AVATAR_MODEL]
        queue.add(ann)
        await queue.get()
        await asyncio.sleep(3)
        queue.add(bob)
        await asyncio.sleep(4)
        queue.add_backed_off(ann)

        def value(name: str, kind: Kind = AVATAR_MODEL) -> float | None:
            return registry.get_sample_value(f"avatar_workqueue_{name}", {"kind": kind.kind})

        assert (value("depth"), value("depth", AVATAR_REQUEST)) == (1, 0)
        assert (value("adds_total"), value("adds_total", AVATAR_REQUEST)) == (2, 0)
        assert (value("retries_total"), value("retries_total", AVATAR_RUNTIME)) == (1, 0)
        assert (value("oldest_age_seconds"), value("oldest_age_seconds", AVATAR_REQUEST)) == (4, 0)
        assert (value("longest_running_seconds"), value("longest_running_seconds", AVATAR_REQUEST)) == (7, 0)

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(story())


def test_objects_are_told_of_by_kind_and_state(registry: CollectorRegistry) -> None:
    cache = ObjectCache()
    for number, state in enumerate(["Ready", "Ready", "Failed"]):
        metadata = {"name": f"m{number}", "uid": f"u{number}", "resourceVersion": "1"}
        status = {"state": state}
        cache.store(AVATAR_MODEL, merged(model_manifest(), {"metadata": metadata, "status": status}))

    async def story() -> None:
        registry.register(StateCollector(cache, {kind: WorkQueue() for kind in KINDS}))

        def count(state: str) -> float | None:
            return registry.get_sample_value("avatar_objects", {"kind": "AvatarModel", "state": state})

        assert (count("Ready"), count("Failed"), count("Pending")) == (2, 1, None)

    asyncio.run(story())


def test_a_watch_has_the_age_of_its_last_sign_of_life(registry: CollectorRegistry) -> None:
    now = 1000.0
    watches = WatchAges(monotonic=lambda: now)
    registry.register(
        ReplicaCollector(leads=lambda: False, watch_ages=watches.ages, swept_at=dict, consumers=lambda: 0)
    )
    now = 1030.0
    watches.note_well(AVATAR_MODEL)
    now = 1042.0

    def age(plural: str) -> float | None:
        return registry.get_sample_value("avatar_watch_last_event_age_seconds", {"resource": plural})

    assert (age("avatarmodels"), age("avatarrequests")) == (12, 42)


@pytest.mark.parametrize("leads", [True, False])
def test_a_replica_tells_what_it_is(registry: CollectorRegistry, leads: bool) -> None:
    registry.register(
        ReplicaCollector(
            leads=lambda: leads,
            watch_ages=dict,
            swept_at=lambda: {"avatarmodels": 1234.5},
            consumers=lambda: 3,
        )
    )

    assert registry.get_sample_value("avatar_leader") == float(leads)
    assert registry.get_sample_value("avatar_ingest_consumers") == 3
    swept = registry.get_sample_value("avatar_last_sweep_timestamp_seconds", {"resource": "avatarmodels"})
    assert swept == 1234.5
    builds = [sample for family in registry.collect() for sample in family.samples if "build" in sample.name]
    assert [sorted(build.labels) for build in builds] == [["python", "version"]]


def test_a_failure_is_counted_once_however_often_its_status_is_written(
    metrics: OperatorMetrics, registry: CollectorRegistry
) -> None:
    failure = Failure(reason="TooFewUsablePhotos", message="", retryable=False, time=NOON)
    metrics.failed(AVATAR_MODEL, "team-a", None, failure)
    metrics.failed(AVATAR_MODEL, "team-a", failure, failure)
    metrics.failed(AVATAR_MODEL, "team-a", failure, None)
    labels = {
        "kind": "AvatarModel",
        "namespace": "team-a",
        "reason": "TooFewUsablePhotos",
        "retryable": "false",
    }
    assert registry.get_sample_value("avatar_failures_total", labels) == 1


def test_an_attempt_that_was_fenced_is_counted_where_it_belongs(
    metrics: OperatorMetrics, registry: CollectorRegistry
) -> None:
    metrics.attempt_abandoned("team-a")
    assert registry.get_sample_value("avatar_attempts_abandoned_total", {"namespace": "team-a"}) == 1
