"""Application Auto Scaling's API, where we have to add to what moto does or answer alone.

moto stores targets, policies and scheduled actions; we let it answer first. What we add, for SageMaker variants only:

    RegisterScalableTarget     the variant must exist and the bounds make sense; the count is brought between them
    DeregisterScalableTarget   takes its policies and their alarms with it
    PutScalingPolicy           the target must be registered; one policy tracks a metric, and gets its alarms; an update keeps
                               the ARN
    DescribeScalingActivities  moto lacks it

Everything else, and every other service's targets, is moto's.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from werkzeug.wrappers import Response

from sagemaker_local.aws_clients import Scope
from sagemaker_local.control_plane.registry import EndpointRegistry
from sagemaker_local.errors import AwsError, json_response
from sagemaker_local.scaling import moto_records
from sagemaker_local.scaling.activities import ActivityLog
from sagemaker_local.scaling.autoscaler import Autoscaler
from sagemaker_local.scaling.moto_records import Region
from sagemaker_local.scaling.policies import DIMENSION, Policy, TargetTracking, read_policy, resource_names
from sagemaker_local.scaling.registrations import check_capacities, registered_policies, registered_target
from sagemaker_local.scaling.tracking_alarms import tracking_alarms
from sagemaker_local.shapes import report, service_model, violations

TARGET_PREFIX = "AnyScaleFrontendService."
SERVICE = "application-autoscaling"
MAX_RESULTS = 50
_POLICY_TYPES = ("StepScaling", "TargetTrackingScaling")

Forward = Callable[[], Response]
"""Lets moto answer the same request."""


class ScalingOperations:
    """The operations of Application Auto Scaling that are not moto's alone."""

    def __init__(self, registry: EndpointRegistry, autoscaler: Autoscaler, activities: ActivityLog) -> None:
        self._registry = registry
        self._autoscaler = autoscaler
        self._activities = activities
        self._changes = threading.Lock()
        self._own: dict[str, Callable[[Region, Mapping[str, Any], Forward], Response]] = {
            "RegisterScalableTarget": self._register,
            "DeregisterScalableTarget": self._deregister,
            "PutScalingPolicy": self._put_policy,
        }

    def answers_alone(self, operation: str) -> bool:
        """Whether moto never sees this operation."""
        return operation == "DescribeScalingActivities"

    def takes(self, operation: str) -> bool:
        """Whether an operation is ours to answer."""
        return operation in self._own or self.answers_alone(operation)

    def answer(self, operation: str, scope: Scope, request: Mapping[str, Any], forward: Forward) -> Response:
        """Answer one operation.

        Raises:
            AwsError: any refusal.
        """
        region = Region(scope.account, scope.region)
        if not self.answers_alone(operation) and (
            request.get("ServiceNamespace") != "sagemaker" or request.get("ScalableDimension") != DIMENSION
        ):
            return forward()
        found = violations(service_model(SERVICE).operation_model(operation).input_shape, request, "")
        if found:
            raise AwsError("ValidationException", report(found))
        if self.answers_alone(operation):
            return self._describe_activities(region, request)
        with self._changes:
            return self._own[operation](region, request, forward)

    def _register(self, region: Region, request: Mapping[str, Any], forward: Forward) -> Response:
        resource_id = request["ResourceId"]
        check_capacities(request, registered_target(region, resource_id))
        names = resource_names(resource_id)
        endpoint = (
            self._registry.find(Scope(region.account, region.name, ""), names[0])
            if names is not None
            else None
        )
        if names is None or endpoint is None or names[1] not in endpoint.variants:
            raise AwsError(
                "ValidationException",
                f"Variant not found in endpoint or endpoint not in service: {resource_id}. No scalable resource found for "
                f"service namespace: sagemaker, resource ID: {resource_id}, scalable dimension: {DIMENSION}",
            )
        response = forward()
        if response.status_code == 200:
            self._autoscaler.enforce_bounds(region, resource_id)
        return response

    def _deregister(self, region: Region, request: Mapping[str, Any], forward: Forward) -> Response:
        _require_registered(region, request["ResourceId"])
        response = forward()
        if response.status_code == 200:
            moto_records.delete_policies(region, request["ResourceId"])
        return response

    def _put_policy(self, region: Region, request: Mapping[str, Any], forward: Forward) -> Response:
        resource_id, name = request["ResourceId"], request["PolicyName"]
        _require_registered(region, resource_id)
        former = moto_records.find_policy(region, resource_id, name)
        kind, body = _policy_given(request, former)
        _require_only_tracker(region, resource_id, read_policy(name, "", resource_id, kind, body))
        response = forward()
        if response.status_code != 200:
            return response
        stored = moto_records.find_policy(region, resource_id, name)
        if former is not None:
            moto_records.delete_policy_alarms(region, former)
        arn = former.policy_arn if former is not None else stored.policy_arn
        policy = read_policy(name, arn, resource_id, stored.policy_type, moto_records.policy_body(stored))
        wanted = tracking_alarms(policy, resource_id) if isinstance(policy, TargetTracking) else []
        alarms = [moto_records.put_alarm(region, alarm) for alarm in wanted]
        moto_records.correct_policy(stored, arn, alarms)
        described = [{"AlarmName": alarm.name, "AlarmARN": alarm.alarm_arn} for alarm in alarms]
        return json_response({"PolicyARN": arn, "Alarms": described})

    def _describe_activities(self, region: Region, request: Mapping[str, Any]) -> Response:
        most = request.get("MaxResults", MAX_RESULTS)
        if not 1 <= most <= MAX_RESULTS:
            raise AwsError("ValidationException", f"MaxResults must be from 1 to {MAX_RESULTS}")
        if request.get("ResourceId") and not request.get("ScalableDimension"):
            raise AwsError("ValidationException", "ScalableDimension must be given with ResourceId")
        token = request.get("NextToken")
        if token is not None and not str(token).isdecimal():
            raise AwsError("InvalidNextTokenException", "The token is not one that this operation returned")
        if (
            request["ServiceNamespace"] != "sagemaker"
            or request.get("ScalableDimension", DIMENSION) != DIMENSION
        ):
            return json_response({"ScalingActivities": []})
        activities, following = self._activities.page(
            region.account,
            region.name,
            request.get("ResourceId"),
            bool(request.get("IncludeNotScaledActivities")),
            int(token) if token is not None else None,
            most,
        )
        answer: dict[str, Any] = {"ScalingActivities": [activity.described() for activity in activities]}
        if following is not None:
            answer["NextToken"] = str(following)
        return json_response(answer)


def _require_registered(region: Region, resource_id: str) -> None:
    if registered_target(region, resource_id) is None:
        raise AwsError(
            "ObjectNotFoundException",
            f"No scalable target registered for service namespace: sagemaker, resource ID: {resource_id}, "
            f"scalable dimension: {DIMENSION}",
        )


def _require_only_tracker(region: Region, resource_id: str, policy: Policy) -> None:
    if not isinstance(policy, TargetTracking):
        return
    for other in registered_policies(region, resource_id):
        if isinstance(other, TargetTracking) and other.name != policy.name and other.metric == policy.metric:
            raise AwsError(
                "ValidationException",
                "Only one TargetTrackingScaling policy for a given metric specification is allowed.",
            )


def _policy_given(request: Mapping[str, Any], former: Any) -> tuple[str, Mapping[str, Any]]:
    """The kind and the configuration of a policy; an update may leave out what stays as it is."""
    kind = request.get("PolicyType") or (former.policy_type if former is not None else None)
    if kind not in _POLICY_TYPES:
        raise AwsError(
            "ValidationException",
            f"PolicyType must be {' or '.join(_POLICY_TYPES)}; sagemaker-local does not implement predictive scaling",
        )
    given = [each for each in _POLICY_TYPES if request.get(f"{each}PolicyConfiguration") is not None]
    if given == [kind]:
        return kind, request[f"{kind}PolicyConfiguration"]
    if not given and former is not None and former.policy_type == kind:
        return kind, moto_records.policy_body(former)
    raise AwsError(
        "ValidationException", f"A {kind} policy needs {kind}PolicyConfiguration and no other configuration"
    )
