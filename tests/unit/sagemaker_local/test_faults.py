"""The fault board."""

from __future__ import annotations

from typing import Any

import pytest

from sagemaker_local.faults import FaultBoard


def test_a_fault_is_used_up_after_its_times() -> None:
    board = FaultBoard()
    board.add({"kind": "api", "api": "Invoke*", "times": 2})
    hits = [board.take_api("InvokeEndpoint") is not None for _ in range(3)]
    assert hits == [True, True, False]
    assert board.listing() == []


def test_with_every_only_each_so_many_th_event_is_hit() -> None:
    board = FaultBoard()
    board.add({"kind": "instance", "action": "crash", "every": 3, "times": 2})
    hits = [board.take_instance("e", "i-1") is not None for _ in range(9)]
    assert hits == [False, False, True, False, False, True, False, False, False]


def test_a_notification_fault_hits_its_inference_only() -> None:
    board = FaultBoard()
    board.add({"kind": "notification", "action": "drop", "inference_id": "b"})
    assert board.take_notification("arn", "a") is None
    assert board.take_notification("arn", "b") is not None


def test_a_fault_of_another_api_does_not_hit() -> None:
    board = FaultBoard()
    board.add({"kind": "api", "api": "InvokeEndpointAsync"})
    assert board.take_api("InvokeEndpoint") is None


def test_a_notification_fault_hits_its_topic_only() -> None:
    board = FaultBoard()
    board.add({"kind": "notification", "action": "drop", "topic": "*:errors"})
    assert board.take_notification("arn:aws:sns:us-east-1:1:successes") is None
    assert board.take_notification("arn:aws:sns:us-east-1:1:errors") is not None


def test_a_delivery_fault_hits_its_queue_and_its_message_only() -> None:
    board = FaultBoard()
    board.add({"kind": "delivery", "action": "drop", "queue": "in-*", "body": "*inf-7*"})
    assert board.take_delivery("out-1", "about inf-7", fifo=False) is None
    assert board.take_delivery("in-1", "about inf-8", fifo=False) is None
    assert board.take_delivery("in-1", "about inf-7", fifo=False) is not None


@pytest.mark.parametrize(
    ("description", "complaint"),
    [
        ({}, "kind must be one of"),
        ({"kind": "api"}, "missing 1 required positional argument: 'api'"),
        ({"kind": "api", "api": "X", "colour": "red"}, "unexpected keyword argument 'colour'"),
        ({"kind": "api", "api": "X", "times": 0}, "times must be"),
        ({"kind": "api", "api": "X", "times": "many"}, "times must be"),
        ({"kind": "api", "api": "X", "status": 200}, "status must be"),
        ({"kind": "api", "api": "X", "when": "never"}, "when must be"),
        ({"kind": "api", "api": "X", "seconds": -1}, "seconds must be"),
        ({"kind": "notification", "action": "lose"}, "action must be"),
        ({"kind": "notification", "action": "reorder"}, "reorder needs seconds"),
        ({"kind": "api", "api": "X", "every": 0}, "every must be"),
        ({"kind": "delivery", "action": "lose"}, "action must be"),
        ({"kind": "delivery", "action": "delay"}, "delay needs seconds"),
        ({"kind": "delivery", "action": "reorder"}, "reorder needs seconds"),
        (
            {"kind": "delivery", "action": "duplicate", "queue": "q.fifo"},
            "a FIFO queue promises not to duplicate",
        ),
        ({"kind": "delivery", "action": "drop", "queue": ""}, "queue must be"),
        ({"kind": "s3", "action": "eat"}, "action must be"),
        ({"kind": "s3", "action": "slow"}, "slow needs seconds"),
        ({"kind": "s3", "action": "failing", "status": 404}, "status must be"),
        ({"kind": "s3", "action": "missing", "caller": "me"}, "caller must be"),
        ({"kind": "s3", "action": "missing", "key": 7}, "key must be"),
        ({"kind": "instance", "action": "explode"}, "action must be"),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(description: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        FaultBoard().add(description)
