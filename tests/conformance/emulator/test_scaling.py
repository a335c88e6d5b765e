"""Alarms that act, on a fast clock: those that need metrics made up, states set by hand, or a look into the emulator."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from conformance.scaled_endpoint import MINUTES_PER_SECOND, PATIENT_INVOCATION, PATIENT_START, ScaledEndpoint
from sagemaker_local.testing import LocalAws


def test_target_tracking_adds_as_many_instances_as_the_metric_asks_for(emulator: LocalAws, user: Any) -> None:
    scaled = ScaledEndpoint(user, user.async_endpoint(**PATIENT_START), 0, 3)
    alarms = scaled.follow_backlog()
    emulator.set_clock_speed(MINUTES_PER_SECOND)
    scaled.await_count(3, lambda: scaled.metric("ApproximateBacklogSizePerInstance", 14))
    scaled.await_activity(
        Description="Setting desired instance count to 3.",
        StatusCode="Successful",
        Cause=f"monitor alarm {alarms['AlarmHigh']} in state ALARM triggered policy tracking",
    )


def test_an_endpoint_at_zero_wakes_up_for_its_queue(emulator: LocalAws, user: Any) -> None:
    name = user.async_endpoint(**PATIENT_START)
    user.scale(name, 0)
    scaled = ScaledEndpoint(user, name, 0, 1)
    topic, receive = user.topic_with_queue("alarms")
    alarm = scaled.step(+1, "has-backlog", actions=[topic])
    answer = user.invoke_async(name, **PATIENT_INVOCATION)
    emulator.set_clock_speed(MINUTES_PER_SECOND)
    scaled.await_count(1, lambda: scaled.metric("HasBacklogWithoutCapacity", 1))
    assert user.await_object(answer["OutputLocation"])["Body"] == b"hello"
    told = receive(1, keep_tests=True)[0]
    assert (told["AlarmName"], told["NewStateValue"], told["OldStateValue"]) == (
        alarm,
        "ALARM",
        "INSUFFICIENT_DATA",
    )
    assert "greater than or equal to the threshold (1.0)" in told["NewStateReason"]


def test_a_state_set_by_hand_acts_like_any_other(user: Any) -> None:
    scaled = ScaledEndpoint(user, user.async_endpoint(), 1, 2)
    alarm = scaled.step(+1, "by-hand")
    scaled.set_state(alarm, "ALARM")
    scaled.await_count(2)
    cause = f"monitor alarm {alarm} in state ALARM triggered policy step-by-hand"
    scaled.await_activity(Cause=cause, StatusCode="Successful")


def test_an_alarm_that_changes_nothing_is_a_not_scaled_activity(user: Any) -> None:
    scaled = ScaledEndpoint(user, user.async_endpoint(), 1, 1)
    scaled.set_state(scaled.step(+1, "at-maximum"), "ALARM")
    activity = scaled.await_activity(Description="Attempting to scale due to alarm triggered")
    assert activity["NotScaledReasons"] == [{"Code": "AlreadyAtMaxCapacity", "MaxCapacity": 1}]
    assert scaled.activities() == []
    assert scaled.counts() == (1, 1)


def test_an_instance_that_is_removed_finishes_its_work(emulator: LocalAws, user: Any, tmp_path: Path) -> None:
    scaled = ScaledEndpoint(user, user.async_endpoint(), 0, 1)
    gate = tmp_path / "gate"
    answer = user.invoke_async(scaled.name, {"gate": str(gate), "status": 200, "body": "finished"})
    user.eventually(lambda: [each for each in emulator.instances(scaled.name) if each["in_flight"] == 1])
    alarm = scaled.step(-1, "idle", ComparisonOperator="LessThanOrEqualToThreshold")
    scaled.set_state(alarm, "ALARM")
    scaled.await_count(0)
    gate.touch()
    assert user.await_object(answer["OutputLocation"])["Body"] == b"finished"


def test_suspended_scaling_does_nothing_until_it_is_resumed(user: Any) -> None:
    state = {
        "DynamicScalingInSuspended": False,
        "DynamicScalingOutSuspended": True,
        "ScheduledScalingSuspended": False,
    }
    scaled = ScaledEndpoint(user, user.async_endpoint(), 1, 2, SuspendedState=state)
    other = ScaledEndpoint(user, user.async_endpoint(), 1, 2)
    suspended, free = scaled.step(+1, "suspended"), other.step(+1, "free")
    scaled.set_state(suspended, "ALARM")
    other.set_state(free, "ALARM")
    other.await_count(2)
    assert scaled.counts() == (1, 1)


def test_a_real_time_endpoint_that_shall_scale_to_zero_stays_and_says_why(user: Any) -> None:
    scaled = ScaledEndpoint(user, user.realtime_endpoint(), 0, 0)
    activity = scaled.await_activity(Description="Setting desired instance count to 0.", StatusCode="Failed")
    assert "only endpoints with AsyncInferenceConfig can have no instances" in activity["StatusMessage"]
    assert scaled.counts() == (1, 1)


def test_a_real_time_endpoint_cannot_retain_the_zero_of_an_asynchronous_one(user: Any) -> None:
    name = user.async_endpoint()
    user.scale(name, 0)
    with pytest.raises(ClientError, match="ValidationException"):
        user.sagemaker.update_endpoint(
            EndpointName=name,
            EndpointConfigName=user.config(user.model()),
            RetainAllVariantProperties=True,
        )
    assert "AsyncInferenceConfig" in user.described(name)


def test_asynchronous_requests_go_to_the_variant_that_has_instances(user: Any) -> None:
    model = user.model()
    variants = [user.variant(model, VariantName=name) for name in ("empty", "serving")]
    name = user.endpoint(user.config_of(variants, user.async_config()))
    user.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=name,
        DesiredWeightsAndCapacities=[{"VariantName": "empty", "DesiredInstanceCount": 0}],
    )
    user.await_status(name, "InService")
    answers = [user.invoke_async(name) for _ in range(8)]
    assert [user.await_object(answer["OutputLocation"])["Body"] for answer in answers] == [b"hello"] * 8


@pytest.mark.parametrize(("statistic", "period"), [("p90", 60), ("Sum", 10)])
def test_alarms_of_other_statistics_and_periods_are_evaluated(
    emulator: LocalAws, user: Any, statistic: str, period: int
) -> None:
    kind = "ExtendedStatistic" if statistic.startswith("p") else "Statistic"
    name = f"{user.name}-{statistic}"
    emulator.set_clock_speed(MINUTES_PER_SECOND)
    user.cloudwatch.put_metric_alarm(
        AlarmName=name,
        Namespace=user.name,
        MetricName="Custom",
        EvaluationPeriods=1,
        Threshold=3,
        ComparisonOperator="GreaterThanThreshold",
        Period=period,
        **{kind: statistic},
    )

    def state() -> str:
        user.cloudwatch.put_metric_data(
            Namespace=user.name, MetricData=[{"MetricName": "Custom", "Value": 7.0}]
        )
        alarm = user.cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"][0]
        return str(alarm["StateValue"])

    assert user.eventually(state, lambda seen: seen == "ALARM")
