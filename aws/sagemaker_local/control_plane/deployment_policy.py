"""How the endpoint is to be updated: a DeploymentConfig, read and checked. Pure.

Whatever the strategy, an update is carried out here as a blue/green deployment that shifts all traffic at once: new instances
are brought up beside the old ones, take all requests for the baking period, and keep them unless an alarm goes off. CANARY and
LINEAR routing and rolling updates are checked and described as on AWS, but their steps are not taken.

Sources: DeploymentConfig and the shapes below it in the SageMaker API reference, whose sentences on sizes and time-outs are the
checks here (AWS's wording of these refusals is not known); "Auto-Rollback Configuration and Monitoring" in the guide.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sagemaker_local.errors import AwsError, validation_exception

# Per size: the least and the most percent of a variant's instances.
_CANARY, _LINEAR_STEP, _ROLLING_BATCH, _ROLLBACK_BATCH = (1, 50), (10, 50), (5, 50), (1, 100)


@dataclass(frozen=True)
class DeploymentPolicy:
    """A DeploymentConfig; without arguments what SageMaker does when none is given.

    Attributes:
        raw: the configuration as given, for DescribeEndpoint; None when none was.
        baking_seconds: AWS seconds for which the alarms are watched once the new instances have the traffic.
        termination_wait_seconds: AWS seconds for which the old instances are kept after the update.
        alarms: names of the alarms that roll the update back.
    """

    raw: Mapping[str, Any] | None = None
    baking_seconds: float = 0.0
    termination_wait_seconds: float = 0.0
    alarms: tuple[str, ...] = ()

    @property
    def bakes(self) -> bool:
        """Whether new instances have to prove themselves before the old ones go."""
        return bool(self.baking_seconds or self.alarms)


ALL_AT_ONCE = DeploymentPolicy()


def read_deployment_policy(
    config: Mapping[str, Any] | None, instance_counts: Mapping[str, int]
) -> DeploymentPolicy:
    """Read a DeploymentConfig that botocore's model finds nothing wrong with.

    Arguments:
        instance_counts: by variant, how many instances there will be.

    Raises:
        AwsError: ValidationException.
    """
    if config is None:
        return ALL_AT_ONCE
    blue_green, rolling = config.get("BlueGreenUpdatePolicy"), config.get("RollingUpdatePolicy")
    if blue_green is not None and rolling is not None:
        raise _refusal("only one of BlueGreenUpdatePolicy and RollingUpdatePolicy can be used")
    baking = termination_wait = 0
    if blue_green is not None:
        routing = blue_green["TrafficRoutingConfiguration"]
        baking, termination_wait = (
            routing["WaitIntervalInSeconds"],
            blue_green.get("TerminationWaitInSeconds", 0),
        )
        for kind, member, bounds in (
            ("CANARY", "CanarySize", _CANARY),
            ("LINEAR", "LinearStepSize", _LINEAR_STEP),
        ):
            if routing["Type"] == kind and member not in routing:
                raise _refusal(f"traffic routing of type {kind} needs {member}")
            if routing["Type"] == kind:
                _require_size(member, routing[member], bounds, instance_counts)
    if rolling is not None:
        baking = rolling["WaitIntervalInSeconds"]
        _require_size("MaximumBatchSize", rolling["MaximumBatchSize"], _ROLLING_BATCH, instance_counts)
        if "RollbackMaximumBatchSize" in rolling:
            size = rolling["RollbackMaximumBatchSize"]
            _require_size("RollbackMaximumBatchSize", size, _ROLLBACK_BATCH, instance_counts)
    longest = (blue_green or rolling or {}).get("MaximumExecutionTimeoutInSeconds")
    if longest is not None and longest <= baking + termination_wait:
        raise _refusal(
            f"MaximumExecutionTimeoutInSeconds ({longest}) must be larger than all waits together ({baking + termination_wait})"
        )
    alarms = (config.get("AutoRollbackConfiguration") or {}).get("Alarms") or ()
    names = tuple(alarm["AlarmName"] for alarm in alarms if "AlarmName" in alarm)
    return DeploymentPolicy(config, float(baking), float(termination_wait), names)


def _require_size(
    member: str, size: Mapping[str, Any], bounds: tuple[int, int], instance_counts: Mapping[str, int]
) -> None:
    least, most = bounds
    if size["Type"] == "CAPACITY_PERCENT":
        if not least <= size["Value"] <= most:
            raise _refusal(f"{member} must be from {least} to {most} percent, not {size['Value']}")
        return
    for variant, count in instance_counts.items():
        if count and not least * count <= size["Value"] * 100 <= most * count:
            raise _refusal(
                f"{member} must be from {least} to {most} percent of the instances of variant {variant}, "
                f"and {size['Value']} of {count} is not"
            )


def _refusal(what: str) -> AwsError:
    return validation_exception(f"Invalid DeploymentConfig: {what}.")
