"""What AWS says of a right that the operator lacks is the platform team's to read: a tenant reads that they mend it."""

from __future__ import annotations

import json
from typing import Any

from e2e.conftest import StartOperator
from e2e.flight import Flight, Object, OperatorProcess, eventually
from e2e.guarded_aws import ACCOUNT, EVERYTHING, GuardedAws, guarded_aws

__all__ = ["guarded_aws"]
OPERATOR = "the-platforms-own-user"
SECRETS = (ACCOUNT, OPERATOR, "arn:aws:iam")


def test_no_object_of_a_tenants_says_what_aws_said_of_a_right_that_is_missing(
    flight: Flight, start_operator: StartOperator, aws: GuardedAws
) -> None:
    operator = start_operator(**aws.new_user(OPERATOR, json.dumps(EVERYTHING), _denied("InvokeEndpoint")))
    # A start time is cut to whole seconds, and the first try has to fit in on a busy machine.
    flight.apply(
        flight.runtime_manifest(),
        flight.model_manifest("ann"),
        flight.request_manifest("portraits", "ann", activeDeadlineSeconds=4),
    )
    flight.wait_for_state("avm", "ann", "Ready")
    request = flight.wait_for_state("avr", "portraits", "Failed")
    aws.client("iam").put_user_policy(
        UserName=OPERATOR, PolicyName="more", PolicyDocument=_denied("InvokeEndpointAsync")
    )
    flight.apply(flight.model_manifest("bob"))
    model = eventually(lambda: flight.get("avm", "bob"), _is_delayed, what="a submission that is denied")
    assert model is not None
    events = flight.told(request["metadata"]["uid"], until={"dev.avatars.request.failed.v1alpha1"})
    flight.reasons("portraits", until={"DeadlineExceeded"})

    read = json.dumps([request, model, events, flight.events("portraits"), flight.events("bob")])
    assert [secret for secret in SECRETS if secret in read] == []
    told = "The operator may not do on AWS what this needs."
    assert told in request["status"]["lastFailure"]["message"]
    assert told in _trained(model)["message"]
    for body, action in ((request, "InvokeEndpoint"), (model, "InvokeEndpointAsync")):
        said = _log_of(operator, body["metadata"]["uid"])
        assert [line for line in said if f"user/{OPERATOR}" in line and f"sagemaker:{action}" in line], said


def _denied(action: str) -> str:
    statement = {"Effect": "Deny", "Action": f"sagemaker:{action}", "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _trained(body: Object) -> Any:
    conditions = body.get("status", {}).get("conditions", [])
    return next((condition for condition in conditions if condition["type"] == "Trained"), {})


def _is_delayed(body: Object | None) -> bool:
    return body is not None and _trained(body).get("reason") == "SubmissionDelayed"


def _log_of(operator: OperatorProcess, uid: str) -> list[str]:
    """What AWS said in passes over an object."""
    lines = (json.loads(line) for line in operator.log.read_text().splitlines() if line.startswith("{"))
    return [line["said"] for line in lines if line.get("uid") == uid and "said" in line]
