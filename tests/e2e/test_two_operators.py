"""Promise: two operators are as good as one. One leads, the other stands by, and whatever becomes of the leader nothing is
given up, nothing is trained twice, and the other one goes on.

Trainings are as many as it takes for a pass to be under way wherever the leader is interrupted.
"""

from __future__ import annotations

import time
from collections import Counter

import pytest

from e2e.conftest import StartOperator
from e2e.flight import Flight, Object, OperatorProcess, eventually

MODELS = 12
FAIL_OVER_SECONDS = 20.0
LEASE_SECONDS = 15.0


@pytest.fixture
def pair(flight: Flight, start_operator: StartOperator) -> tuple[OperatorProcess, OperatorProcess]:
    """The leader, the one that stands by, and a runtime that is ready."""
    leader = start_operator(AVATAR_OPERATOR_IDENTITY="first")
    eventually(lambda: _leads(leader), what="a leader")
    standby = start_operator(AVATAR_OPERATOR_IDENTITY="second")
    flight.apply(flight.runtime_manifest())
    flight.wait_for_runtime()
    return leader, standby


def test_the_one_that_stands_by_knows_everything_and_does_nothing(
    flight: Flight, pair: tuple[OperatorProcess, OperatorProcess]
) -> None:
    leader, standby = pair
    _create_models(flight)
    _all_ready(flight)

    eventually(lambda: standby.metric("avatar_objects", kind="AvatarModel"), lambda known: known >= MODELS)
    assert (_leads(leader), _leads(standby)) == (True, False)
    for metric in ("avatar_reconcile_total", "avatar_backend_requests_total", "avatar_ingest_consumers"):
        assert (leader.metric(metric) > 0, standby.metric(metric)) == (True, 0), metric


def test_after_a_kill_the_other_leads_within_twenty_seconds(
    flight: Flight, pair: tuple[OperatorProcess, OperatorProcess]
) -> None:
    leader, standby = pair
    _create_models(flight)
    _all(flight, "submittedTime")
    leader.kill()
    killed_at = time.monotonic()
    eventually(lambda: _leads(standby), what="a new leader")
    print(f"fail-over after SIGKILL: {time.monotonic() - killed_at:.1f} s")
    assert time.monotonic() - killed_at < FAIL_OVER_SECONDS

    flight.apply(flight.model_manifest("late"))
    flight.wait_for_state("avm", "late", "Ready")
    _all_ready(flight)
    _nothing_given_up_and_nothing_doubled(flight)


def test_a_leader_that_is_told_to_end_hands_over_at_once_in_the_middle_of_its_work(
    flight: Flight, pair: tuple[OperatorProcess, OperatorProcess]
) -> None:
    leader, standby = pair
    _create_models(flight)
    eventually(lambda: _submitted(flight), what="a first submission")
    code = leader.stop()
    ended_at = time.monotonic()
    eventually(lambda: _leads(standby), what="a new leader")
    print(f"hand-over after the end of the former leader: {time.monotonic() - ended_at:.1f} s")
    assert code == 0
    assert time.monotonic() - ended_at < LEASE_SECONDS / 2

    _all_ready(flight)
    _nothing_given_up_and_nothing_doubled(flight)


def test_a_leader_that_wakes_after_another_has_taken_over_ends_and_does_nothing(
    flight: Flight, pair: tuple[OperatorProcess, OperatorProcess]
) -> None:
    leader, standby = pair
    _create_models(flight)
    eventually(lambda: _submitted(flight), what="a first submission")
    leader.freeze()
    frozen_at = time.monotonic()
    eventually(lambda: _leads(standby), what="a new leader")
    assert time.monotonic() - frozen_at < FAIL_OVER_SECONDS
    _all_ready(flight)
    trace, submissions = leader.trace.read_text(), _submissions(flight)

    assert leader.thaw_and_wait() == 1

    assert "another replica may lead by now" in leader.log.read_text()
    assert _writes(leader.trace.read_text().removeprefix(trace)) == []
    assert _submissions(flight) == submissions
    _all_ready(flight)
    _nothing_doubled(flight)
    assert _leads(standby)


def _create_models(flight: Flight) -> None:
    flight.apply(*(flight.model_manifest(f"m{number}") for number in range(MODELS)))


def _leads(operator: OperatorProcess) -> bool:
    return operator.metric("avatar_leader") == 1


def _models(flight: Flight) -> list[Object]:
    return [model for number in range(MODELS) if (model := flight.get("avm", f"m{number}")) is not None]


def _submissions(flight: Flight) -> list[list[str]]:
    return [flight.submissions(model["metadata"]["uid"]) for model in _models(flight)]


def _submitted(flight: Flight) -> bool:
    return any(_submissions(flight))


def _all(flight: Flight, field: str) -> None:
    eventually(
        lambda: [model.get("status", {}).get("training", {}).get(field) for model in _models(flight)],
        lambda values: len(values) == MODELS and all(values),
        what=f"{field} of every model",
    )


def _all_ready(flight: Flight) -> None:
    eventually(
        lambda: [model.get("status", {}).get("state") for model in _models(flight)],
        lambda states: states == ["Ready"] * MODELS,
        what="every model ready",
    )


def _nothing_given_up_and_nothing_doubled(flight: Flight) -> None:
    assert [model["status"]["training"]["attempt"] for model in _models(flight)] == [1] * MODELS
    _nothing_doubled(flight)


def _nothing_doubled(flight: Flight) -> None:
    for model in _models(flight):
        submissions = Counter(flight.submissions(model["metadata"]["uid"]))
        assert set(submissions.values()) == {1}, f"an attempt was submitted more than once: {submissions}"


def _writes(trace: str) -> list[str]:
    """Calls that left for the API server and change something. (What leaves for AWS is asked of AWS.)"""
    calls = [call for call in trace.split() if call.startswith("kube:")]
    return [call for call in calls if not call.startswith(("kube:list", "kube:get"))]
