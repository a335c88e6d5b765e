"""Promise 1: one training per (model, revision, attempt), whatever crashes.

The calls that change something, at AWS or in the API server, are found by watching one flow, not by guessing; then the
operator is killed before and after each of them, restarted, and has to end where an undisturbed one ends. AWS is asked
how many trainings it was given. (A crash around a call that only reads is a crash after the change before it.)
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from e2e.conftest import StartOperator
from e2e.flight import Flight, Object, OperatorProcess, eventually

WORD = "quiet"
"""No progress is told: how many steps of it are written depends on the clock, and a point must come every time."""
PASSING = tuple(f"kube:apply_status:AvatarModel:{state}" for state in ("Preparing", "Training", "Packaging"))
"""Not even so must these come: whether a training is seen while it runs depends on when the operator happens to ask."""
TYPES = {"dev.avatars.model.ready.v1alpha1", "dev.avatars.request.succeeded.v1alpha1"}
READING = ("kube:list", "aws:Get", "aws:Head", "aws:List", "aws:Describe")


@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_around_every_call_the_flow_ends_the_same_and_nothing_is_trained_twice(
    flight: Flight, start_operator: StartOperator, when: str
) -> None:
    operator = start_operator()
    flight.apply(flight.runtime_manifest())
    flight.wait_for_runtime()
    # What is still to be told of the runtime would be counted as the flow's own, and never come again.
    flight.reasons(flight.name, until={"EndpointsReady"})
    operator.trace.write_text("")
    undisturbed = _fly(flight, "undisturbed")
    points = _crash_points(operator)
    assert len(points) >= 10
    print(f"{len(points)} changes, a crash {when} each: {' '.join(points)}")

    for number, point in enumerate(points):
        name = f"m{number}"
        call, occurrence = point.rsplit("#", 1)
        operator.order_crash(call, int(occurrence), when)
        flight.apply(flight.model_manifest(name, token=WORD), flight.request_manifest(name, name))
        if call not in PASSING or _crashed_before_its_end(flight, operator, name):
            eventually(lambda: not operator.is_running(), what=f"the crash {when} {point}")
            operator.start()
        outcome = _outcome(flight, name)
        assert outcome == undisturbed, f"killed {when} {point}"


def test_killed_around_every_call_of_a_deletion_nothing_stays_behind(
    flight: Flight, start_operator: StartOperator
) -> None:
    operator = start_operator()
    flight.apply(flight.runtime_manifest())
    _fly(flight, "undisturbed")
    operator.trace.write_text("")
    _delete(flight, "undisturbed")
    points = _crash_points(operator)
    assert len(points) >= 3
    for number, point in enumerate(points):
        name = f"d{number}"
        _fly(flight, name)
        call, occurrence = point.rsplit("#", 1)
        operator.order_crash(call, int(occurrence), "after")
        for kind in ("avr", "avm"):
            flight.delete(kind, name)
        eventually(lambda: not operator.is_running(), what=f"the crash after {point}")
        operator.start()
        _delete(flight, name)
    assert [key for key in flight.stored_keys() if not key.startswith("photos/")] == []


def _crashed_before_its_end(flight: Flight, operator: OperatorProcess, name: str) -> bool:
    """Wait until the ordered crash came, or the training ended without it; then the order is taken back."""

    def ended() -> bool:
        model = flight.get("avm", name)
        return model is not None and model.get("status", {}).get("state") == "Ready"

    eventually(lambda: not operator.is_running() or ended(), what="a crash or an end")
    return not operator.withdraw_order()


def _fly(flight: Flight, name: str) -> Object:
    flight.apply(flight.model_manifest(name, token=WORD), flight.request_manifest(name, name))
    return _outcome(flight, name)


def _outcome(flight: Flight, name: str) -> Object:
    """Where a flow ended, without what must differ: names, times, and the number of an attempt that was fenced."""
    model = flight.wait_for_state("avm", name, "Ready")
    request = flight.wait_for_state("avr", name, "Succeeded")
    uid, training = model["metadata"]["uid"], model["status"]["training"]
    submissions = Counter(flight.submissions(uid))
    assert set(submissions.values()) == {1}, f"an attempt was submitted more than once: {submissions}"
    assert submissions[training["inferenceId"]] == 1
    artifacts = [key for key in flight.stored_keys("artifacts/") if uid in key and key.endswith(".tar.gz")]
    assert artifacts == [f"artifacts/{model['status']['artifact']['targetModel']}"]
    told = flight.told(uid, request["metadata"]["uid"], until=TYPES)
    return {
        "model": _conditions(model),
        "request": _conditions(request),
        "photos": model["status"]["photos"],
        "failures": training["failures"],
        "pictures": [_place(image) for image in request["status"]["images"]],
        "announced": Counter(event["type"] for event in told),
        "events": flight.reasons(name, until={"TrainingSubmitted", "ModelReady", "PicturesDrawn"}),
    }


def _conditions(body: Object) -> dict[str, tuple[str, str]]:
    return {
        condition["type"]: (condition["status"], condition["reason"])
        for condition in body["status"]["conditions"]
    }


def _place(image: dict[str, Any]) -> tuple[int, int, str]:
    return image["promptIndex"], image["imageIndex"], image["sha256"]


def _delete(flight: Flight, name: str) -> None:
    for kind in ("avr", "avm"):
        flight.delete(kind, name)
    for kind in ("avr", "avm"):
        flight.wait_until_gone(kind, name)


def _crash_points(operator: OperatorProcess) -> list[str]:
    """Every change that the operator has made since the trace was emptied, numbered."""
    seen: Counter[str] = Counter()
    points = []
    for call in operator.trace.read_text().split():
        seen[call] += 1
        if not call.startswith(READING):
            points.append(f"{call}#{seen[call]}")
    return points
