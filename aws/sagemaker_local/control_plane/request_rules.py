"""What CreateModel and CreateEndpointConfig refuse although botocore's model of the request allows it. Pure.

Sources: CreateModel (either a primary container or a list of them), ProductionVariant and CreateEndpointConfig in the API
reference. What AWS takes and we cannot run is refused here too, where the caller sees it, and never left out in silence.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sagemaker_local.control_plane.specs import AsyncSpec
from sagemaker_local.errors import not_implemented, validation_exception


def check_model(request: Mapping[str, Any]) -> None:
    """Refuse a CreateModel whose containers are missing or say nothing.

    Raises:
        AwsError: ValidationException.
    """
    primary, containers = request.get("PrimaryContainer"), request.get("Containers")
    if (primary is None) == (not containers):
        raise validation_exception("Exactly one of PrimaryContainer and Containers must be specified")
    for container in [primary] if primary is not None else containers or ():
        if not container.get("Image") and not container.get("ModelPackageName"):
            raise validation_exception("Each container must specify Image or ModelPackageName")


def check_endpoint_config(request: Mapping[str, Any]) -> None:
    """Refuse a CreateEndpointConfig that contradicts itself, or that asks for what is not implemented.

    Raises:
        AwsError: ValidationException, NotImplemented.
    """
    if request.get("ShadowProductionVariants"):
        raise not_implemented("shadow variants")
    variants = request["ProductionVariants"]
    names = [variant["VariantName"] for variant in variants]
    if len(set(names)) != len(names):
        raise validation_exception("A variant name was non-unique within the request.")
    for variant in variants:
        if "ModelName" not in variant:
            raise not_implemented("endpoint configurations without ModelName (inference components)")
        if "ServerlessConfig" not in variant and "InstanceType" not in variant:
            raise validation_exception(f"Variant {variant['VariantName']} needs InstanceType")
    if request.get("AsyncInferenceConfig") is not None:
        AsyncSpec.read(request["AsyncInferenceConfig"])
