"""CreateEndpoint to DeleteEndpoint: statuses, refusals, and descriptions that tell the truth (reference 2.3, 3.1)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError


def test_an_endpoint_is_creating_until_its_container_answers_ping(user: Any) -> None:
    gate = user.gate()
    name = user.endpoint(user.config(user.model(Environment=gate.environment)), status="Creating")
    variants = user.described(name).get("ProductionVariants", [])
    assert sum(variant.get("CurrentInstanceCount", 0) for variant in variants) == 0
    gate.open()
    variant = user.await_status(name, "InService")["ProductionVariants"][0]
    assert (variant["CurrentInstanceCount"], variant["DesiredInstanceCount"]) == (1, 1)


def test_an_endpoint_whose_container_cannot_start_fails_with_the_reason(user: Any) -> None:
    name = user.endpoint(user.config(user.model(Environment={"FAIL_AT_START": "1"})), status="Failed")
    reason = user.described(name)["FailureReason"]
    assert reason.startswith(
        "The primary container for production variant AllTraffic did not pass the ping health check. "
        "Please check CloudWatch logs for this endpoint."
    )


def test_a_failed_endpoint_can_only_be_deleted(user: Any) -> None:
    config = user.config(user.model(Environment={"FAIL_AT_START": "1"}))
    name = user.endpoint(config, status="Failed")
    with pytest.raises(ClientError, match="ValidationException"):
        user.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=config)
    user.sagemaker.delete_endpoint(EndpointName=name)


def test_missing_model_data_is_refused_or_fails_the_endpoint(user: Any) -> None:
    url = f"s3://{user.bucket}/no/model.tar.gz"
    assert "model data" in refusal_or_failure(user, url)


def test_model_data_that_is_no_archive_fails_the_endpoint(user: Any) -> None:
    user.s3.put_object(Bucket=user.bucket, Key="model.tar.gz", Body=b"not an archive")
    url = f"s3://{user.bucket}/model.tar.gz"
    name = user.endpoint(user.config(user.model(ModelDataUrl=url)), status="Failed")
    assert user.described(name)["FailureReason"]


def test_an_endpoint_that_is_changing_cannot_be_updated_or_deleted(user: Any) -> None:
    config = user.config(user.model(Environment=user.gate().environment))
    name = user.endpoint(config, status="Creating")
    with pytest.raises(ClientError, match="ValidationException"):
        user.sagemaker.delete_endpoint(EndpointName=name)
    with pytest.raises(ClientError, match="ValidationException"):
        user.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=config)


def test_describe_tells_the_async_config_the_images_and_the_config_name(user: Any) -> None:
    asynchronous = user.async_config(concurrency=3)
    config = user.config(user.model(), asynchronous)
    described = user.described(user.endpoint(config))
    assert described["EndpointConfigName"] == config
    assert described["AsyncInferenceConfig"] == asynchronous
    image = described["ProductionVariants"][0]["DeployedImages"][0]
    assert image["SpecifiedImage"] == user.target.image
    assert "@sha256:" in image["ResolvedImage"]


def test_the_waiter_of_boto3_works(user: Any) -> None:
    name = user.endpoint(user.config(user.model()), status=None)
    user.sagemaker.get_waiter("endpoint_in_service").wait(
        EndpointName=name, WaiterConfig={"Delay": 1, "MaxAttempts": int(user.target.patience)}
    )


def test_listing_shows_the_living_status(user: Any) -> None:
    gate = user.gate()
    name = user.endpoint(user.config(user.model(Environment=gate.environment)), status="Creating")
    listed = user.sagemaker.list_endpoints(NameContains=name)["Endpoints"]
    assert [endpoint["EndpointStatus"] for endpoint in listed] == ["Creating"]
    gate.open()
    user.await_status(name, "InService")
    listed = user.sagemaker.list_endpoints(NameContains=name, StatusEquals="InService")["Endpoints"]
    assert [endpoint["EndpointName"] for endpoint in listed] == [name]


def test_tags_of_an_endpoint_are_kept(user: Any) -> None:
    name = user.endpoint(user.config(user.model()), Tags=[{"Key": "team", "Value": "avatars"}])
    arn = user.described(name)["EndpointArn"]
    assert user.sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "team", "Value": "avatars"}]


def test_tags_of_what_is_gone_are_not_to_be_found(user: Any) -> None:
    name = user.endpoint(user.config(user.model()))
    arn = user.described(name)["EndpointArn"]
    with pytest.raises(ClientError, match="ValidationException"):
        user.sagemaker.list_tags(ResourceArn=f"{arn}-gone")


def test_an_update_serves_the_old_until_the_new_passes(user: Any) -> None:
    name = user.realtime_endpoint({"VERSION": "old"})
    gate = user.gate()
    fresh = user.config(user.model(Environment={"VERSION": "new", **gate.environment}))
    user.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=fresh)
    described = user.described(name)
    assert described["EndpointStatus"] == "Updating"
    assert described["PendingDeploymentSummary"]["EndpointConfigName"] == fresh
    assert _version(user, name) == "old"
    gate.open()
    described = user.await_status(name, "InService")
    assert described["EndpointConfigName"] == fresh
    assert "PendingDeploymentSummary" not in described
    assert _version(user, name) == "new"


def test_a_failed_update_keeps_the_old_in_service(user: Any) -> None:
    name = user.realtime_endpoint({"VERSION": "old"})
    before = user.described(name)["EndpointConfigName"]
    broken = user.config(user.model(Environment={"FAIL_AT_START": "1"}))
    user.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=broken)
    described = user.await_status(name, "InService")
    assert described["EndpointConfigName"] == before
    assert _version(user, name) == "old"


def test_an_update_policy_excludes_the_other(user: Any) -> None:
    name = user.realtime_endpoint()
    routing = {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0}
    batch = {"Type": "CAPACITY_PERCENT", "Value": 50}
    both = {
        "BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing},
        "RollingUpdatePolicy": {"MaximumBatchSize": batch, "WaitIntervalInSeconds": 0},
    }
    config = user.described(name)["EndpointConfigName"]
    with pytest.raises(ClientError, match="ValidationException"):
        user.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=config, DeploymentConfig=both)


def test_an_update_can_retain_the_instance_count(user: Any) -> None:
    name = user.realtime_endpoint()
    user.scale(name, 2)
    fresh = user.config(user.model(), InitialInstanceCount=1)
    user.sagemaker.update_endpoint(
        EndpointName=name, EndpointConfigName=fresh, RetainAllVariantProperties=True
    )
    described = user.await_status(name, "InService")
    assert described["ProductionVariants"][0]["CurrentInstanceCount"] == 2


def test_capacities_and_weights_can_be_changed(user: Any) -> None:
    name = user.realtime_endpoint()
    user.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=name,
        DesiredWeightsAndCapacities=[
            {"VariantName": "AllTraffic", "DesiredInstanceCount": 2, "DesiredWeight": 0.5}
        ],
    )
    variant = user.await_status(name, "InService")["ProductionVariants"][0]
    assert (variant["CurrentInstanceCount"], variant["DesiredInstanceCount"]) == (2, 2)
    assert variant["CurrentWeight"] == 0.5


def test_changing_only_the_count_keeps_the_weight(user: Any) -> None:
    name = user.async_endpoint(InitialVariantWeight=0.25)
    user.scale(name, 0)
    variant = user.described(name)["ProductionVariants"][0]
    assert (variant["CurrentInstanceCount"], variant["CurrentWeight"]) == (0, 0.25)


@pytest.mark.parametrize(
    "containers",
    [
        {},
        {"PrimaryContainer": {}},
        {"Containers": []},
        {"PrimaryContainer": {"Image": "{image}"}, "Containers": [{"Image": "{image}"}]},
    ],
    ids=["no container", "an empty container", "an empty list", "both kinds"],
)
def test_a_model_without_its_container_is_refused(user: Any, containers: dict[str, Any]) -> None:
    given = json.loads(json.dumps(containers).replace("{image}", user.target.image))
    with pytest.raises(ClientError, match="ValidationException"):
        user.sagemaker.create_model(
            ModelName=f"{user.name}-empty", ExecutionRoleArn=user.target.role, **given
        )


def test_two_variants_of_the_same_name_are_refused(user: Any) -> None:
    with pytest.raises(ClientError, match="ValidationException"):
        user.config_of([user.variant(user.model())] * 2)


def test_only_an_asynchronous_endpoint_scales_to_zero(user: Any) -> None:
    realtime = user.realtime_endpoint()
    with pytest.raises(ClientError, match="ValidationException"):
        user.scale(realtime, 0)
    variant = user.described(realtime)["ProductionVariants"][0]
    assert (variant["CurrentInstanceCount"], variant["DesiredInstanceCount"]) == (1, 1)


def test_an_unknown_variant_is_refused(user: Any) -> None:
    name = user.realtime_endpoint()
    with pytest.raises(ClientError, match="ValidationException"):
        user.sagemaker.update_endpoint_weights_and_capacities(
            EndpointName=name,
            DesiredWeightsAndCapacities=[{"VariantName": "Other", "DesiredInstanceCount": 1}],
        )


def test_a_deleted_endpoint_is_gone(user: Any) -> None:
    name = user.realtime_endpoint()
    user.sagemaker.delete_endpoint(EndpointName=name)
    user.leave()
    with pytest.raises(ClientError, match="Could not find endpoint"):
        user.described(name)
    with pytest.raises(ClientError, match="ValidationError"):
        user.runtime.invoke_endpoint(EndpointName=name, Body=b"")
    assert user.sagemaker.list_endpoints(NameContains=name)["Endpoints"] == []


def test_a_second_endpoint_of_the_same_name_is_refused(user: Any) -> None:
    config = user.config(user.model())
    name = user.endpoint(config)
    with pytest.raises(ClientError, match="ValidationException"):
        user.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=config)


def test_a_second_configuration_of_the_same_name_is_refused(user: Any) -> None:
    model = user.model()
    config = user.config(model)
    with pytest.raises(ClientError, match="ValidationException"):
        user.sagemaker.create_endpoint_config(
            EndpointConfigName=config, ProductionVariants=[user.variant(model)]
        )


def test_a_second_model_of_the_same_name_is_refused(user: Any) -> None:
    model = user.model()
    with pytest.raises(ClientError, match="ValidationException"):
        user.model(name=model)


@pytest.mark.parametrize(
    "instance_type", ["ml.g5.xlarge", "ml.g6.2xlarge", "ml.g6e.xlarge", "ml.p4d.24xlarge", "ml.p5.48xlarge"]
)
def test_instance_types_of_today_are_accepted_and_described(user: Any, instance_type: str) -> None:
    config = user.config(user.model(), InstanceType=instance_type)
    described = user.sagemaker.describe_endpoint_config(EndpointConfigName=config)
    assert described["ProductionVariants"][0]["InstanceType"] == instance_type


def test_an_instance_type_that_does_not_exist_is_refused(user: Any) -> None:
    with pytest.raises(ClientError, match="ValidationException"):
        user.config(user.model(), InstanceType="ml.abacus.large")


def test_a_configuration_of_an_unknown_model_is_refused(user: Any) -> None:
    with pytest.raises(ClientError, match="ValidationException"):
        user.config("no-such-model")


def test_an_endpoint_of_an_unknown_configuration_is_refused(user: Any) -> None:
    with pytest.raises(ClientError, match="ValidationException"):
        user.sagemaker.create_endpoint(EndpointName=user.name, EndpointConfigName="no-such-config")


def test_a_start_up_time_out_below_the_minimum_is_refused(user: Any) -> None:
    with pytest.raises(ClientError, match="ValidationException"):
        user.config(user.model(), ContainerStartupHealthCheckTimeoutInSeconds=5)


def _version(user: Any, endpoint: str) -> str:
    answer = user.runtime.invoke_endpoint(EndpointName=endpoint, Body=b'{"tell": "environment"}')
    return str(json.loads(answer["Body"].read())["VERSION"])


def refusal_or_failure(user: Any, model_data_url: str) -> str:
    """Why a model with this data cannot be deployed: AWS may say so when the model is created, or when it is deployed."""
    try:
        model = user.model(ModelDataUrl=model_data_url)
    except ClientError as refusal:
        return str(refusal)
    return str(user.described(user.endpoint(user.config(model), status="Failed"))["FailureReason"])
