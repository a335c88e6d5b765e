"""Metrics: the right number under the right labels, and every series that is known beforehand from the start."""

import re
from typing import Any, cast, get_args

import pytest
from prometheus_client import CollectorRegistry

from avatar_api.group import AVATAR_MODEL, AVATAR_RUNTIME, KINDS, Kind
from avatar_api.meta import Failure
from avatar_operator.backends.selection import Backends
from avatar_operator.kube.leadership import Leadership
from avatar_operator.kube.watch_ages import WatchAges
from avatar_operator.operator import Operator
from avatar_operator.settings import OperatorSettings
from avatar_operator.telemetry.metrics import (
    REQUEST_OUTCOMES,
    TRAINING_OUTCOMES,
    OperatorMetrics,
    ReconcileResult,
)
from avatar_operator.telemetry.replica_metrics import ReplicaCollector
from avatar_operator.telemetry.retry_reasons import RETRY_REASONS
from builders.clock import NOON, FakeClock
from documents.reasons_in_code import OPERATOR, reasons_in_code, retry_reasons_in_code


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


def test_every_phase_that_is_expected_is_there_before_it_decides(
    metrics: OperatorMetrics, registry: CollectorRegistry
) -> None:
    metrics.expect_phases(AVATAR_MODEL, ("planning", "submission"))

    for phase in ("planning", "submission", "none"):
        labels = {"kind": "AvatarModel", "phase": phase}
        assert registry.get_sample_value("avatar_reconcile_duration_seconds_count", labels) == 0


def test_every_phase_of_every_kind_is_expected_when_the_operator_starts(
    metrics: OperatorMetrics, registry: CollectorRegistry
) -> None:
    settings, leadership = OperatorSettings(namespace="avatar-system"), Leadership(15)
    # Nothing is called: only what an operator publishes before it runs is looked at.
    Operator(settings, cast(Any, None), Backends({}), cast(Any, None), FakeClock(), metrics, leadership)

    for kind, phase in (
        ("AvatarModel", "submission"),
        ("AvatarRequest", "drawing"),
        ("AvatarRuntime", "deletion"),
    ):
        labels = {"kind": kind, "phase": phase}
        assert registry.get_sample_value("avatar_reconcile_duration_seconds_count", labels) == 0


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: str(kind.kind))
def test_every_known_reason_to_try_again_is_there_before_it_happens(
    metrics: OperatorMetrics, registry: CollectorRegistry, kind: Kind
) -> None:
    for reason in ("AccessDenied", "NotUnderstood", *RETRY_REASONS[kind]):
        labels = {"kind": kind.kind, "reason": reason}
        assert registry.get_sample_value("avatar_reconcile_retries_total", labels) == 0


def test_every_reason_for_which_the_code_tries_again_is_known_beforehand() -> None:
    known = frozenset().union(*RETRY_REASONS.values())
    assert retry_reasons_in_code() - known == set(), "not in telemetry/retry_reasons.py"
    assert known - reasons_in_code() == set(), "in telemetry/retry_reasons.py, and never given"


@pytest.mark.parametrize("code", ["200", "0"])
def test_every_call_of_the_api_server_is_there_before_it_is_made(
    metrics: OperatorMetrics, registry: CollectorRegistry, code: str
) -> None:
    calls = _calls_in_code()
    assert ("apply_status", "AvatarRequest") in calls
    for verb, kind in calls:
        labels = {"verb": verb, "kind": kind, "code": code}
        assert registry.get_sample_value("avatar_kube_requests_total", labels) == 0, (verb, kind)


def _calls_in_code() -> set[tuple[str, str]]:
    """Verb and kind of each `_call` in the package that speaks to the API server; the operator deletes no runtime."""
    sources = "".join(file.read_text() for file in (OPERATOR / "kube").glob("*.py"))
    calls = re.findall(r'_call\(\s*"(\w+)",\s*(?:"(\w+)"|kind\.kind)', sources)
    return {
        (verb, kind)
        for verb, other in calls
        for kind in ([other] if other else [kind.kind for kind in KINDS])
        if (verb, kind) != ("delete", AVATAR_RUNTIME.kind)
    }


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


def test_a_pass_is_counted_by_kind_and_end_and_timed_by_phase(
    metrics: OperatorMetrics, registry: CollectorRegistry
) -> None:
    metrics.reconciled("AvatarModel", "planning", "changed", 0.25)

    labels = {"kind": "AvatarModel", "result": "changed"}
    assert registry.get_sample_value("avatar_reconcile_total", labels) == 1
    assert registry.get_sample_value("avatar_reconcile_total", {**labels, "result": "unchanged"}) == 0
    assert registry.get_sample_value("avatar_reconcile_total", {**labels, "kind": "AvatarRequest"}) == 0
    phase = {"kind": "AvatarModel", "phase": "planning"}
    assert registry.get_sample_value("avatar_reconcile_duration_seconds_sum", phase) == 0.25


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


def test_a_watch_has_the_age_of_its_last_sign_of_life(registry: CollectorRegistry) -> None:
    now = 1000.0
    watches = WatchAges(monotonic=lambda: now)
    registry.register(
        ReplicaCollector(
            leads=lambda: False, watch_ages=watches.ages, swept_at=dict, consumers=lambda: 0, namespaces=dict
        )
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
            namespaces=lambda: {"team-a": True, "team-b": False},
        )
    )

    assert registry.get_sample_value("avatar_leader") == float(leads)
    assert registry.get_sample_value("avatar_ingest_consumers") == 3
    swept = registry.get_sample_value("avatar_last_sweep_timestamp_seconds", {"resource": "avatarmodels"})
    assert swept == 1234.5
    for namespace, watched in (("team-a", 1), ("team-b", 0)):
        assert registry.get_sample_value("avatar_namespace_watched", {"namespace": namespace}) == watched
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
