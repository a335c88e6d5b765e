"""Application Auto Scaling for endpoint variants, as far as AWS documents it without waiting for alarms (reference 2.5)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from botocore.exceptions import ClientError

UUID = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"


@pytest.fixture(scope="module")
def variant(module_user: Any) -> dict[str, str]:
    """The variant of an asynchronous endpoint of one instance, as Application Auto Scaling names it."""
    return {
        "ServiceNamespace": "sagemaker",
        "ResourceId": f"endpoint/{module_user.async_endpoint()}/variant/AllTraffic",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    }


@pytest.fixture
def deployed(module_user: Any, variant: dict[str, str]) -> Iterator[tuple[Any, dict[str, str]]]:
    """A user and that variant, which is not registered before and after the test."""
    yield module_user, variant
    with suppress(module_user.autoscaling.exceptions.ObjectNotFoundException):
        module_user.autoscaling.deregister_scalable_target(**variant)


def backlog(endpoint_resource: str, target: float = 5.0, **more: Any) -> dict[str, Any]:
    """AWS's recipe for asynchronous endpoints: follow the backlog per instance."""
    return {
        "TargetValue": target,
        "CustomizedMetricSpecification": {
            "MetricName": "ApproximateBacklogSizePerInstance",
            "Namespace": "AWS/SageMaker",
            "Dimensions": [{"Name": "EndpointName", "Value": endpoint_resource.split("/")[1]}],
            "Statistic": "Average",
        },
        **more,
    }


def follow_backlog(user: Any, variant: dict[str, str], name: str, **more: Any) -> dict[str, Any]:
    user.autoscaling.register_scalable_target(**variant, MinCapacity=0, MaxCapacity=2)
    policy: dict[str, Any] = user.autoscaling.put_scaling_policy(
        **variant,
        PolicyName=name,
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration=backlog(variant["ResourceId"], **more),
    )
    return policy


def registered(user: Any, variant: dict[str, str]) -> list[tuple[int, int]]:
    """The minimum and maximum that are registered for the variant."""
    targets = user.autoscaling.describe_scalable_targets(
        ServiceNamespace="sagemaker", ResourceIds=[variant["ResourceId"]]
    )["ScalableTargets"]
    return [(target["MinCapacity"], target["MaxCapacity"]) for target in targets]


def bring_to(user: Any, variant: dict[str, str], count: int) -> None:
    """Register a count as minimum and maximum, and wait until the variant has so many instances and takes changes again."""
    user.autoscaling.register_scalable_target(**variant, MinCapacity=count, MaxCapacity=count)

    def state() -> tuple[str, int, int]:
        described = user.described(variant["ResourceId"].split("/")[1])
        (only,) = described["ProductionVariants"]
        return described["EndpointStatus"], only["CurrentInstanceCount"], only["DesiredInstanceCount"]

    user.eventually(state, lambda seen: seen == ("InService", count, count))


def test_target_tracking_makes_its_two_alarms(deployed: tuple[Any, dict[str, str]]) -> None:
    user, variant = deployed
    policy = follow_backlog(user, variant, "two-alarms")
    names = [alarm["AlarmName"] for alarm in policy["Alarms"]]
    prefix = re.escape(f"TargetTracking-{variant['ResourceId']}")
    assert sorted(re.sub(f"^{prefix}-(Alarm(High|Low))-{UUID}$", r"\1", name) for name in names) == [
        "AlarmHigh",
        "AlarmLow",
    ]
    stored = user.cloudwatch.describe_alarms(AlarmNames=names)["MetricAlarms"]
    assert {
        (alarm["ComparisonOperator"], alarm["Threshold"], alarm["EvaluationPeriods"], alarm["Period"])
        for alarm in stored
    } == {("GreaterThanThreshold", 5.0, 3, 60), ("LessThanThreshold", 4.5, 15, 60)}
    assert all(alarm["AlarmActions"][0].startswith(policy["PolicyARN"]) for alarm in stored)
    described = user.autoscaling.describe_scaling_policies(
        ServiceNamespace="sagemaker", ResourceId=variant["ResourceId"]
    )["ScalingPolicies"]
    assert [each["AlarmName"] for each in described[0]["Alarms"]] == names


def test_an_updated_policy_keeps_its_arn_and_replaces_its_alarms(
    deployed: tuple[Any, dict[str, str]],
) -> None:
    user, variant = deployed
    first = follow_backlog(user, variant, "updated")
    second = follow_backlog(user, variant, "updated", target=9.0)
    assert second["PolicyARN"] == first["PolicyARN"]
    thresholds = [
        alarm["Threshold"]
        for alarm in user.cloudwatch.describe_alarms(
            AlarmNames=[alarm["AlarmName"] for alarm in (*first["Alarms"], *second["Alarms"])]
        )["MetricAlarms"]
    ]
    assert sorted(thresholds) == [pytest.approx(8.1), 9.0]


def test_a_deregistered_target_takes_its_policies_and_alarms_along(
    deployed: tuple[Any, dict[str, str]],
) -> None:
    user, variant = deployed
    policy = follow_backlog(user, variant, "deregistered")
    user.autoscaling.deregister_scalable_target(**variant)
    described = user.autoscaling.describe_scaling_policies(
        ServiceNamespace="sagemaker", ResourceId=variant["ResourceId"]
    )
    assert described["ScalingPolicies"] == []
    names = [alarm["AlarmName"] for alarm in policy["Alarms"]]
    assert user.cloudwatch.describe_alarms(AlarmNames=names)["MetricAlarms"] == []


def test_a_policy_needs_a_registered_target(deployed: tuple[Any, dict[str, str]]) -> None:
    user, variant = deployed
    unregistered = {**variant, "ResourceId": f"endpoint/{user.name}-nowhere/variant/AllTraffic"}
    with pytest.raises(ClientError, match="ObjectNotFoundException"):
        user.autoscaling.put_scaling_policy(
            **unregistered,
            PolicyName="p",
            PolicyType="TargetTrackingScaling",
            TargetTrackingScalingPolicyConfiguration=backlog(unregistered["ResourceId"]),
        )


def test_only_a_variant_that_exists_can_be_registered(deployed: tuple[Any, dict[str, str]]) -> None:
    user, variant = deployed
    nowhere = {**variant, "ResourceId": f"endpoint/{user.name}-nowhere/variant/AllTraffic"}
    with pytest.raises(ClientError, match="ValidationException"):
        user.autoscaling.register_scalable_target(**nowhere, MinCapacity=0, MaxCapacity=1)


@pytest.mark.parametrize(
    "bounds",
    [
        {},
        {"MinCapacity": 1},
        {"MaxCapacity": 1},
        {"MinCapacity": -2, "MaxCapacity": -1},
        {"MinCapacity": 2, "MaxCapacity": 1},
        {"MinCapacity": "one", "MaxCapacity": 1},
    ],
    ids=str,
)
def test_a_first_registration_needs_sensible_bounds(
    deployed: tuple[Any, dict[str, str]], bounds: dict[str, Any]
) -> None:
    user, variant = deployed
    with pytest.raises(ClientError, match=r"ValidationException|SerializationException"):
        user.autoscaling.register_scalable_target(**variant, **bounds)
    assert registered(user, variant) == []


def test_a_new_bound_must_suit_the_one_that_stays(deployed: tuple[Any, dict[str, str]]) -> None:
    user, variant = deployed
    user.autoscaling.register_scalable_target(**variant, MinCapacity=0, MaxCapacity=1)
    with pytest.raises(ClientError, match="ValidationException"):
        user.autoscaling.register_scalable_target(**variant, MinCapacity=5)
    user.autoscaling.register_scalable_target(**variant, MaxCapacity=2)
    assert registered(user, variant) == [(0, 2)]


def test_deregistering_what_is_not_registered_is_refused(deployed: tuple[Any, dict[str, str]]) -> None:
    user, variant = deployed
    with pytest.raises(ClientError, match="ObjectNotFoundException"):
        user.autoscaling.deregister_scalable_target(**variant)


@pytest.mark.parametrize(
    "wrong",
    [
        {"PolicyType": "StepScaling"},
        {
            "PolicyType": "StepScaling",
            "StepScalingPolicyConfiguration": {
                "AdjustmentType": "ChangeInCapacity",
                "StepAdjustments": [{"MetricIntervalLowerBound": 0}],
            },
        },
        {
            "PolicyType": "TargetTrackingScaling",
            "TargetTrackingScalingPolicyConfiguration": backlog("endpoint/e/variant/v", target=0),
        },
        {"TargetTrackingScalingPolicyConfiguration": backlog("endpoint/e/variant/v")},
    ],
    ids=["no configuration", "a step without adjustment", "a target of zero", "no type"],
)
def test_a_policy_that_makes_no_sense_is_refused(
    deployed: tuple[Any, dict[str, str]], wrong: dict[str, Any]
) -> None:
    user, variant = deployed
    user.autoscaling.register_scalable_target(**variant, MinCapacity=0, MaxCapacity=1)
    with pytest.raises(ClientError, match="ValidationException"):
        user.autoscaling.put_scaling_policy(**variant, PolicyName="wrong", **wrong)
    described = user.autoscaling.describe_scaling_policies(
        ServiceNamespace="sagemaker", ResourceId=variant["ResourceId"]
    )
    assert described["ScalingPolicies"] == []


def test_only_one_policy_may_track_a_metric(deployed: tuple[Any, dict[str, str]]) -> None:
    user, variant = deployed
    follow_backlog(user, variant, "first")
    with pytest.raises(
        ClientError, match="Only one TargetTrackingScaling policy for a given metric specification is allowed"
    ):
        follow_backlog(user, variant, "second")


def test_a_new_minimum_is_brought_about_and_listed_as_an_activity(
    deployed: tuple[Any, dict[str, str]],
) -> None:
    user, variant = deployed
    user.autoscaling.register_scalable_target(**variant, MinCapacity=2, MaxCapacity=2)
    (activity, *_) = user.eventually(
        lambda: [
            each
            for each in user.autoscaling.describe_scaling_activities(**variant)["ScalingActivities"]
            if each["Cause"] == "minimum capacity was set to 2" and "EndTime" in each
        ]
    )
    assert {name: activity[name] for name in ("Description", "StatusCode", "StatusMessage")} == {
        "Description": "Setting desired instance count to 2.",
        "StatusCode": "Successful",
        "StatusMessage": "Successfully set desired instance count to 2. Change successfully fulfilled by sagemaker.",
    }
    assert activity["StartTime"] <= activity["EndTime"]
    described = user.described(variant["ResourceId"].split("/")[1])["ProductionVariants"][0]
    assert (described["CurrentInstanceCount"], described["DesiredInstanceCount"]) == (2, 2)


def test_activities_come_in_pages_newest_first(deployed: tuple[Any, dict[str, str]]) -> None:
    user, variant = deployed
    for count in (1, 2, 1):
        bring_to(user, variant, count)
    every = user.eventually(
        lambda: user.autoscaling.describe_scaling_activities(**variant)["ScalingActivities"],
        lambda listed: [each["StatusCode"] for each in listed[:2]] == ["Successful", "Successful"],
    )
    assert [each["Description"] for each in every[:2]] == [
        "Setting desired instance count to 1.",
        "Setting desired instance count to 2.",
    ]
    starts = [each["StartTime"] for each in every]
    assert starts == sorted(starts, reverse=True)
    pages = user.autoscaling.get_paginator("describe_scaling_activities").paginate(
        **variant, PaginationConfig={"PageSize": 1}
    )
    paged = [activity for page in pages for activity in page["ScalingActivities"]]
    assert [each["ActivityId"] for each in paged] == [each["ActivityId"] for each in every]


@pytest.mark.parametrize(
    "wrong", [{"MaxResults": 51}, {"NextToken": "not-one-of-yours"}, {"ServiceNamespace": "nothing"}]
)
def test_a_wrong_request_for_activities_is_refused(
    deployed: tuple[Any, dict[str, str]], wrong: dict[str, Any]
) -> None:
    user, variant = deployed
    with pytest.raises(ClientError, match=r"ValidationException|InvalidNextTokenException"):
        user.autoscaling.describe_scaling_activities(**{**variant, **wrong})
