"""The control plane's API: which SageMaker operations we take over from moto, and how.

moto keeps the records (models, configurations, tags, listings); we let it answer first and add life. Where moto is wrong or
lacks the operation, we answer alone. Operations that neither has are refused at once: moto would answer with an HTML page and
status 500, which botocore retries.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from werkzeug.wrappers import Response

from sagemaker_local import moto_bridge
from sagemaker_local.aws_clients import Scope
from sagemaker_local.control_plane.deployment_policy import read_deployment_policy
from sagemaker_local.control_plane.describe import describe_endpoint
from sagemaker_local.control_plane.endpoint import Endpoint, EndpointHooks
from sagemaker_local.control_plane.registry import EndpointRegistry
from sagemaker_local.control_plane.request_rules import check_endpoint_config, check_model
from sagemaker_local.control_plane.specs import EndpointSpec, read_endpoint_spec
from sagemaker_local.errors import AwsError, json_response, not_implemented, validation_exception
from sagemaker_local.instances.host import InstanceHost
from sagemaker_local.shapes import operations, report, service_model, violations

Forward = Callable[[Mapping[str, Any]], Response]
"""Lets moto answer the same request with the given JSON body."""


class ControlPlane:
    """SageMaker's control plane on top of moto's."""

    def __init__(self, registry: EndpointRegistry, host: InstanceHost, hooks: EndpointHooks) -> None:
        self._registry = registry
        self._host = host
        self._hooks = hooks
        self._own: dict[str, Callable[[Scope, Mapping[str, Any], Forward], Response]] = {
            "CreateModel": self._create_model,
            "CreateEndpointConfig": self._create_endpoint_config,
            "CreateEndpoint": self._create_endpoint,
            "DescribeEndpoint": self._describe_endpoint,
            "UpdateEndpoint": self._update_endpoint,
            "UpdateEndpointWeightsAndCapacities": self._update_weights_and_capacities,
            "DeleteEndpoint": self._delete_endpoint,
            "ListTags": self._list_tags,
        }

    def answer(self, operation: str, scope: Scope, request: Mapping[str, Any], forward: Forward) -> Response:
        """Answer one operation.

        Raises:
            AwsError: any refusal.
        """
        if operation not in operations("sagemaker"):
            raise AwsError("UnknownOperationException", f"SageMaker has no operation {operation}", 404)
        own = self._own.get(operation)
        if own is None:
            if not moto_bridge.sagemaker_has(operation):
                raise not_implemented(f"SageMaker {operation}")
            return forward(request)
        found = violations(service_model("sagemaker").operation_model(operation).input_shape, request, "")
        if found:
            raise validation_exception(report(found))
        return own(scope, request, forward)

    def _create_model(self, scope: Scope, request: Mapping[str, Any], forward: Forward) -> Response:
        name = request["ModelName"]
        if moto_bridge.stored_model(scope, name) is not None:
            raise validation_exception(
                f'Cannot create already existing model "{_arn(scope, "model", name)}".'
            )
        check_model(request)
        return forward(request)

    def _create_endpoint_config(self, scope: Scope, request: Mapping[str, Any], forward: Forward) -> Response:
        name = request["EndpointConfigName"]
        if moto_bridge.stored_endpoint_config(scope, name) is not None:
            raise validation_exception(
                f'Cannot create already existing endpoint configuration "{_arn(scope, "endpoint-config", name)}".'
            )
        check_endpoint_config(request)
        response = forward(moto_bridge.acceptable_endpoint_config(request))
        if response.status_code == 200:
            moto_bridge.correct_endpoint_config(scope, request)
        return response

    def _create_endpoint(self, scope: Scope, request: Mapping[str, Any], forward: Forward) -> Response:
        spec = self._resolve(scope, request["EndpointConfigName"])
        counts = {variant.name: variant.instance_count for variant in spec.variants}
        policy = read_deployment_policy(request.get("DeploymentConfig"), counts)
        endpoint = Endpoint(self._host, self._hooks, scope, request["EndpointName"], spec, policy)
        self._registry.add(endpoint)
        response = forward(request)
        if response.status_code != 200:
            self._registry.remove(endpoint)
            return response
        self._hooks.changed(endpoint)
        endpoint.create()
        return json_response({"EndpointArn": endpoint.arn})

    def _describe_endpoint(self, scope: Scope, request: Mapping[str, Any], forward: Forward) -> Response:
        endpoint = self._registry.get(scope, request["EndpointName"])
        response = forward({"EndpointName": endpoint.name})
        if response.status_code != 200:
            return response
        stored = response.get_json(force=True)
        stored.pop("ProductionVariants", None)
        return json_response({**stored, **describe_endpoint(endpoint)})

    def _update_endpoint(self, scope: Scope, request: Mapping[str, Any], forward: Forward) -> Response:
        endpoint = self._registry.get(scope, request["EndpointName"])
        retain = bool(request.get("RetainAllVariantProperties"))
        excluded = {
            item["VariantPropertyType"] for item in request.get("ExcludeRetainedVariantProperties") or ()
        }
        retain_counts = retain and "DesiredInstanceCount" not in excluded
        spec = self._resolve(scope, request["EndpointConfigName"])
        counts = {variant.name: variant.instance_count for variant in spec.variants}
        if retain_counts:
            counts |= {
                name: variant.fleet.desired for name, variant in endpoint.variants.items() if name in counts
            }
        config = request.get("DeploymentConfig")
        if config is None and request.get("RetainDeploymentConfig"):
            config = endpoint.policy.raw
        endpoint.update(
            spec,
            retain_counts=retain_counts,
            retain_weights=retain and "DesiredWeight" not in excluded,
            policy=read_deployment_policy(config, counts),
        )
        return json_response({"EndpointArn": endpoint.arn})

    def _update_weights_and_capacities(
        self, scope: Scope, request: Mapping[str, Any], forward: Forward
    ) -> Response:
        endpoint = self._registry.get(scope, request["EndpointName"])
        desired = request["DesiredWeightsAndCapacities"]
        names = [item["VariantName"] for item in desired]
        if len(set(names)) != len(names):
            raise validation_exception("A variant name was non-unique within the request.")
        endpoint.reweigh(
            counts={
                item["VariantName"]: item["DesiredInstanceCount"]
                for item in desired
                if "DesiredInstanceCount" in item
            },
            weights={
                item["VariantName"]: float(item["DesiredWeight"])
                for item in desired
                if "DesiredWeight" in item
            },
        )
        return json_response({"EndpointArn": endpoint.arn})

    def _delete_endpoint(self, scope: Scope, request: Mapping[str, Any], forward: Forward) -> Response:
        self._registry.get(scope, request["EndpointName"]).delete()
        response = json_response({})
        response.set_data(b"")
        return response

    def _resolve(self, scope: Scope, config_name: str) -> EndpointSpec:
        config = moto_bridge.stored_endpoint_config(scope, config_name)
        if config is None:
            raise validation_exception(
                f'Could not find endpoint configuration "{_arn(scope, "endpoint-config", config_name)}".'
            )
        return read_endpoint_spec(
            config_name,
            config,
            lambda name: moto_bridge.stored_model(scope, name),
            lambda name: _arn(scope, "model", name),
        )

    def _list_tags(self, scope: Scope, request: Mapping[str, Any], forward: Forward) -> Response:
        # moto has no answer for what is gone: it fails with 500.
        kind, _, name = request["ResourceArn"].rpartition(":")[2].partition("/")
        there = {
            "endpoint": moto_bridge.has_endpoint,
            "endpoint-config": moto_bridge.stored_endpoint_config,
            "model": moto_bridge.stored_model,
        }.get(kind)
        if there is not None and not there(scope, name):
            raise validation_exception(f'Could not find {kind} "{request["ResourceArn"]}".')
        return forward(request)


def _arn(scope: Scope, kind: str, name: str) -> str:
    return scope.arn("sagemaker", f"{kind}/{name}")
