"""Promise: the policies in docs/iam are enough, and what they do not grant is not needed.

IAM is switched on at the AWS of these tests. An endpoint's calls are made there with the credentials of whoever made it,
not with those of its execution role; so whoever makes an endpoint is given its role's policy, too: the operator that makes
endpoints, or a user for each endpoint. The operator that finds endpoints has nothing but its own.
"""

from __future__ import annotations

import json
from string import Template
from typing import Any

from avatar_api.avatar_runtime import AvatarRuntime
from avatar_operator.backends.sagemaker.endpoint_plan import endpoint_plans
from e2e.conftest import StartOperator
from e2e.flight import REPOSITORY, Flight, Object, OperatorProcess
from e2e.guarded_aws import ACCOUNT, GuardedAws, guarded_aws
from sagemaker_local.testing import REGION

__all__ = ["guarded_aws"]
POLICIES = REPOSITORY / "docs" / "iam"
NAMELESS = ("sns:", "sqs:")
"""Services of which moto checks what is done, and not with what: it asks for the resource "*"."""
BATCHED = ("sqs:DeleteMessage", "sqs:ChangeMessageVisibility")
"""Actions that cover their batches in AWS."""


def test_an_operator_that_makes_endpoints_needs_no_more_than_its_policies(
    flight: Flight, start_operator: StartOperator, aws: GuardedAws
) -> None:
    names = ("operator.json", "operator-manage.json", "operator-scaling.json", "execution-role.json")
    operator = start_operator(**aws.new_user(flight.name, *(_policy(flight, name) for name in names)))
    runtime = flight.runtime_manifest()
    runtime["spec"]["backend"]["sagemaker"]["executionRoleARN"] = _endpoint_role(flight, "training")
    flight.apply(runtime)
    _fly(flight)
    flight.cluster.kubectl("delete", "avrt", flight.name, "--timeout=60s")
    _nothing_was_denied(operator)


def test_workers_that_are_limited_to_their_work_need_no_more_than_their_sessions_and_their_endpoints_role(
    flight: Flight, start_operator: StartOperator, aws: GuardedAws
) -> None:
    operator = start_operator(
        **aws.new_user(
            flight.name, _policy(flight, "operator.json"), _policy(flight, "operator-attempt-role.json")
        )
    )
    aws.new_role(
        _attempt_role(flight),
        trusted=f"arn:aws:iam::{ACCOUNT}:user/{flight.name}",
        policy=_policy(flight, "attempt-role.json"),
    )
    runtime = flight.runtime_manifest(managementPolicy="Observe")
    sagemaker = runtime["spec"]["backend"]["sagemaker"]
    del sagemaker["executionRoleARN"]
    sagemaker["attemptRoleARN"] = _attempt_role(flight)
    for endpoint in ("training", "inference"):
        sagemaker[endpoint]["executionRoleARN"] = _endpoint_role(flight, endpoint)
    _make_endpoints(flight, aws, runtime)
    flight.apply(runtime)
    _fly(flight)
    flight.cluster.kubectl("delete", "avrt", flight.name, "--timeout=60s")
    _nothing_was_denied(operator)
    for verb in ("give_credentials", "withdraw_credentials"):
        assert operator.metric("avatar_backend_requests_total", op=verb, code="OK") > 0


def test_an_operator_that_finds_endpoints_needs_no_more_than_its_policy(
    flight: Flight, start_operator: StartOperator, aws: GuardedAws
) -> None:
    platform = start_operator()
    flight.apply(flight.runtime_manifest())
    flight.wait_for_runtime()
    platform.stop()
    flight.apply(flight.runtime_manifest(managementPolicy="Observe"))

    operator = start_operator(**aws.new_user(flight.name, _policy(flight, "operator.json")))
    _fly(flight)
    flight.cluster.kubectl("delete", "avrt", flight.name, "--timeout=60s")
    _nothing_was_denied(operator)


def _make_endpoints(flight: Flight, aws: GuardedAws, runtime: Object) -> None:
    """Each by a user who may do what the endpoint's role may, and make it."""
    meant = AvatarRuntime.model_validate({**runtime, "metadata": {**runtime["metadata"], "uid": flight.name}})
    for plan in endpoint_plans(meant):
        policies = ("operator-manage.json", f"{plan.role.lower()}-execution-role.json")
        maker = aws.new_user(f"{flight.name}-{plan.role}", *(_policy(flight, name) for name in policies))
        sagemaker = aws.client_of(maker, "sagemaker")
        sagemaker.create_model(ModelName=plan.model_name, **plan.model)
        sagemaker.create_endpoint_config(EndpointConfigName=plan.config_name, **plan.config)
        sagemaker.create_endpoint(EndpointName=plan.endpoint_name, EndpointConfigName=plan.config_name)


def _fly(flight: Flight) -> None:
    """A whole life: trained, drawn, told and deleted, but for pictures that are retained."""
    flight.apply(
        flight.model_manifest("ann"), flight.request_manifest("pictures", "ann", deletionPolicy="Retain")
    )
    request = flight.wait_for_state("avr", "pictures", "Succeeded")
    flight.told(request["metadata"]["uid"], until={"dev.avatars.request.succeeded.v1alpha1"})
    flight.delete("avr", "pictures")
    flight.delete("avm", "ann")
    flight.wait_until_gone("avr", "pictures")
    flight.wait_until_gone("avm", "ann")
    assert {key.split("/")[0] for key in flight.stored_keys()} == {"photos", "outputs"}
    assert any(key.endswith("/retained.json") for key in flight.stored_keys("outputs/"))


def _nothing_was_denied(operator: OperatorProcess) -> None:
    assert operator.metric("avatar_backend_requests_total", code="OK") > 0
    assert operator.metric("avatar_ingest_messages_total", outcome="Accepted") > 0
    for code in ("AccessDenied", "PhotosDenied"):
        assert operator.metric("avatar_backend_requests_total", code=code) == 0
    assert operator.metric("avatar_ingest_errors_total") == 0
    assert operator.metric("avatar_announcements_total", sink="Topic", outcome="Retried") == 0


def _attempt_role(flight: Flight) -> str:
    return f"arn:aws:iam::{ACCOUNT}:role/{flight.name}-attempts"


def _endpoint_role(flight: Flight, endpoint: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:role/{flight.name}-{endpoint}"


def _policy(flight: Flight, name: str) -> str:
    def last(arn_or_url: str) -> str:
        return arn_or_url.rstrip("/").replace(":", "/").split("/")[-1]

    policy = Template((POLICIES / name).read_text()).substitute(
        AVATARS_ATTEMPT_ROLE_ARN=_attempt_role(flight),
        AWS_ACCOUNT_ID=ACCOUNT,
        AWS_REGION=REGION,
        AVATARS_BUCKET=flight.bucket,
        AVATARS_ENDPOINT_PREFIX=flight.name,
        AVATARS_ERROR_TOPIC=last(flight.failed),
        AVATARS_INFERENCE_ROLE_ARN=_endpoint_role(flight, "inference"),
        AVATARS_QUEUE=last(flight.operator_queue),
        AVATARS_STATUS_TOPIC=last(flight.status),
        AVATARS_SUCCESS_TOPIC=last(flight.succeeded),
        AVATARS_TRAINING_ROLE_ARN=_endpoint_role(flight, "training"),
    )
    document = json.loads(policy)
    document["Statement"] = [_as_moto_sees_it(statement) for statement in document["Statement"]]
    return json.dumps(document)


def _as_moto_sees_it(statement: dict[str, Any]) -> dict[str, Any]:
    """A statement in the words in which moto asks for the same: for AWS the documents' own are enough."""
    actions, resources = _listed(statement["Action"]), _listed(statement["Resource"])
    if actions[0].startswith(NAMELESS):
        resources = ["*"]
    batches = [f"{action}Batch" for action in actions if action in BATCHED]
    return {**statement, "Action": [*actions, *batches], "Resource": resources}


def _listed(words: str | list[str]) -> list[str]:
    return [words] if isinstance(words, str) else words
