"""The next step for an endpoint, and what to say of it: every state that SageMaker documents."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from avatar_operator.backends.sagemaker.endpoint_state import (
    DescribedEndpoint,
    EndpointStep,
    EndpointVerdict,
    facts,
    managed_verdict,
    next_step,
    observed_verdict,
)
from builders.backend_objects import NOW

SERVING = DescribedEndpoint(
    role="Training",
    name="training",
    state="InService",
    arn="arn:aws:sagemaker:us-east-1:123456789012:endpoint/training",
    config_name="training-wanted",
    modified=NOW,
    output_path="s3://bucket/output/",
    failure_path="s3://bucket/failure/",
    is_asynchronous=True,
)
OLD = replace(SERVING, config_name="training-old")


@pytest.mark.parametrize(
    ("endpoint", "step"),
    [
        (DescribedEndpoint("Training", "training"), EndpointStep.CREATE),
        (replace(OLD, state="Creating"), EndpointStep.WAIT),
        (replace(OLD, state="Updating"), EndpointStep.WAIT),
        (replace(OLD, state="SystemUpdating"), EndpointStep.WAIT),
        (replace(OLD, state="RollingBack"), EndpointStep.WAIT),
        (replace(OLD, state="Deleting"), EndpointStep.WAIT),
        (OLD, EndpointStep.ROLL),
        (replace(OLD, state="OutOfService"), EndpointStep.ROLL),
        (replace(OLD, state="UpdateRollbackFailed"), EndpointStep.ROLL),
        (replace(OLD, state="Failed"), EndpointStep.REPLACE),
        (replace(SERVING, state="Failed"), EndpointStep.GIVE_UP),
        (SERVING, EndpointStep.NONE),
    ],
    ids=lambda value: value.name if isinstance(value, EndpointStep) else f"{value.state} {value.config_name}",
)
def test_every_state_has_its_step(endpoint: DescribedEndpoint, step: EndpointStep) -> None:
    assert next_step(endpoint, "training-wanted", wanted_config_created=None, now=NOW) == step


def test_a_roll_that_failed_is_not_repeated() -> None:
    endpoint = replace(OLD, failure_reason="the container does not start")
    created = NOW - timedelta(minutes=5)
    assert (
        next_step(endpoint, "training-wanted", wanted_config_created=created, now=NOW) == EndpointStep.GIVE_UP
    )


def test_a_failed_roll_to_another_configuration_does_not_stop_this_one() -> None:
    endpoint = replace(OLD, failure_reason="the container does not start")
    created = NOW + timedelta(seconds=1)
    assert next_step(endpoint, "training-wanted", wanted_config_created=created, now=NOW) == EndpointStep.ROLL


NO_MACHINES = "Unable to provision requested ML compute capacity due to InsufficientInstanceCapacity error."


@pytest.mark.parametrize("failure_reason", [NO_MACHINES, f"CapacityError: {NO_MACHINES}"])
@pytest.mark.parametrize(
    ("endpoint", "again"),
    [(replace(SERVING, state="Failed"), EndpointStep.REPLACE), (OLD, EndpointStep.ROLL)],
    ids=["new", "rolling"],
)
def test_machines_that_aws_did_not_have_are_asked_for_again_after_a_while(
    endpoint: DescribedEndpoint, again: EndpointStep, failure_reason: str
) -> None:
    endpoint = replace(endpoint, failure_reason=failure_reason)
    steps = [
        next_step(
            endpoint, "training-wanted", wanted_config_created=NOW, now=NOW + timedelta(minutes=minutes)
        )
        for minutes in (0, 9, 10)
    ]
    assert steps == [EndpointStep.AWAIT_CAPACITY, EndpointStep.AWAIT_CAPACITY, again]


def test_waiting_for_machines_is_no_failure_and_says_so() -> None:
    verdict = managed_verdict(
        replace(SERVING, state="Failed", failure_reason=NO_MACHINES), EndpointStep.AWAIT_CAPACITY
    )
    assert (verdict.reason, verdict.failed) == ("InsufficientCapacity", False)
    assert NO_MACHINES in verdict.message
    assert "10 minutes" in verdict.message


def test_words_of_a_container_are_no_lack_of_machines() -> None:
    endpoint = replace(SERVING, state="Failed", failure_reason=f"The container says: {NO_MACHINES}")
    assert next_step(endpoint, "training-wanted", wanted_config_created=NOW, now=NOW) == EndpointStep.GIVE_UP


def test_a_failed_endpoint_names_the_cause_and_the_cure() -> None:
    endpoint = replace(SERVING, state="Failed", failure_reason="image not found")
    verdict = managed_verdict(endpoint, EndpointStep.GIVE_UP)
    assert verdict.failed
    assert "image not found" in verdict.message
    assert "delete the endpoint" in verdict.message


def test_an_observed_endpoint_that_hides_failures_is_unfit_for_training() -> None:
    verdict = observed_verdict(replace(SERVING, failure_path=None))
    assert (verdict.reason, verdict.failed) == ("EndpointUnfit", True)


def test_an_observed_asynchronous_endpoint_cannot_draw() -> None:
    assert observed_verdict(replace(SERVING, role="Inference")).reason == "EndpointUnfit"


def test_an_observed_endpoint_that_is_not_there_may_still_come() -> None:
    verdict = observed_verdict(DescribedEndpoint("Inference", "inference"))
    assert (verdict.reason, verdict.failed) == ("EndpointNotFound", False)


def test_a_failed_endpoint_gives_the_reason_before_one_under_way() -> None:
    creating = EndpointVerdict(replace(SERVING, state="Creating"), "Creating", "is being created")
    failed = EndpointVerdict(replace(SERVING, state="Failed"), "EndpointFailed", "failed", failed=True)
    summary = facts([creating, failed])
    assert (summary.ready, summary.failed, summary.reason) == (False, True, "EndpointFailed")
    assert len(summary.endpoints) == 2


@pytest.mark.parametrize("state", ["Updating", "SystemUpdating"])
def test_an_endpoint_that_only_gets_more_or_fewer_instances_serves_meanwhile(state: str) -> None:
    endpoint = replace(SERVING, state=state, config_name="training-wanted")

    step = next_step(endpoint, "training-wanted", wanted_config_created=None, now=NOW)

    assert step == EndpointStep.NONE
    assert managed_verdict(endpoint, step).reason == ""
    assert observed_verdict(endpoint).reason == ""


def test_an_endpoint_that_is_on_its_way_to_another_configuration_is_waited_for() -> None:
    endpoint = replace(
        SERVING, state="Updating", config_name="training-wanted", pending_config_name="training-other"
    )

    step = next_step(endpoint, "training-wanted", wanted_config_created=None, now=NOW)

    assert step == EndpointStep.WAIT
    assert managed_verdict(endpoint, step).reason == "Updating"
