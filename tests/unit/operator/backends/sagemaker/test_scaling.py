"""Scaling on a control plane whose alarms act: registered once, mended, taken away, and it scales to nothing and back."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from avatar_api.avatar_runtime import AvatarRuntime
from avatar_operator.backends.selection import Backend
from builders.backend_objects import eventually, make_runtime
from sagemaker_local.testing import LocalAws

WRITES = ("RegisterScalableTarget", "PutScalingPolicy", "PutMetricAlarm", "DeregisterScalableTarget")
MINUTES_PER_SECOND = 60
FROM_ZERO = {"maxInstances": 1, "scaleInCooldownSeconds": 60}


def scaled_runtime(name: str, scaling: dict[str, Any] | None, **training: Any) -> AvatarRuntime:
    """A runtime whose training endpoint scales."""
    common = {"image": "trivial", "instanceType": "ml.m5.large", "startupTimeoutSeconds": 3600}
    own = {"endpointName": f"{name}-training", **common, **training}
    return make_runtime(
        name,
        training={**own, "scaling": scaling} if scaling else own,
        inference={"endpointName": f"{name}-inference", **common},
    )


async def served(backend: Backend, runtime: AvatarRuntime) -> None:
    await eventually(lambda: backend.compute.ensure_endpoints(runtime), lambda facts: facts.ready)


@pytest.fixture
async def name(backend: Backend, local_aws: LocalAws) -> AsyncIterator[str]:
    """A name for a runtime whose endpoints are deleted after the test."""
    name = f"s{uuid.uuid4().hex[:10]}"
    local_aws.forget_calls()
    yield name
    local_aws.clear_faults()
    await eventually(lambda: backend.compute.delete_endpoints(make_runtime(name)), lambda facts: facts.ready)


@pytest.fixture
def hurried(local_aws: LocalAws) -> Iterator[None]:
    """A minute takes a second."""
    local_aws.set_clock_speed(MINUTES_PER_SECOND)
    yield
    local_aws.set_clock_speed(1)


def variant(name: str) -> dict[str, str]:
    return {
        "ServiceNamespace": "sagemaker",
        "ResourceId": f"endpoint/{name}-training/variant/AllTraffic",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    }


def registered(local_aws: LocalAws, name: str) -> tuple[list[tuple[int, int]], set[str], list[str]]:
    """Bounds, policies and alarm of a training endpoint."""
    autoscaling, where = local_aws.client("application-autoscaling"), variant(name)
    targets = autoscaling.describe_scalable_targets(
        ServiceNamespace="sagemaker", ResourceIds=[where["ResourceId"]]
    )["ScalableTargets"]
    policies = autoscaling.describe_scaling_policies(**where)["ScalingPolicies"]
    alarms = local_aws.client("cloudwatch").describe_alarms(AlarmNames=[f"{name}-training-avatars-wake"])
    return (
        [(target["MinCapacity"], target["MaxCapacity"]) for target in targets],
        {policy["PolicyName"] for policy in policies},
        [alarm["AlarmName"] for alarm in alarms["MetricAlarms"]],
    )


def writes(local_aws: LocalAws) -> int:
    return sum(len(local_aws.calls(api=api)) for api in WRITES)


async def test_scaling_is_registered_once_however_often_it_is_ensured(
    backend: Backend, local_aws: LocalAws, name: str
) -> None:
    runtime = scaled_runtime(name, {"maxInstances": 3})
    await served(backend, runtime)
    first = writes(local_aws)

    for _ in range(3):
        assert (await backend.compute.ensure_endpoints(runtime)).trouble is None

    assert registered(local_aws, name) == (
        [(0, 3)],
        {"avatars-backlog", "avatars-wake"},
        [f"{name}-training-avatars-wake"],
    )
    assert writes(local_aws) == first


async def test_a_change_in_the_console_does_not_last(
    backend: Backend, local_aws: LocalAws, name: str
) -> None:
    runtime = scaled_runtime(name, {"maxInstances": 3})
    await served(backend, runtime)
    before = registered(local_aws, name)
    autoscaling = local_aws.client("application-autoscaling")
    autoscaling.register_scalable_target(**variant(name), MinCapacity=2, MaxCapacity=9)
    autoscaling.delete_scaling_policy(**variant(name), PolicyName="avatars-backlog")
    local_aws.client("cloudwatch").delete_alarms(AlarmNames=[f"{name}-training-avatars-wake"])

    await backend.compute.ensure_endpoints(runtime)

    assert registered(local_aws, name) == before


async def test_without_the_fields_the_scaling_goes_and_the_fixed_number_comes_back(
    backend: Backend, local_aws: LocalAws, name: str
) -> None:
    await served(backend, scaled_runtime(name, {"maxInstances": 3}))
    sagemaker = local_aws.client("sagemaker")
    sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=f"{name}-training",
        DesiredWeightsAndCapacities=[{"VariantName": "AllTraffic", "DesiredInstanceCount": 0}],
    )
    fixed = scaled_runtime(name, None)

    async def look() -> tuple[Any, int]:
        await backend.compute.ensure_endpoints(fixed)
        described = sagemaker.describe_endpoint(EndpointName=f"{name}-training")
        return registered(local_aws, name), described["ProductionVariants"][0]["CurrentInstanceCount"]

    await eventually(look, lambda seen: seen == (([], set(), []), 1))


async def test_an_endpoint_is_deregistered_before_it_is_deleted(
    backend: Backend, local_aws: LocalAws, name: str
) -> None:
    runtime = scaled_runtime(name, {"maxInstances": 3})
    await served(backend, runtime)

    await eventually(lambda: backend.compute.delete_endpoints(runtime), lambda facts: facts.ready)

    assert registered(local_aws, name) == ([], set(), [])


async def test_a_roll_leaves_the_number_of_instances_to_the_scaling(
    backend: Backend, local_aws: LocalAws, name: str
) -> None:
    await served(backend, scaled_runtime(name, {"maxInstances": 3}))
    sagemaker = local_aws.client("sagemaker")
    sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=f"{name}-training",
        DesiredWeightsAndCapacities=[{"VariantName": "AllTraffic", "DesiredInstanceCount": 2}],
    )
    rolled = scaled_runtime(name, {"maxInstances": 3}, startupTimeoutSeconds=1800)
    await served(backend, rolled)

    described = sagemaker.describe_endpoint(EndpointName=f"{name}-training")
    assert described["ProductionVariants"][0]["DesiredInstanceCount"] == 2


async def test_a_denied_registration_is_told_and_keeps_no_endpoint_from_serving(
    backend: Backend, local_aws: LocalAws, name: str
) -> None:
    local_aws.add_fault(
        kind="api",
        api="RegisterScalableTarget",
        error="AccessDeniedException",
        status=400,
        message="not authorized to perform: application-autoscaling:RegisterScalableTarget",
        times=1_000,
    )
    runtime = scaled_runtime(name, {"maxInstances": 3})

    facts = await eventually(lambda: backend.compute.ensure_endpoints(runtime), lambda facts: facts.ready)

    assert facts.trouble is not None
    assert facts.trouble.reason == "AccessDenied"
    assert "RegisterScalableTarget" in facts.trouble.message


@pytest.mark.usefixtures("hurried")
async def test_a_backlog_wakes_the_endpoint_and_it_goes_to_sleep_again(
    backend: Backend, local_aws: LocalAws, name: str
) -> None:
    runtime = scaled_runtime(name, FROM_ZERO)
    await served(backend, runtime)
    sagemaker = local_aws.client("sagemaker")
    s3 = local_aws.client("s3")

    async def instances() -> tuple[int, bool]:
        facts = await backend.compute.ensure_endpoints(runtime)
        described = sagemaker.describe_endpoint(EndpointName=f"{name}-training")
        return described["ProductionVariants"][0]["CurrentInstanceCount"], facts.ready

    # Nothing to do, so the instance that it was created with goes.
    await eventually(instances, lambda seen: seen == (0, True))
    s3.put_object(Bucket="avatars-of-tests", Key=f"{name}/in", Body=b"hello")
    answer = local_aws.client("sagemaker-runtime").invoke_endpoint_async(
        EndpointName=f"{name}-training",
        InputLocation=f"s3://avatars-of-tests/{name}/in",
        InvocationTimeoutSeconds=3600,
    )
    await eventually(instances, lambda seen: seen[0] == 1)
    assert answer["OutputLocation"]
    await eventually(instances, lambda seen: seen == (0, True))
