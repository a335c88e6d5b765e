"""The operations of Application Auto Scaling and CloudWatch that scaling needs, each made idempotent."""

from collections.abc import Mapping
from typing import Any

from botocore import xform_name
from botocore.exceptions import ClientError

from avatar_operator.aws.clients import AwsClients
from avatar_operator.aws.errors import aws_errors, error_text
from avatar_operator.backends.sagemaker.endpoint_plan import VARIANT
from avatar_operator.backends.sagemaker.scaling_plan import (
    STEPS,
    TRACKING,
    ScalingPolicy,
    variant_of,
    wake_alarm_name,
)
from avatar_operator.backends.sagemaker.scaling_state import (
    ObservedScaling,
    RegisteredPolicy,
    ScalableTarget,
)

CONFIGURATIONS = {
    TRACKING: "TargetTrackingScalingPolicyConfiguration",
    STEPS: "StepScalingPolicyConfiguration",
}
NOT_REGISTERED = "ObjectNotFoundException"
BUSY = "in-progress"


class ScalingApi:
    """Scaling in one region.

    Args:
        clients: where calls run.
        region: the region.
    """

    def __init__(self, clients: AwsClients, region: str) -> None:
        self._clients = clients
        self._region = region

    async def observe(self, endpoint_name: str) -> ObservedScaling:
        """What is registered for an endpoint."""
        variant = variant_of(endpoint_name)
        with aws_errors(f"describe the scaling of endpoint {endpoint_name}"):
            targets = await self._autoscaling(
                "DescribeScalableTargets",
                ServiceNamespace=variant["ServiceNamespace"],
                ResourceIds=[variant["ResourceId"]],
                ScalableDimension=variant["ScalableDimension"],
            )
            policies = await self._autoscaling("DescribeScalingPolicies", **variant)
        with aws_errors(f"describe the alarm that wakes endpoint {endpoint_name}"):
            alarms = await self._clients.cloudwatch(
                self._region,
                "DescribeAlarms",
                lambda client: client.describe_alarms(AlarmNames=[wake_alarm_name(endpoint_name)]),
            )
        return ObservedScaling(
            target=next(map(_target, targets["ScalableTargets"]), None),
            policies={policy["PolicyName"]: _policy(policy) for policy in policies["ScalingPolicies"]},
            alarm=next((dict(alarm) for alarm in alarms["MetricAlarms"]), None),
        )

    async def register(self, endpoint_name: str, target: ScalableTarget) -> None:
        """Register a variant, or change what is registered."""
        with aws_errors(f"register endpoint {endpoint_name} for scaling"):
            await self._autoscaling(
                "RegisterScalableTarget",
                **variant_of(endpoint_name),
                MinCapacity=target.minimum,
                MaxCapacity=target.maximum,
                SuspendedState={
                    "DynamicScalingInSuspended": target.suspended,
                    "DynamicScalingOutSuspended": target.suspended,
                    "ScheduledScalingSuspended": target.suspended,
                },
            )

    async def put_policy(self, endpoint_name: str, policy: ScalingPolicy) -> str:
        """Register a policy, or change it; its ARN is returned."""
        with aws_errors(f"set the scaling policy {policy.name} of endpoint {endpoint_name}"):
            answer = await self._autoscaling(
                "PutScalingPolicy",
                **variant_of(endpoint_name),
                PolicyName=policy.name,
                PolicyType=policy.type,
                **{CONFIGURATIONS[policy.type]: policy.configuration},
            )
        arn: str = answer["PolicyARN"]
        return arn

    async def delete_policy(self, endpoint_name: str, name: str) -> None:
        """Take a policy away."""
        with aws_errors(f"delete the scaling policy {name} of endpoint {endpoint_name}"):
            try:
                await self._autoscaling("DeleteScalingPolicy", **variant_of(endpoint_name), PolicyName=name)
            except ClientError as error:
                _tolerate(error, NOT_REGISTERED)

    async def put_alarm(self, endpoint_name: str, alarm: Mapping[str, Any], *, action: str) -> None:
        """Have an alarm trigger a policy.

        Args:
            endpoint_name: the endpoint.
            alarm: the alarm, without its action.
            action: ARN of the policy.
        """
        with aws_errors(f"set the alarm that wakes endpoint {endpoint_name}"):
            await self._clients.cloudwatch(
                self._region,
                "PutMetricAlarm",
                lambda client: client.put_metric_alarm(**alarm, AlarmActions=[action], ActionsEnabled=True),
            )

    async def delete_alarm(self, endpoint_name: str) -> None:
        """Take the alarm away that wakes an endpoint."""
        with aws_errors(f"delete the alarm that wakes endpoint {endpoint_name}"):
            await self._clients.cloudwatch(
                self._region,
                "DeleteAlarms",
                lambda client: client.delete_alarms(AlarmNames=[wake_alarm_name(endpoint_name)]),
            )

    async def set_instances(self, endpoint_name: str, count: int) -> None:
        """Give an endpoint a number of instances."""
        with aws_errors(f"set the number of instances of endpoint {endpoint_name}"):
            try:
                await self._clients.sagemaker(
                    self._region,
                    "UpdateEndpointWeightsAndCapacities",
                    lambda client: client.update_endpoint_weights_and_capacities(
                        EndpointName=endpoint_name,
                        DesiredWeightsAndCapacities=[{"VariantName": VARIANT, "DesiredInstanceCount": count}],
                    ),
                )
            except ClientError as error:
                if not error_text(error).mention(BUSY):
                    raise

    async def deregister(self, endpoint_name: str) -> None:
        """Take a registration away, and with it every policy."""
        with aws_errors(f"deregister endpoint {endpoint_name} from scaling"):
            try:
                await self._autoscaling("DeregisterScalableTarget", **variant_of(endpoint_name))
            except ClientError as error:
                _tolerate(error, NOT_REGISTERED)

    async def _autoscaling(self, operation: str, **arguments: Any) -> Any:
        return await self._clients.autoscaling(
            self._region, operation, lambda client: getattr(client, xform_name(operation))(**arguments)
        )


def _target(described: Mapping[str, Any]) -> ScalableTarget:
    suspended = described.get("SuspendedState", {})
    return ScalableTarget(
        described["MinCapacity"],
        described["MaxCapacity"],
        suspended=bool(
            suspended.get("DynamicScalingInSuspended") or suspended.get("DynamicScalingOutSuspended")
        ),
    )


def _policy(described: Mapping[str, Any]) -> RegisteredPolicy:
    kind = described["PolicyType"]
    return RegisteredPolicy(described["PolicyARN"], kind, described.get(CONFIGURATIONS.get(kind, ""), {}))


def _tolerate(error: ClientError, code: str) -> None:
    if error.response["Error"]["Code"] != code:
        raise error
