"""The resources of SageMaker's operations."""

from __future__ import annotations

from typing import Any

import pytest

from sagemaker_local.authorization.resources import resources
from sagemaker_local.aws_clients import Scope

SCOPE = Scope("123456789012", "eu-west-1", "key")
PREFIX = "arn:aws:sagemaker:eu-west-1:123456789012"


@pytest.mark.parametrize(
    ("operation", "parameters", "named"),
    [
        ("InvokeEndpoint", {"EndpointName": "e", "TargetModel": "m"}, ["endpoint/e"]),
        ("InvokeEndpointAsync", {"EndpointName": "e"}, ["endpoint/e"]),
        ("UpdateEndpointWeightsAndCapacities", {"EndpointName": "e"}, ["endpoint/e"]),
        (
            "UpdateEndpoint",
            {"EndpointName": "e", "EndpointConfigName": "c"},
            ["endpoint/e", "endpoint-config/c"],
        ),
        ("CreateEndpointConfig", {"EndpointConfigName": "c"}, ["endpoint-config/c"]),
        ("DeleteModel", {"ModelName": "m"}, ["model/m"]),
        ("StopTrainingJob", {"TrainingJobName": "t"}, ["training-job/t"]),
    ],
)
def test_an_operation_is_about_what_it_names(
    operation: str, parameters: dict[str, Any], named: list[str]
) -> None:
    assert resources(SCOPE, operation, parameters) == [f"{PREFIX}:{each}" for each in named]


def test_a_listing_is_about_everything() -> None:
    assert resources(SCOPE, "ListEndpoints", {}) == ["*"]


def test_a_tag_is_about_its_resource() -> None:
    assert resources(SCOPE, "AddTags", {"ResourceArn": f"{PREFIX}:endpoint/e"}) == [f"{PREFIX}:endpoint/e"]
