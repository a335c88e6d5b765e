"""SageMaker's endpoint operations, each made idempotent: what is there already is fine, what is gone already too, and
what is just changing is looked at again the next time.

SageMaker says all three with a ValidationException, and only its text tells them apart.
"""

from collections.abc import Awaitable
from datetime import datetime
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from avatar_operator.aws.clients import AwsClients
from avatar_operator.aws.errors import aws_errors, error_text
from avatar_operator.backends.sagemaker.endpoint_plan import (
    RUNTIME_UID_TAG,
    EndpointPlan,
    Role,
    is_derived_name,
)
from avatar_operator.backends.sagemaker.endpoint_state import DescribedEndpoint, described

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient

MAX_LISTED = 500
EXISTS = "already exist"
MISSING = "could not find"
BUSY = "in-progress"


class EndpointApi:
    """SageMaker's control plane in one region.

    Args:
        clients: where calls run.
        region: the region.
    """

    def __init__(self, clients: AwsClients, region: str) -> None:
        self._clients = clients
        self._region = region

    async def describe(self, role: Role, name: str) -> DescribedEndpoint:
        """An endpoint as it is now; Absent if there is none."""
        with aws_errors(f"describe endpoint {name}"):
            try:
                answer = await self._clients.sagemaker(
                    self._region,
                    "DescribeEndpoint",
                    lambda client: client.describe_endpoint(EndpointName=name),
                )
            except ClientError as error:
                if _says(error, MISSING):
                    return DescribedEndpoint(role, name)
                raise
        return described(role, answer)

    async def owner(self, endpoint: DescribedEndpoint) -> str | None:
        """The uid of the AvatarRuntime that an endpoint is tagged with."""
        with aws_errors(f"read the tags of endpoint {endpoint.name}"):
            return await _tagged_owner(self._clients, self._region, endpoint.arn)

    async def config_created(self, name: str) -> datetime | None:
        """When an endpoint configuration was made, None if there is none."""
        with aws_errors(f"describe endpoint configuration {name}"):
            try:
                answer = await self._clients.sagemaker(
                    self._region,
                    "DescribeEndpointConfig",
                    lambda client: client.describe_endpoint_config(EndpointConfigName=name),
                )
            except ClientError as error:
                if _says(error, MISSING):
                    return None
                raise
        return answer["CreationTime"]

    async def create_config(self, plan: EndpointPlan) -> None:
        """Make the model and the configuration of a plan."""
        with aws_errors(f"create model {plan.model_name}"):
            await _tolerating(
                self._clients.sagemaker(
                    self._region,
                    "CreateModel",
                    lambda client: client.create_model(ModelName=plan.model_name, **plan.model),
                ),
                EXISTS,
            )
        with aws_errors(f"create endpoint configuration {plan.config_name}"):
            await _tolerating(
                self._clients.sagemaker(
                    self._region,
                    "CreateEndpointConfig",
                    lambda client: client.create_endpoint_config(
                        EndpointConfigName=plan.config_name, **plan.config
                    ),
                ),
                EXISTS,
            )

    async def create(self, plan: EndpointPlan) -> None:
        """Start making the endpoint of a plan."""
        with aws_errors(f"create endpoint {plan.endpoint_name}"):
            await _tolerating(
                self._clients.sagemaker(
                    self._region,
                    "CreateEndpoint",
                    lambda client: client.create_endpoint(
                        EndpointName=plan.endpoint_name,
                        EndpointConfigName=plan.config_name,
                        Tags=list(plan.tags),
                    ),
                ),
                EXISTS,
            )

    async def roll(self, plan: EndpointPlan) -> None:
        """Start moving the endpoint to the configuration of a plan."""
        with aws_errors(f"update endpoint {plan.endpoint_name}"):
            await _tolerating(
                self._clients.sagemaker(
                    self._region,
                    "UpdateEndpoint",
                    lambda client: client.update_endpoint(
                        EndpointName=plan.endpoint_name,
                        EndpointConfigName=plan.config_name,
                        RetainAllVariantProperties=plan.keeps_instances,
                    ),
                ),
                BUSY,
            )

    async def delete(self, name: str) -> None:
        """Start deleting an endpoint."""
        with aws_errors(f"delete endpoint {name}"):
            await _tolerating(
                self._clients.sagemaker(
                    self._region, "DeleteEndpoint", lambda client: client.delete_endpoint(EndpointName=name)
                ),
                MISSING,
                BUSY,
            )

    async def delete_derived(self, endpoint_name: str, *, owner: str, keep: tuple[str, ...] = ()) -> None:
        """Remove the configurations and models that were made for an endpoint of a runtime.

        Args:
            endpoint_name: the endpoint.
            owner: uid of the runtime: another one may have made some for an endpoint of the same name.
            keep: names of those that stay.
        """
        with aws_errors(f"remove old configurations of endpoint {endpoint_name}"):
            configs = await self._clients.sagemaker(
                self._region, "ListEndpointConfigs", lambda client: _configs(client, endpoint_name)
            )
            for config, arn in configs:
                if config not in keep and await self._owner_of(config, arn) == owner:
                    await _tolerating(self._delete_config(config), MISSING)
            models = await self._clients.sagemaker(
                self._region, "ListModels", lambda client: _models(client, endpoint_name)
            )
            for model, arn in models:
                if model not in keep and await self._owner_of(model, arn) == owner:
                    await _tolerating(self._delete_model(model), MISSING)

    async def _owner_of(self, name: str, arn: str) -> str | None:
        return await owner_of(self._clients, self._region, name, arn)

    async def _delete_config(self, name: str) -> None:
        await self._clients.sagemaker(
            self._region,
            "DeleteEndpointConfig",
            lambda client: client.delete_endpoint_config(EndpointConfigName=name),
        )

    async def _delete_model(self, name: str) -> None:
        await self._clients.sagemaker(
            self._region, "DeleteModel", lambda client: client.delete_model(ModelName=name)
        )


async def owner_of(clients: AwsClients, region: str, name: str, arn: str) -> str | None:
    """The uid of the AvatarRuntime that something is tagged with; None if it has no such tag, or is gone."""
    with aws_errors(f"read the tags of {name}"):
        try:
            return await _tagged_owner(clients, region, arn)
        except ClientError as error:
            if _says(error, MISSING):
                return None
            raise


async def _tagged_owner(clients: AwsClients, region: str, arn: str) -> str | None:
    answer = await clients.sagemaker(region, "ListTags", lambda client: client.list_tags(ResourceArn=arn))
    return next((tag["Value"] for tag in answer["Tags"] if tag["Key"] == RUNTIME_UID_TAG), None)


def _configs(client: "SageMakerClient", endpoint_name: str) -> list[tuple[str, str]]:
    pages = client.get_paginator("list_endpoint_configs").paginate(
        NameContains=endpoint_name, PaginationConfig={"MaxItems": MAX_LISTED}
    )
    found = [
        (entry["EndpointConfigName"], entry["EndpointConfigArn"])
        for page in pages
        for entry in page["EndpointConfigs"]
    ]
    return [(name, arn) for name, arn in found if is_derived_name(endpoint_name, name)]


def _models(client: "SageMakerClient", endpoint_name: str) -> list[tuple[str, str]]:
    pages = client.get_paginator("list_models").paginate(
        NameContains=endpoint_name, PaginationConfig={"MaxItems": MAX_LISTED}
    )
    found = [(entry["ModelName"], entry["ModelArn"]) for page in pages for entry in page["Models"]]
    return [(name, arn) for name, arn in found if is_derived_name(endpoint_name, name)]


async def _tolerating(call: Awaitable[object], *texts: str) -> None:
    try:
        await call
    except ClientError as error:
        if not _says(error, *texts):
            raise


def _says(error: ClientError, *texts: str) -> bool:
    said = error_text(error)
    return any(said.mention(text) for text in texts)
