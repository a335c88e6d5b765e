"""What DescribeEndpoint says about a living endpoint. Pure: it reads, and builds JSON."""

from __future__ import annotations

import hashlib
from typing import Any

from sagemaker_local.control_plane.endpoint import Endpoint
from sagemaker_local.control_plane.specs import EndpointSpec
from sagemaker_local.control_plane.variants import Variant


def describe_endpoint(endpoint: Endpoint) -> dict[str, Any]:
    """The members of DescribeEndpoint's output that moto does not have or gets wrong. Times are epoch seconds."""
    described: dict[str, Any] = {
        "EndpointName": endpoint.name,
        "EndpointArn": endpoint.arn,
        "EndpointConfigName": endpoint.spec.config_name,
        "EndpointStatus": endpoint.status,
        "CreationTime": endpoint.created.timestamp(),
        "LastModifiedTime": endpoint.modified.timestamp(),
    }
    if endpoint.failure_reason:
        described["FailureReason"] = endpoint.failure_reason[:1024]
    if endpoint.spec.asynchronous:
        described["AsyncInferenceConfig"] = endpoint.spec.asynchronous.raw
    variants = endpoint.serving_variants()
    if variants:
        described["ProductionVariants"] = [_describe_variant(variant) for variant in variants]
    if endpoint.pending is not None:
        described["PendingDeploymentSummary"] = _describe_pending(
            endpoint.pending, endpoint.pending_since.timestamp(), "Baking" if endpoint.baking else "Creating"
        )
    if endpoint.policy.raw is not None:
        described["LastDeploymentConfig"] = endpoint.policy.raw
    return described


def _describe_variant(variant: Variant) -> dict[str, Any]:
    image = variant.spec.container.image
    return {
        "VariantName": variant.spec.name,
        "DeployedImages": [
            {
                "SpecifiedImage": image,
                "ResolvedImage": _resolved(image),
                "ResolutionTime": variant.deployed.timestamp(),
            }
        ],
        "CurrentWeight": variant.weight,
        "DesiredWeight": variant.weight,
        "CurrentInstanceCount": len(variant.fleet.in_service()),
        "DesiredInstanceCount": variant.fleet.desired,
    }


def _describe_pending(spec: EndpointSpec, since: float, status: str) -> dict[str, Any]:
    return {
        "EndpointConfigName": spec.config_name,
        "StartTime": since,
        "ProductionVariants": [
            {
                "VariantName": variant.name,
                "DesiredInstanceCount": variant.instance_count,
                "DesiredWeight": variant.weight,
                "VariantStatus": [{"Status": status, "StartTime": since}],
            }
            for variant in spec.variants
        ],
    }


def _resolved(image: str) -> str:
    """AWS resolves a tag to a digest. A command has none, so this is one of the name: stable, and of the right form."""
    repository = image.split("@", 1)[0]
    head, separator, tail = repository.rpartition(":")
    if separator and "/" not in tail:
        repository = head
    return f"{repository}@sha256:{hashlib.sha256(image.encode()).hexdigest()}"
