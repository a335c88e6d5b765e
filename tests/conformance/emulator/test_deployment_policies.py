"""Updates that bake: alarms roll them back, and old instances stand by."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sagemaker_local.testing import LocalAws

AN_HOUR = 3_600


def at_once(wait: int, *alarms: str, termination_wait: int = 0) -> dict[str, Any]:
    """A DeploymentConfig."""
    routing = {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": wait}
    config: dict[str, Any] = {
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": routing,
            "TerminationWaitInSeconds": termination_wait,
        }
    }
    if alarms:
        config["AutoRollbackConfiguration"] = {"Alarms": [{"AlarmName": name} for name in alarms]}
    return config


class _Deployment:
    """An endpoint of version `old`, to be updated to version `new`, and an alarm."""

    def __init__(self, user: Any) -> None:
        self.user = user
        self.name = user.realtime_endpoint({"VERSION": "old"})
        self.before = user.described(self.name)["EndpointConfigName"]
        self.fresh = user.config(user.model(Environment={"VERSION": "new"}))
        self.alarm = f"{user.name}-errors"
        user.cloudwatch.put_metric_alarm(
            AlarmName=self.alarm,
            Namespace="nobody/measures/this",
            MetricName="Errors",
            Statistic="Sum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanThreshold",
            TreatMissingData="ignore",
        )

    def update(self, config: dict[str, Any], **more: Any) -> None:
        self.user.sagemaker.update_endpoint(
            EndpointName=self.name, EndpointConfigName=self.fresh, DeploymentConfig=config, **more
        )

    def trip(self) -> None:
        self.user.cloudwatch.set_alarm_state(AlarmName=self.alarm, StateValue="ALARM", StateReason="by hand")

    def version(self) -> str:
        answer = self.user.runtime.invoke_endpoint(
            EndpointName=self.name, Body=json.dumps({"tell": "environment"})
        )
        return str(json.loads(answer["Body"].read())["VERSION"])

    def await_baking(self) -> None:
        def baking(described: dict[str, Any]) -> bool:
            variants = described["PendingDeploymentSummary"]["ProductionVariants"]
            return [status["Status"] for status in variants[0]["VariantStatus"]] == ["Baking"]

        self.user.eventually(lambda: self.user.described(self.name), baking)

    def settled(self) -> dict[str, Any]:
        return dict(self.user.await_status(self.name, "InService"))


@pytest.fixture
def deployment(user: Any) -> Iterator[_Deployment]:
    deployment = _Deployment(user)
    yield deployment
    # An endpoint that is baking cannot be deleted.
    deployment.trip()


def test_an_alarm_during_the_baking_period_gives_the_traffic_back(deployment: _Deployment) -> None:
    deployment.update(at_once(AN_HOUR, deployment.alarm))
    deployment.await_baking()
    assert deployment.version() == "new"
    deployment.trip()
    described = deployment.settled()
    assert deployment.version() == "old"
    assert described["EndpointConfigName"] == deployment.before
    assert deployment.alarm in described["FailureReason"]


def test_without_an_alarm_the_new_keep_the_traffic(deployment: _Deployment) -> None:
    config = at_once(1, deployment.alarm)
    deployment.update(config)
    described = deployment.settled()
    assert deployment.version() == "new"
    assert described["EndpointConfigName"] == deployment.fresh
    assert described["LastDeploymentConfig"] == config
    assert "FailureReason" not in described


def test_an_alarm_that_is_on_already_stops_the_update(deployment: _Deployment) -> None:
    deployment.trip()
    deployment.update(at_once(0, deployment.alarm))
    described = deployment.settled()
    assert deployment.version() == "old"
    assert deployment.alarm in described["FailureReason"]


def test_an_alarm_that_does_not_exist_stops_the_update(deployment: _Deployment) -> None:
    deployment.update(at_once(0, "no-such-alarm"))
    described = deployment.settled()
    assert deployment.version() == "old"
    assert "no-such-alarm" in described["FailureReason"]


def test_old_instances_that_are_kept_end_with_their_endpoint(
    deployment: _Deployment, emulator: LocalAws
) -> None:
    (old,) = emulator.instances(deployment.name)
    deployment.update(at_once(0, termination_wait=AN_HOUR))
    deployment.settled()
    assert deployment.version() == "new"
    assert Path(f"/proc/{old['pid']}").exists()
    deployment.user.leave()
    deployment.user.eventually(lambda: not Path(f"/proc/{old['pid']}").exists())


def test_the_last_deployment_configuration_can_be_retained(deployment: _Deployment) -> None:
    config = at_once(0)
    deployment.update(config)
    deployment.settled()
    again = {"EndpointName": deployment.name, "EndpointConfigName": deployment.before}
    deployment.user.sagemaker.update_endpoint(**again, RetainDeploymentConfig=True)
    assert deployment.settled()["LastDeploymentConfig"] == config
    deployment.user.sagemaker.update_endpoint(**again)
    assert "LastDeploymentConfig" not in deployment.settled()
