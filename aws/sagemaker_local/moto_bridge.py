"""Everything that touches moto's insides, and nothing else does.

moto is the S3, SNS, SQS, IAM, CloudWatch and the record-keeping of SageMaker here. We use it through its WSGI application;
beyond that, eight things have no public door and are kept in this one file, so that a moto upgrade has few places to break (the
others are scaling/moto_records.py, authorization/moto_identities.py, authorization/moto_checks.py, delivery_faults.py and what
persistence/ pickles):

- which account an access key belongs to;
- which SageMaker operations moto has;
- an answer of SageMaker's without moto's check of IAM, which knows no resources and would refuse a request that we have changed;
- the stored models and endpoint configurations (to start what they describe);
- the stored endpoint (so that ListEndpoints and tags show what our life cycle says);
- whether an object is there;
- the policies of buckets, of which moto takes every condition for fulfilled: it is shown what has none;
- the keys of buckets, of which moto's listings take one for there that is deleted meanwhile, and fail.

moto keeps a frozen list of old instance types. A configuration is therefore stored under a type that moto accepts and then
corrected to what the caller asked for, after we have validated it against botocore's list.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from moto.backends import get_backend
from moto.core.request import Request as MotoRequest
from moto.core.utils import camelcase_to_underscores, method_names_from_class
from moto.iam.access_control import IAMPolicy, PermissionResult
from moto.iam.models import get_account_id_from
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from moto.s3.models import FakeBucket, s3_backends
from moto.s3.utils import _VersionedKeyStore
from moto.sagemaker.responses import SageMakerResponse
from werkzeug.wrappers import Response

from sagemaker_local.aws_clients import Scope

ACCEPTED_INSTANCE_TYPE = "ml.m5.large"

__all__ = ["MotoRequestHandler"]


def moto_application() -> Any:
    """moto's whole AWS as one WSGI callable."""
    return DomainDispatcherApplication(create_backend_app)


def account_of(access_key: str) -> str:
    """The account that moto's IAM made the key for; its default account for any other key."""
    return str(get_account_id_from(access_key))


def sagemaker_has(operation: str) -> bool:
    """Whether moto implements an operation of the SageMaker control plane."""
    return camelcase_to_underscores(operation) in method_names_from_class(SageMakerResponse)


class _RequestToServer(MotoRequest):
    from_wsgi_server = True


class _AuthorizedAtTheDoor(SageMakerResponse):
    """moto's SageMaker for requests that authorization/ has let pass."""

    def _authenticate_and_authorize_normal_action(self, resource: str = "*") -> None:
        pass


def sagemaker_answer(environ: dict[str, Any]) -> Response:
    """What moto's SageMaker answers to a request. Raises NotImplementedError when it has no such operation."""
    request = _RequestToServer(environ)
    status, headers, body = _AuthorizedAtTheDoor.dispatch(request, request.raw_url, dict(request.headers))
    # moto's server lets web pages of any origin use it, by a layer that is passed by here.
    return Response(body, status=status, headers={"Access-Control-Allow-Origin": "*", **headers})


def stored_model(scope: Scope, name: str) -> dict[str, Any] | None:
    """A model as CreateModel described it: `PrimaryContainer`, `Containers`. None when there is none."""
    model = _sagemaker(scope)._models.get(name)
    if model is None:
        return None
    return {"PrimaryContainer": model.primary_container, "Containers": model.containers}


def stored_endpoint_config(scope: Scope, name: str) -> dict[str, Any] | None:
    """An endpoint configuration as CreateEndpointConfig described it. None when there is none."""
    config = _sagemaker(scope).endpoint_configs.get(name)
    if config is None:
        return None
    return {
        "ProductionVariants": config.production_variants,
        "AsyncInferenceConfig": config.async_inference_config,
    }


def acceptable_endpoint_config(request: Mapping[str, Any]) -> dict[str, Any]:
    """The same CreateEndpointConfig request in terms that moto accepts; `correct_endpoint_config` undoes the difference."""
    accepted = copy.deepcopy(dict(request))
    for variant in accepted["ProductionVariants"]:
        if "ServerlessConfig" not in variant:
            variant["InstanceType"] = ACCEPTED_INSTANCE_TYPE
    return accepted


def correct_endpoint_config(scope: Scope, request: Mapping[str, Any]) -> None:
    """Store what the caller really asked for, after moto has accepted the stand-in."""
    config = _sagemaker(scope).endpoint_configs[request["EndpointConfigName"]]
    config.production_variants = copy.deepcopy(request["ProductionVariants"])


def mirror_endpoint(
    scope: Scope, name: str, status: str, config_name: str, failure_reason: str | None, modified: datetime
) -> None:
    """Let moto's ListEndpoints tell what our life cycle says."""
    endpoint = _sagemaker(scope).endpoints.get(name)
    if endpoint is not None:
        endpoint.endpoint_status = status
        endpoint.endpoint_config_name = config_name
        endpoint.failure_reason = failure_reason
        endpoint.last_modified_time = modified.replace(tzinfo=None)


def has_endpoint(scope: Scope, name: str) -> bool:
    """Whether moto has a record of the endpoint."""
    return name in _sagemaker(scope).endpoints


def stored_endpoints() -> list[tuple[str, str, str]]:
    """Account, region and name of all endpoints that moto has a record of."""
    return [
        (account, region, name)
        for account, regions in get_backend("sagemaker").items()
        for region, backend in regions.items()
        for name in backend.endpoints
    ]


def drop_endpoint(scope: Scope, name: str) -> None:
    """The endpoint is gone."""
    _sagemaker(scope).endpoints.pop(name, None)


def bucket_policy(name: str) -> dict[str, Any] | None:
    """The policy of a bucket, whoever owns it; None when it has none."""
    owner = s3_backends.bucket_accounts.get(name)
    if owner is None:
        return None
    partition, account = owner
    policy = s3_backends[account][partition].get_bucket(name).policy
    return None if policy is None else json.loads(policy)


def lacks_object(bucket: str, key: str) -> bool:
    """Whether a bucket that exists has no such object."""
    owner = s3_backends.bucket_accounts.get(bucket)
    if owner is None:
        return False
    partition, account = owner
    return s3_backends[account][partition].get_object(bucket, key) is None


def without_conditional_statements(policy: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a policy that moto understands."""
    statements = policy.get("Statement", [])
    listed = statements if isinstance(statements, list) else [statements]
    return {**policy, "Statement": [statement for statement in listed if not statement.get("Condition")]}


def show_moto_no_conditions() -> None:
    """Have moto judge buckets' policies by the statements without conditions only."""

    def get_permission(bucket: FakeBucket, action: str, resource: str) -> PermissionResult:
        if bucket.policy is None:
            return PermissionResult.NEUTRAL
        understood = without_conditional_statements(json.loads(bucket.policy))
        return IAMPolicy(json.dumps(understood)).is_action_permitted(action, resource)

    FakeBucket.get_permission = get_permission  # type: ignore[assignment, method-assign]


def let_listings_miss_what_goes() -> None:
    """Have moto's listings leave out what is deleted while they are made."""

    def lists(store: _VersionedKeyStore) -> Iterator[tuple[str, list[Any]]]:
        for key in dict(store):
            versions = store.getlist(key)
            if versions:
                yield key, versions

    def items(store: _VersionedKeyStore) -> Iterator[tuple[str, Any]]:
        return ((key, versions[-1]) for key, versions in lists(store))

    def values(store: _VersionedKeyStore) -> Iterator[Any]:
        return (versions[-1] for _, versions in lists(store))

    for names, iterate in (
        (("lists", "iterlists"), lists),
        (("items", "iteritems"), items),
        (("values", "itervalues"), values),
    ):
        for name in names:
            setattr(_VersionedKeyStore, name, iterate)


def _sagemaker(scope: Scope) -> Any:
    return get_backend("sagemaker")[scope.account][scope.region]
