"""DeploymentConfig, read and checked."""

from __future__ import annotations

from typing import Any

import pytest

from sagemaker_local.control_plane.deployment_policy import ALL_AT_ONCE, read_deployment_policy
from sagemaker_local.errors import AwsError

FOUR = {"AllTraffic": 4}


def blue_green(kind: str = "ALL_AT_ONCE", wait: int = 60, **more: Any) -> dict[str, Any]:
    sizes: dict[str, Any] = {
        name: more.pop(name) for name in ("CanarySize", "LinearStepSize") if name in more
    }
    routing = {"Type": kind, "WaitIntervalInSeconds": wait, **sizes}
    return {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing, **more}}


def rolling(batch: dict[str, Any], **more: Any) -> dict[str, Any]:
    policy = {"MaximumBatchSize": batch, "WaitIntervalInSeconds": 60, **more}
    return {"RollingUpdatePolicy": policy}


def percent(value: int) -> dict[str, Any]:
    return {"Type": "CAPACITY_PERCENT", "Value": value}


def instances(value: int) -> dict[str, Any]:
    return {"Type": "INSTANCE_COUNT", "Value": value}


def test_without_a_configuration_all_traffic_shifts_at_once_and_nothing_bakes() -> None:
    assert read_deployment_policy(None, FOUR) == ALL_AT_ONCE
    assert not ALL_AT_ONCE.bakes


def test_waits_and_alarms_are_read() -> None:
    config = {
        **blue_green(wait=300, TerminationWaitInSeconds=120),
        "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "a"}, {"AlarmName": "b"}]},
    }
    policy = read_deployment_policy(config, FOUR)
    assert (policy.baking_seconds, policy.termination_wait_seconds) == (300, 120)
    assert policy.alarms == ("a", "b")
    assert policy.raw == config
    assert policy.bakes


def test_a_rolling_update_bakes_for_its_wait_interval() -> None:
    assert read_deployment_policy(rolling(percent(50)), FOUR).baking_seconds == 60


@pytest.mark.parametrize(
    "config",
    [
        blue_green("CANARY", CanarySize=percent(50)),
        blue_green("CANARY", CanarySize=instances(1)),
        blue_green("LINEAR", LinearStepSize=percent(10)),
        blue_green("LINEAR", LinearStepSize=instances(2)),
        blue_green(wait=300, TerminationWaitInSeconds=299, MaximumExecutionTimeoutInSeconds=600),
        rolling(percent(5)),
        rolling(instances(2), RollbackMaximumBatchSize=percent(100)),
        {"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "a"}]}},
    ],
)
def test_what_aws_allows_is_accepted(config: dict[str, Any]) -> None:
    assert read_deployment_policy(config, FOUR).raw == config


@pytest.mark.parametrize(
    ("config", "complaint"),
    [
        ({**blue_green(), **rolling(percent(50))}, "only one of"),
        (blue_green("CANARY"), "type CANARY needs CanarySize"),
        (blue_green("CANARY", CanarySize=percent(51)), "CanarySize must be from 1 to 50 percent, not 51"),
        (blue_green("CANARY", CanarySize=instances(3)), "3 of 4 is not"),
        (blue_green("LINEAR"), "type LINEAR needs LinearStepSize"),
        (blue_green("LINEAR", LinearStepSize=percent(9)), "LinearStepSize must be from 10 to 50"),
        (rolling(percent(4)), "MaximumBatchSize must be from 5 to 50"),
        (rolling(percent(5), RollbackMaximumBatchSize=percent(101)), "RollbackMaximumBatchSize must be"),
        (
            blue_green(wait=300, TerminationWaitInSeconds=300, MaximumExecutionTimeoutInSeconds=600),
            "MaximumExecutionTimeoutInSeconds (600) must be larger than all waits together (600)",
        ),
    ],
)
def test_what_aws_does_not_allow_is_refused(config: dict[str, Any], complaint: str) -> None:
    with pytest.raises(AwsError) as refused:
        read_deployment_policy(config, FOUR)
    assert complaint in refused.value.message
