"""Endpoints, configurations and models that carry an AvatarRuntime's tag and that no AvatarRuntime names.

They are left by crashes in the middle of a change, and by runtimes that were abandoned or removed by force. The tag is
the only proof of who made them. The uid of a runtime that is unknown here may belong to another cluster, so those are told
and never deleted; those with the uid of the runtime that is asked about are certainly nobody else's.
"""

import re
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from avatar_api.avatar_runtime import AvatarRuntime
from avatar_operator.aws.ages import age_seconds
from avatar_operator.aws.clients import AwsClients
from avatar_operator.aws.errors import aws_errors, error_text
from avatar_operator.backends.compute import Stray, StrayKind
from avatar_operator.backends.failures import BackendError
from avatar_operator.backends.sagemaker.endpoint_api import MISSING, owner_of
from avatar_operator.backends.sagemaker.endpoint_plan import is_derived_name
from avatar_operator.backends.sagemaker.runtime_spec import sagemaker_spec
from avatar_operator.backends.sagemaker.scaling import Scaling

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient

MAX_LISTED = 500
"""Of each kind, newest first: one look takes its time, because AWS lets us read the tags of two things a second."""
LISTS: dict[StrayKind, tuple[str, str, str, str]] = {
    "Endpoint": ("list_endpoints", "Endpoints", "EndpointName", "EndpointArn"),
    "EndpointConfig": (
        "list_endpoint_configs",
        "EndpointConfigs",
        "EndpointConfigName",
        "EndpointConfigArn",
    ),
    "Model": ("list_models", "Models", "ModelName", "ModelArn"),
}
_DERIVED = re.compile(r".+-[0-9a-f]{8}")


async def strays(clients: AwsClients, runtime: AvatarRuntime, living: Collection[str]) -> list[Stray]:
    """See Compute.strays."""
    region, names = sagemaker_spec(runtime).region, _named(runtime)
    found = []
    for kind in LISTS:
        for name, arn, age in await _listed(clients, region, kind):
            if _is_named(kind, name, names):
                continue
            uid = await owner_of(clients, region, name, arn)
            if uid is not None and (uid == runtime.metadata.uid or uid not in living):
                found.append(Stray(kind, name, uid, age_seconds=age))
    return found


async def delete_stray(clients: AwsClients, runtime: AvatarRuntime, stray: Stray) -> None:
    """See Compute.delete_stray."""
    if stray.runtime_uid != runtime.metadata.uid:
        raise BackendError(
            "NotOwned", f"{stray.location} carries the mark of another AvatarRuntime", retryable=False
        )
    if _is_named(stray.kind, stray.name, _named(runtime)):
        raise BackendError(
            "InUse", f"AvatarRuntime {runtime.metadata.name} names {stray.location} again", retryable=False
        )
    region = sagemaker_spec(runtime).region
    if stray.kind == "Endpoint":
        await Scaling(clients).remove(region, stray.name, is_scaled=False)
    operation, call = _deletion(stray)
    with aws_errors(f"delete {stray.location}"):
        try:
            await clients.sagemaker(region, operation, call)
        except ClientError as error:
            if not error_text(error).mention(MISSING):
                raise


def _deletion(stray: Stray) -> tuple[str, Any]:
    match stray.kind:
        case "Endpoint":
            return "DeleteEndpoint", lambda client: client.delete_endpoint(EndpointName=stray.name)
        case "EndpointConfig":
            return "DeleteEndpointConfig", lambda client: client.delete_endpoint_config(
                EndpointConfigName=stray.name
            )
        case "Model":
            return "DeleteModel", lambda client: client.delete_model(ModelName=stray.name)


def _named(runtime: AvatarRuntime) -> frozenset[str]:
    """The endpoints that a runtime knows of."""
    spec = sagemaker_spec(runtime)
    return frozenset(
        {
            spec.training.endpoint_name,
            spec.inference.endpoint_name,
            *(endpoint.name for endpoint in runtime.status.endpoints),
        }
    )


def _is_named(kind: StrayKind, name: str, names: Collection[str]) -> bool:
    if kind == "Endpoint":
        return name in names
    # Whatever is not named as ours are cannot be ours, and its tags need not be read.
    return _DERIVED.fullmatch(name) is None or any(is_derived_name(known, name) for known in names)


async def _listed(clients: AwsClients, region: str, kind: StrayKind) -> list[tuple[str, str, float]]:
    """Name, ARN and age of what there is of a kind."""
    operation, member, name, arn = LISTS[kind]

    def read(client: "SageMakerClient") -> list[tuple[str, str, float]]:
        paginator: Any = client.get_paginator(operation)  # type: ignore[call-overload]
        pages = paginator.paginate(PaginationConfig={"MaxItems": MAX_LISTED})
        return [
            (entry[name], entry[arn], age_seconds(page, entry["CreationTime"]))
            for page in pages
            for entry in page[member]
        ]

    with aws_errors(f"list what there is of {kind}"):
        return await clients.sagemaker(region, operation, read)
