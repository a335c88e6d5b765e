"""Promise 4: quiet. Counted by the API server itself, in its audit log."""

from __future__ import annotations

from collections import Counter

from e2e.conftest import StartOperator
from e2e.flight import Flight, eventually
from local_cluster.audit_log import AuditEvent
from local_cluster.cluster import LocalCluster

OPERATOR = "system:serviceaccount:avatar-system:avatar-operator"


def _writes(events: list[AuditEvent], resource: str, subresource: str) -> Counter[str]:
    return Counter(
        event.name
        for event in events
        if event.user == OPERATOR
        and event.is_write
        and (event.resource, event.subresource) == (resource, subresource)
    )


def test_a_life_takes_few_status_writes_beside_progress(
    audited_cluster: LocalCluster, flight: Flight, start_operator: StartOperator
) -> None:
    operator = start_operator()
    since = audited_cluster.audit_position()
    flight.apply(
        flight.runtime_manifest(),
        flight.model_manifest("ann", token="quiet"),
        flight.request_manifest("first", "ann"),
    )
    model = flight.wait_for_state("avm", "ann", "Ready")
    flight.wait_for_state("avr", "first", "Succeeded")
    assert operator.is_running()
    events = audited_cluster.audit_events(since)
    assert _writes(events, "avatarmodels", "status")["ann"] <= 6
    assert _writes(events, "avatarrequests", "status")["first"] <= 3
    assert _writes(events, "avatarmodels", "")["ann"] == 1
    assert model["status"]["observedGeneration"] == 1


def test_a_hundred_idle_models_cause_no_write(
    audited_cluster: LocalCluster, flight: Flight, start_operator: StartOperator
) -> None:
    start_operator(AVATAR_OPERATOR_SWEEP_SECONDS="1")
    flight.apply(flight.runtime_manifest(backend={"simulated": {"trainingSeconds": 0}}))
    names = [f"m{number:03}" for number in range(100)]
    flight.apply(*(flight.model_manifest(name) for name in names))
    # An Event follows the status that it tells of, so the last of them ends a model's life, and not the status.
    eventually(
        lambda: flight.told_about("ModelReady"),
        set(names).issubset,
        what="an Event of each model that is ready",
    )
    since = audited_cluster.audit_position()
    lists_before = len(_lists(audited_cluster, since))
    # Six hundred idle seconds are two sweeps; here they come at the pace of one a second.
    eventually(lambda: len(_lists(audited_cluster, since)) - lists_before, lambda count: count >= 6)
    events = audited_cluster.audit_events(since)
    written = [event for event in events if event.user == OPERATOR and event.is_write]
    # The Lease is the price of a second replica: it says that the leader lives.
    assert [event for event in written if event.resource != "leases"] == []


def test_every_list_comes_in_pages(
    audited_cluster: LocalCluster, flight: Flight, start_operator: StartOperator
) -> None:
    since = audited_cluster.audit_position()
    start_operator()
    flight.apply(flight.runtime_manifest(backend={"simulated": {"trainingSeconds": 0}}))
    lists = eventually(
        lambda: _lists(audited_cluster, since),
        lambda seen: any("kopf" in event.user_agent for event in seen),
        what="a list of kopf's",
    )
    assert [event.request_uri for event in lists if "limit=" not in event.request_uri] == []


def _lists(cluster: LocalCluster, since: int) -> list[AuditEvent]:
    return [event for event in cluster.audit_events(since) if event.user == OPERATOR and event.verb == "list"]
