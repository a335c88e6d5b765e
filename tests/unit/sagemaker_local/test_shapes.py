"""Validation by botocore's models, in AWS's words."""

from __future__ import annotations

import pytest

from sagemaker_local.shapes import operations, report, service_model, violations


def input_shape(service: str, operation: str) -> object:
    return service_model(service).operation_model(operation).input_shape


def test_a_valid_request_has_no_violations() -> None:
    request = {"EndpointName": "e-1", "EndpointConfigName": "c"}
    assert violations(input_shape("sagemaker", "CreateEndpoint"), request, "") == []


def test_a_missing_member_is_named_as_aws_names_it() -> None:
    found = violations(input_shape("sagemaker", "CreateEndpoint"), {"EndpointName": "e"}, "")
    assert report(found) == (
        "1 validation error detected: Value null at 'endpointConfigName' failed to satisfy constraint: Member must not be null"
    )


@pytest.mark.parametrize(
    ("variant", "expected"),
    [
        ({"InitialInstanceCount": 0}, "Member must have value greater than or equal to 1"),
        ({"InitialInstanceCount": "one"}, "Member must be a integer"),
        (
            {"ContainerStartupHealthCheckTimeoutInSeconds": 3601},
            "Member must have value less than or equal to 3600",
        ),
        ({"InstanceType": "ml.none"}, "Member must satisfy enum value set"),
        ({"VariantName": "under_score"}, "Member must satisfy regular expression pattern"),
        ({"VariantName": "x" * 64}, "Member must have length less than or equal to 63"),
        ({"RoutingConfig": "fast"}, "Member must be a structure"),
    ],
)
def test_a_broken_constraint_is_told(variant: dict[str, object], expected: str) -> None:
    request = {
        "EndpointConfigName": "c",
        "ProductionVariants": [{"VariantName": "v", "ModelName": "m", **variant}],
    }
    found = violations(input_shape("sagemaker", "CreateEndpointConfig"), request, "")
    assert expected in report(found)
    assert "productionVariants.1.member." in report(found)


@pytest.mark.parametrize(
    ("identifier", "valid"),
    [("a", True), ("with space", True), (" leading", False), ("aü", False), ("x\n", False)],
)
def test_javas_posix_classes_are_understood(identifier: str, valid: bool) -> None:
    shape = service_model("sagemaker-runtime").shape_for("InferenceId")
    assert (violations(shape, identifier, "inferenceId") == []) is valid


def test_patterns_without_a_python_counterpart_are_left_to_aws() -> None:
    shape = service_model("sagemaker").shape_for("TagValue")
    assert violations(shape, "größe", "value") == []


def test_long_values_are_not_repeated_in_full() -> None:
    found = violations(service_model("sagemaker").shape_for("EndpointName"), "x" * 100_000, "endpointName")
    assert len(report(found)) < 1_000


def test_operations_are_known_by_name() -> None:
    assert {"CreateEndpoint", "UpdateEndpoint"} <= operations("sagemaker")


def test_a_pattern_of_javas_surrogate_pairs_means_any_printable_text() -> None:
    shape = input_shape("application-autoscaling", "DescribeScalingActivities")
    request = {"ServiceNamespace": "sagemaker", "NextToken": "42 \N{PARTY POPPER}"}
    assert violations(shape, request, "") == []
    assert violations(shape, {**request, "NextToken": "\x00"}, "") != []
