"""What to do about an endpoint's scaling, from one look at what is registered."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from avatar_operator.backends.sagemaker.scaling_plan import ScalingPlan, scaling_plan
from avatar_operator.backends.sagemaker.scaling_state import (
    DeleteAlarm,
    DeletePolicy,
    Deregister,
    ObservedScaling,
    PutAlarm,
    PutPolicy,
    Register,
    RegisteredPolicy,
    ScalableTarget,
    SetInstances,
    steps_to,
    steps_to_fixed,
)
from builders.backend_objects import make_runtime


def _training(**scaling: Any) -> ScalingPlan:
    endpoint = {"endpointName": "t", "image": "i", "scaling": {"maxInstances": 4, **scaling}}
    plan = scaling_plan(make_runtime(training=endpoint), "Training")
    assert plan is not None
    return plan


def _as_planned(plan: ScalingPlan) -> ObservedScaling:
    """What AWS tells of a plan that was carried out: with its own defaults, and integers where it has them."""
    policies = {
        policy.name: RegisteredPolicy(
            f"arn:{policy.name}", policy.type, {**policy.configuration, "DisableScaleIn": False}
        )
        for policy in plan.policies
    }
    alarm = (
        None if plan.alarm is None else {**plan.alarm, "AlarmActions": ["arn:avatars-wake"], "AlarmArn": "x"}
    )
    return ObservedScaling(ScalableTarget(plan.minimum, plan.maximum), policies, alarm)


def test_trainings_scale_from_nothing_by_the_backlog_of_each_instance() -> None:
    plan = _training(backlogPerInstance=2)

    assert (plan.minimum, plan.maximum) == (0, 4)
    backlog, wake = plan.policies
    assert backlog.configuration["TargetValue"] == 2
    metric = backlog.configuration["CustomizedMetricSpecification"]
    assert metric["MetricName"] == "ApproximateBacklogSizePerInstance"
    assert metric["Dimensions"] == [{"Name": "EndpointName", "Value": "t"}]
    assert wake.configuration["StepAdjustments"][0]["ScalingAdjustment"] == 1
    assert plan.alarm is not None
    assert plan.alarm["MetricName"] == "HasBacklogWithoutCapacity"


def test_no_second_instance_is_woken_while_the_first_one_starts() -> None:
    wake = _training(scaleOutCooldownSeconds=60).policies[1]

    assert wake.configuration["Cooldown"] == 600


def test_where_one_instance_stays_nothing_has_to_wake() -> None:
    plan = _training(minInstances=1)

    assert [policy.name for policy in plan.policies] == ["avatars-backlog"]
    assert plan.alarm is None


def test_drawing_scales_by_its_traffic() -> None:
    endpoint = {
        "endpointName": "d",
        "image": "i",
        "scaling": {"maxInstances": 3, "invocationsPerInstancePerMinute": 9},
    }
    plan = scaling_plan(make_runtime(inference=endpoint), "Inference")

    assert plan is not None
    assert (plan.minimum, plan.maximum, plan.alarm) == (1, 3, None)
    (policy,) = plan.policies
    predefined = {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"}
    assert policy.configuration["PredefinedMetricSpecification"] == predefined
    assert policy.configuration["TargetValue"] == 9


def test_without_the_fields_nothing_is_scaled() -> None:
    assert scaling_plan(make_runtime(), "Training") is None
    assert scaling_plan(make_runtime(), "Inference") is None


def test_a_new_endpoint_gets_everything_in_an_order_that_works() -> None:
    plan = _training()

    steps = steps_to(plan, ObservedScaling())

    backlog, wake = plan.policies
    assert plan.alarm is not None
    assert steps == [
        Register(ScalableTarget(0, 4)),
        PutPolicy(backlog),
        PutPolicy(wake),
        PutAlarm(plan.alarm),
    ]


@pytest.mark.parametrize("plan", [_training(), _training(minInstances=1)], ids=["from zero", "from one"])
def test_what_is_as_planned_is_left_alone(plan: ScalingPlan) -> None:
    assert steps_to(plan, _as_planned(plan)) == []


def test_drift_is_mended_and_nothing_else_is_touched() -> None:
    plan = _training()
    good = _as_planned(plan)
    backlog = good.policies["avatars-backlog"]
    other_target = replace(backlog, configuration={**backlog.configuration, "TargetValue": 50.0})
    assert good.alarm is not None
    assert plan.alarm is not None

    assert steps_to(plan, replace(good, target=ScalableTarget(0, 2))) == [Register(ScalableTarget(0, 4))]
    assert steps_to(plan, replace(good, target=ScalableTarget(0, 4, suspended=True))) == [
        Register(ScalableTarget(0, 4))
    ]
    assert steps_to(plan, replace(good, policies={**good.policies, "avatars-backlog": other_target})) == [
        PutPolicy(plan.policies[0])
    ]
    assert steps_to(plan, replace(good, alarm={**good.alarm, "Threshold": 9.0})) == [PutAlarm(plan.alarm)]
    assert steps_to(plan, replace(good, alarm={**good.alarm, "AlarmActions": []})) == [PutAlarm(plan.alarm)]


def test_policies_of_other_people_stay() -> None:
    plan = _training()
    good = _as_planned(plan)
    theirs = RegisteredPolicy("arn:theirs", "TargetTrackingScaling", {})

    assert steps_to(plan, replace(good, policies={**good.policies, "theirs": theirs})) == []


def test_what_wakes_goes_when_one_instance_stays() -> None:
    assert steps_to(_training(minInstances=1), _as_planned(_training())) == [
        Register(ScalableTarget(1, 4)),
        DeleteAlarm(),
        DeletePolicy("avatars-wake"),
    ]


def test_scaling_that_nobody_wants_any_more_goes_in_steps_that_survive_a_crash() -> None:
    good = _as_planned(_training())
    suspended = replace(good, target=ScalableTarget(0, 4, suspended=True))

    assert steps_to_fixed(good, instances=0, wanted=1) == [Register(ScalableTarget(0, 4, suspended=True))]
    assert steps_to_fixed(suspended, instances=0, wanted=1) == [SetInstances(1)]
    assert steps_to_fixed(suspended, instances=1, wanted=1) == [DeleteAlarm(), Deregister()]
    assert steps_to_fixed(ObservedScaling(alarm=good.alarm), instances=1, wanted=1) == [DeleteAlarm()]
    assert steps_to_fixed(ObservedScaling(), instances=1, wanted=1) == []


def test_scaling_that_other_people_registered_stays() -> None:
    theirs = ObservedScaling(
        ScalableTarget(1, 9), {"theirs": RegisteredPolicy("arn:theirs", "StepScaling", {})}
    )

    assert steps_to_fixed(theirs, instances=5, wanted=1) == []
