"""What a runtime's endpoints shall be, as the API calls that make them. Pure.

Models and endpoint configurations are immutable in SageMaker, so their names carry a hash of their content: another
content is another name, the same content is found again after any crash, and an endpoint serves what is wanted exactly
if it names the wanted configuration. The runtime's uid is part of the content (as a tag): two runtimes that name the
same endpoint can never take each other's configuration for their own.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from avatar_api.avatar_runtime import AvatarRuntime
from avatar_api.group import GROUP
from avatar_api.sagemaker_backend import InferenceEndpoint, TrainingEndpoint
from avatar_operator.backends.failures import BackendError
from avatar_operator.backends.sagemaker.runtime_spec import sagemaker_spec
from avatar_operator.locations import runtime_storage

if TYPE_CHECKING:
    from mypy_boto3_sagemaker.type_defs import TagTypeDef

Role = Literal["Training", "Inference"]

VARIANT = "AllTraffic"
RUNTIME_TAG = f"{GROUP}/runtime"
RUNTIME_UID_TAG = f"{GROUP}/runtime-uid"
_HASH_LENGTH = 8


@dataclass(frozen=True)
class EndpointPlan:
    """One endpoint with everything it needs.

    Attributes:
        model: arguments of CreateModel.
        config: arguments of CreateEndpointConfig.
        tags: who owns all three.
        keeps_instances: whether a roll leaves the number of instances to whoever scales them.
    """

    role: Role
    endpoint_name: str
    model_name: str
    config_name: str
    model: Mapping[str, Any]
    config: Mapping[str, Any]
    tags: tuple["TagTypeDef", ...]
    keeps_instances: bool


def endpoint_plans(runtime: AvatarRuntime) -> tuple[EndpointPlan, EndpointPlan]:
    """The training and the inference endpoint of a runtime with policy Manage.

    Raises:
        BackendError: RuntimeIncomplete, if role or image are missing (the API server refuses that, too).
    """
    sagemaker = sagemaker_spec(runtime)
    notifications = sagemaker.notifications
    storage = runtime_storage(runtime)
    asynchronous = {
        "OutputConfig": {
            "S3OutputPath": storage.training_output,
            "S3FailurePath": storage.training_failure,
            "NotificationConfig": {
                "SuccessTopic": notifications.success_topic_arn,
                "ErrorTopic": notifications.error_topic_arn,
            },
        },
        "ClientConfig": {"MaxConcurrentInvocationsPerInstance": 1},
    }
    multi_model = {
        "Mode": "MultiModel",
        "ModelDataUrl": storage.artifacts,
        "MultiModelConfig": {"ModelCacheSetting": "Enabled"},
    }
    return (
        _plan(runtime, "Training", sagemaker.training, {"Mode": "SingleModel"}, asynchronous),
        _plan(runtime, "Inference", sagemaker.inference, multi_model, None),
    )


def _plan(
    runtime: AvatarRuntime,
    role: Role,
    endpoint: TrainingEndpoint | InferenceEndpoint,
    container: Mapping[str, Any],
    asynchronous: Mapping[str, Any] | None,
) -> EndpointPlan:
    execution_role = endpoint.execution_role_arn or sagemaker_spec(runtime).execution_role_arn
    if execution_role is None or endpoint.image is None:
        raise BackendError(
            "RuntimeIncomplete",
            "managementPolicy Manage needs spec.backend.sagemaker.executionRoleARN, or one of each endpoint, and an image for"
            " training and for inference",
            retryable=False,
        )
    base = runtime.spec.base_model
    tags: tuple[TagTypeDef, ...] = (
        {"Key": RUNTIME_TAG, "Value": runtime.metadata.name},
        {"Key": RUNTIME_UID_TAG, "Value": runtime.metadata.uid},
    )
    model = {
        "PrimaryContainer": {
            "Image": endpoint.image,
            **container,
            "Environment": {
                "AVATAR_BASE_MODEL_SOURCE": base.source,
                "AVATAR_BASE_MODEL_REVISION": base.revision,
                "AVATAR_BASE_MODEL_SHA256": base.sha256,
            },
        },
        "ExecutionRoleArn": execution_role,
        "Tags": list(tags),
    }
    model_name = f"{endpoint.endpoint_name}-{_content_hash(model)}"
    config: dict[str, Any] = {
        "ProductionVariants": [
            {
                "VariantName": VARIANT,
                "ModelName": model_name,
                "InstanceType": endpoint.instance_type,
                "InitialInstanceCount": endpoint.instance_count,
                "InitialVariantWeight": 1.0,
                "ContainerStartupHealthCheckTimeoutInSeconds": endpoint.startup_timeout_seconds,
            }
        ],
        "Tags": list(tags),
    }
    if asynchronous is not None:
        config["AsyncInferenceConfig"] = asynchronous
    return EndpointPlan(
        role=role,
        endpoint_name=endpoint.endpoint_name,
        model_name=model_name,
        config_name=f"{endpoint.endpoint_name}-{_content_hash(config)}",
        model=model,
        config=config,
        tags=tags,
        keeps_instances=endpoint.scaling is not None,
    )


def _content_hash(content: Mapping[str, Any]) -> str:
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:_HASH_LENGTH]


def is_derived_name(endpoint_name: str, name: str) -> bool:
    """Whether a model or configuration is named as `endpoint_plans` names those of an endpoint."""
    return re.fullmatch(rf"{re.escape(endpoint_name)}-[0-9a-f]{{{_HASH_LENGTH}}}", name) is not None
