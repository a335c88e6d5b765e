"""What is registered for a variant: its scalable target and its policies, read from moto's records; and what may be registered.

Source: RegisterScalableTarget in the Application Auto Scaling API reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sagemaker_local.errors import AwsError
from sagemaker_local.scaling import moto_records
from sagemaker_local.scaling.moto_records import Region
from sagemaker_local.scaling.policies import Policy, ScalableTarget, read_policy, resource_names


def registered_target(region: Region, resource_id: str) -> ScalableTarget | None:
    """The scalable target of a variant, or None."""
    names = resource_names(resource_id)
    for described in moto_records.scalable_targets(region):
        if described["ResourceId"] == resource_id and names is not None:
            suspended = described["SuspendedState"]
            return ScalableTarget(
                endpoint=names[0],
                variant=names[1],
                minimum=int(described["MinCapacity"] or 0),
                maximum=int(described["MaxCapacity"] or 0),
                out_suspended=bool(suspended.get("DynamicScalingOutSuspended")),
                in_suspended=bool(suspended.get("DynamicScalingInSuspended")),
            )
    return None


def registered_policies(region: Region, resource_id: str) -> list[Policy]:
    """The scaling policies of a variant."""
    return [
        read_policy(
            stored.policy_name,
            stored.policy_arn,
            resource_id,
            stored.policy_type,
            moto_records.policy_body(stored),
        )
        for stored in moto_records.stored_policies(region)
        if stored.resource_id == resource_id
    ]


def check_capacities(request: Mapping[str, Any], registered: ScalableTarget | None) -> None:
    """Refuse a RegisterScalableTarget that would leave a target without sensible bounds.

    Arguments:
        registered: what is registered already; a request may leave a bound of it as it is.

    Raises:
        AwsError: ValidationException.
    """
    minimum, maximum = request.get("MinCapacity"), request.get("MaxCapacity")
    if registered is not None:
        minimum = registered.minimum if minimum is None else minimum
        maximum = registered.maximum if maximum is None else maximum
    if minimum is None or maximum is None:
        raise AwsError(
            "ValidationException",
            "Minimum capacity and maximum capacity must be specified when a scalable target is registered for the first time",
        )
    if minimum < 0 or maximum < 0:
        raise AwsError("ValidationException", "Minimum and maximum capacity must be 0 or greater")
    if minimum > maximum:
        raise AwsError("ValidationException", "Maximum capacity cannot be less than minimum capacity")
