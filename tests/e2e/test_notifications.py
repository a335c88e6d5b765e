"""Promise 2: notifications are hints. What becomes of them on a real SNS-to-SQS path changes nothing in the end."""

from __future__ import annotations

import pytest

from e2e.conftest import StartOperator
from e2e.flight import Flight


@pytest.mark.parametrize(
    "fault",
    [
        {"action": "drop", "times": 100},
        {"action": "duplicate", "times": 100},
        {"action": "delay", "seconds": 3, "times": 100},
    ],
    ids=["lost", "doubled", "delayed"],
)
def test_a_model_gets_ready_whatever_happens_to_notifications(
    flight: Flight, start_operator: StartOperator, fault: dict[str, object]
) -> None:
    start_operator(AVATAR_OPERATOR_SWEEP_SECONDS="2")
    flight.aws.add_fault(kind="notification", **fault)
    flight.apply(flight.runtime_manifest(), flight.model_manifest("ann"))
    model = flight.wait_for_state("avm", "ann", "Ready")
    assert len(flight.submissions(model["metadata"]["uid"])) == 1


def test_garbage_on_the_queue_is_counted_and_dropped(flight: Flight, start_operator: StartOperator) -> None:
    operator = start_operator()
    for body in (
        "not json",
        "[]",
        '{"eventName": "InferenceResult", "inferenceId": 7}',
        '{"Type": "Notification"}',
    ):
        flight.sqs.send_message(QueueUrl=flight.operator_queue, MessageBody=body)
    flight.apply(flight.runtime_manifest(), flight.model_manifest("ann"))
    flight.wait_for_state("avm", "ann", "Ready")
    assert operator.metric("avatar_ingest_messages_total", kind="Unparsable") == 4


def test_a_lost_answer_to_the_submission_does_not_train_twice(
    flight: Flight, start_operator: StartOperator
) -> None:
    start_operator()
    flight.apply(flight.runtime_manifest())
    flight.wait_for_runtime()
    flight.aws.add_fault(
        kind="api", api="InvokeEndpointAsync", when="after", error="ServiceUnavailable", status=503, times=1
    )
    flight.apply(flight.model_manifest("ann"))
    model = flight.wait_for_state("avm", "ann", "Ready")
    submissions = flight.submissions(model["metadata"]["uid"])
    assert len(submissions) == len(set(submissions))
    artifacts = [key for key in flight.stored_keys("artifacts/") if key.endswith(".tar.gz")]
    assert artifacts == [f"artifacts/{model['status']['artifact']['targetModel']}"]


def test_a_throttled_submission_is_tried_again_as_the_same_attempt(
    flight: Flight, start_operator: StartOperator
) -> None:
    start_operator()
    flight.apply(flight.runtime_manifest())
    flight.wait_for_runtime()
    flight.aws.add_fault(
        kind="api", api="InvokeEndpointAsync", error="ThrottlingException", status=400, times=2
    )
    flight.apply(flight.model_manifest("ann"))
    model = flight.wait_for_state("avm", "ann", "Ready")
    assert model["status"]["training"]["attempt"] == 1
    assert model["status"]["training"]["failures"] == 0
