"""From stored JSON to what has to run.

A deployment needs three API objects: the endpoint configuration, its production variants' models, and the models' containers.
This module reads them once, into frozen values, and refuses what cannot be run here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sagemaker_local.errors import validation_exception
from sagemaker_local.instances.container_spec import ContainerSpec

DEFAULT_STARTUP_TIMEOUT_SECONDS = 240.0
# AWS chooses "an optimal value" when none is given, and does not say which.
DEFAULT_CONCURRENT_INVOCATIONS = 4


@dataclass(frozen=True)
class AsyncSpec:
    """An AsyncInferenceConfig, read.

    Attributes:
        raw: the configuration as given, for DescribeEndpoint.
        include_response_in: which notifications carry the response.
        kms_key: what results are encrypted with, by key id, ARN or alias; None leaves it to the bucket.
    """

    raw: Mapping[str, Any]
    output_path: str
    failure_path: str | None
    success_topic: str | None
    error_topic: str | None
    include_response_in: frozenset[str]
    concurrency: int
    kms_key: str | None = None

    @classmethod
    def read(cls, config: Mapping[str, Any]) -> AsyncSpec:
        """Read one.

        Raises:
            AwsError: ValidationException without S3OutputPath, which AWS's API model does not require: no page of AWS's says
                where the output would go.
        """
        output = config["OutputConfig"]
        if not output.get("S3OutputPath"):
            raise validation_exception(
                "AsyncInferenceConfig needs OutputConfig.S3OutputPath: sagemaker-local has no default place for the output"
            )
        topics = output.get("NotificationConfig") or {}
        client = config.get("ClientConfig") or {}
        return cls(
            raw=config,
            output_path=output["S3OutputPath"],
            failure_path=output.get("S3FailurePath"),
            success_topic=topics.get("SuccessTopic"),
            error_topic=topics.get("ErrorTopic"),
            include_response_in=frozenset(topics.get("IncludeInferenceResponseIn") or ()),
            concurrency=client.get("MaxConcurrentInvocationsPerInstance", DEFAULT_CONCURRENT_INVOCATIONS),
            kms_key=output.get("KmsKeyId"),
        )


@dataclass(frozen=True)
class VariantSpec:
    """A production variant: what runs, how often, and its share of the traffic."""

    name: str
    container: ContainerSpec
    instance_count: int
    weight: float


@dataclass(frozen=True)
class EndpointSpec:
    """Everything that an endpoint configuration means."""

    config_name: str
    variants: tuple[VariantSpec, ...]
    asynchronous: AsyncSpec | None

    def require_instances(self, counts: Mapping[str, int]) -> None:
        """Refuse to leave a variant without instances where nothing would queue its requests.

        Arguments:
            counts: instance counts by variant.

        Raises:
            AwsError: ValidationException. AWS lets only asynchronous endpoints scale to zero ("Autoscale an asynchronous
                endpoint").
        """
        empty = sorted(name for name, count in counts.items() if count == 0)
        if empty and self.asynchronous is None:
            raise validation_exception(
                f'The instance count of production variant(s) "{", ".join(empty)}" must be at least 1: only endpoints with '
                "AsyncInferenceConfig can have no instances."
            )


def read_endpoint_spec(
    config_name: str,
    config: Mapping[str, Any],
    model: Callable[[str], Mapping[str, Any] | None],
    model_arn: Callable[[str], str],
) -> EndpointSpec:
    """Resolve a configuration into what has to run.

    Arguments:
        model: finds a model's stored description by name.
        model_arn: a model's ARN by name, for messages.

    Raises:
        AwsError: ValidationException, when a model is gone or the configuration needs what is not implemented here.
    """
    variants = tuple(_read_variant(variant, model, model_arn) for variant in config["ProductionVariants"])
    asynchronous = config.get("AsyncInferenceConfig")
    if asynchronous and any(variant.container.multi_model for variant in variants):
        # The first sentence is CreateEndpoint's own, for what an asynchronous endpoint cannot have (boto3 issue 4275).
        raise validation_exception(
            "One or more endpoint features are not supported using this configuration. (Asynchronous inference does not "
            "support multi-model endpoints.)"
        )
    return EndpointSpec(
        config_name=config_name,
        variants=variants,
        asynchronous=AsyncSpec.read(asynchronous) if asynchronous else None,
    )


def _read_variant(
    variant: Mapping[str, Any],
    model: Callable[[str], Mapping[str, Any] | None],
    model_arn: Callable[[str], str],
) -> VariantSpec:
    name = variant["VariantName"]
    if "ServerlessConfig" in variant:
        raise validation_exception(f"sagemaker-local does not implement serverless variants (variant {name})")
    stored = model(variant["ModelName"])
    if stored is None:
        raise validation_exception(f'Could not find model "{model_arn(variant["ModelName"])}".')
    containers = [stored["PrimaryContainer"]] if stored["PrimaryContainer"] else list(stored["Containers"])
    if len(containers) != 1:
        raise validation_exception(
            f"sagemaker-local runs models of exactly one container; model {variant['ModelName']} has {len(containers)}"
        )
    return VariantSpec(
        name=name,
        container=_read_container(containers[0], variant),
        instance_count=variant.get("InitialInstanceCount", 1),
        weight=float(variant.get("InitialVariantWeight", 1.0)),
    )


def _read_container(container: Mapping[str, Any], variant: Mapping[str, Any]) -> ContainerSpec:
    unsupported = [
        name
        for name in ("ModelDataSource", "AdditionalModelDataSources", "ModelPackageName")
        if container.get(name)
    ]
    if unsupported:
        raise validation_exception(
            f"sagemaker-local does not implement {', '.join(unsupported)} (model {variant['ModelName']})"
        )
    multi_model = container.get("Mode") == "MultiModel"
    if multi_model and not container.get("ModelDataUrl"):
        raise validation_exception(
            f"A multi-model container needs ModelDataUrl (model {variant['ModelName']})"
        )
    cache = (container.get("MultiModelConfig") or {}).get("ModelCacheSetting", "Enabled")
    return ContainerSpec(
        image=container.get("Image", ""),
        environment=dict(container.get("Environment") or {}),
        model_data_url=container.get("ModelDataUrl"),
        multi_model=multi_model,
        model_cache=cache == "Enabled",
        startup_timeout=float(
            variant.get("ContainerStartupHealthCheckTimeoutInSeconds", DEFAULT_STARTUP_TIMEOUT_SECONDS)
        ),
    )
