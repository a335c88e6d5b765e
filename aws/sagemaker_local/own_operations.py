"""The operations that are ours and not moto's: how a request is recognised as one, and what reads it and carries it out.

    X-Amz-Target: SageMaker.<operation>                       control_plane/
    X-Amz-Target: AnyScaleFrontendService.<some>              scaling/
    Detect..., /guardrail/.../apply                           moderation/
    POST /endpoints/<name>/async-invocations                  async_inference/
    POST /endpoints/<name>/invocations                        realtime/, multi_model/

All that they have in common (IAM, faults, the call log, errors) is in answering.py.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from typing import Any

from werkzeug.wrappers import Request, Response

from sagemaker_local import moto_bridge
from sagemaker_local.async_inference.data_plane import AsyncDataPlane
from sagemaker_local.aws_clients import Scope
from sagemaker_local.control_plane.operations import ControlPlane
from sagemaker_local.control_plane.registry import EndpointRegistry
from sagemaker_local.errors import AwsError, not_implemented, validation_error
from sagemaker_local.moderation.operations import Moderation, read_for_the_log, recognise
from sagemaker_local.realtime.data_plane import MAX_REQUEST_BYTES, RealtimeDataPlane
from sagemaker_local.realtime.invocation_metrics import InvocationMetrics
from sagemaker_local.request_bodies import read_body, read_json
from sagemaker_local.runtime_parameters import read_parameters
from sagemaker_local.scaling.operations import SERVICE as SCALING_SERVICE
from sagemaker_local.scaling.operations import TARGET_PREFIX as SCALING_TARGET_PREFIX
from sagemaker_local.scaling.operations import ScalingOperations

MAX_CONTROL_PLANE_BYTES = 4 << 20
_SAGEMAKER_TARGET_PREFIX = "SageMaker."
_RUNTIME_PATH = re.compile(
    r"^/endpoints/([^/]+)/(invocations|async-invocations|invocations-response-stream)$"
)
_RUNTIME_OPERATIONS = {
    "invocations": "InvokeEndpoint",
    "async-invocations": "InvokeEndpointAsync",
    "invocations-response-stream": "InvokeEndpointWithResponseStream",
}


@dataclass(frozen=True)
class OwnOperation:
    """One of our operations: how its parameters are read, and how it is carried out with them.

    Attributes:
        service: the name that its requests are signed for, and that its IAM actions begin with.
        checked_by_moto: whether moto sees the request as it came, and checks IAM itself.
    """

    name: str
    service: str
    read: Callable[[Request], dict[str, Any]]
    carry_out: Callable[[Request, Scope, dict[str, Any]], Response]
    checked_by_moto: bool = False


class OwnOperations:
    """Finds which of our operations a request is.

    Arguments:
        moto: moto's application, for what scaling lets moto answer.
    """

    def __init__(
        self,
        moto: Callable[..., Any],
        registry: EndpointRegistry,
        control_plane: ControlPlane,
        scaling: ScalingOperations,
        moderation: Moderation,
        asynchronous: AsyncDataPlane,
        realtime: RealtimeDataPlane,
        invocation_metrics: InvocationMetrics,
    ) -> None:
        self._moto = moto
        self._registry = registry
        self._control_plane = control_plane
        self._scaling = scaling
        self._moderation = moderation
        self._asynchronous = asynchronous
        self._realtime = realtime
        self._invocation_metrics = invocation_metrics

    def find(self, environ: Mapping[str, Any]) -> OwnOperation | None:
        """The operation that a request is for; None when it is moto's."""
        path, target = environ.get("PATH_INFO", ""), environ.get("HTTP_X_AMZ_TARGET", "")
        if target.startswith(_SAGEMAKER_TARGET_PREFIX):
            name = target.removeprefix(_SAGEMAKER_TARGET_PREFIX)
            return OwnOperation(name, "sagemaker", _read_json, partial(self._carry_out_control_plane, name))
        scaling = target.removeprefix(SCALING_TARGET_PREFIX)
        if scaling != target and self._scaling.takes(scaling):
            forwarded = not self._scaling.answers_alone(scaling)
            carry_out = partial(self._carry_out_scaling, scaling)
            return OwnOperation(scaling, SCALING_SERVICE, _read_json, carry_out, forwarded)
        method = environ.get("REQUEST_METHOD", "")
        moderated = recognise(method, path, target, environ.get("HTTP_AUTHORIZATION", ""))
        if moderated is not None:
            return OwnOperation(
                moderated.operation,
                moderated.signing_name,
                read_for_the_log,
                lambda request, scope, _: self._moderation.answer(moderated, request, scope),
            )
        match = _RUNTIME_PATH.match(path)
        if match and method == "POST":
            name = _RUNTIME_OPERATIONS[match[2]]
            return OwnOperation(name, "sagemaker", _read_invocation, self._carry_out_runtime)
        return None

    def _carry_out_control_plane(
        self, operation: str, request: Request, scope: Scope, parameters: dict[str, Any]
    ) -> Response:
        def forward(body: Mapping[str, Any]) -> Response:
            environ = _with_body(request, json.dumps(body).encode())
            try:
                return moto_bridge.sagemaker_answer(environ)
            except NotImplementedError:
                raise not_implemented(f"SageMaker {operation}") from None

        return self._control_plane.answer(operation, scope, parameters, forward)

    def _carry_out_scaling(
        self, operation: str, request: Request, scope: Scope, parameters: dict[str, Any]
    ) -> Response:
        def forward() -> Response:
            return Response.from_app(self._moto, _with_body(request, request.get_data()), buffered=True)

        return self._scaling.answer(operation, scope, parameters, forward)

    def _carry_out_runtime(self, request: Request, scope: Scope, parameters: dict[str, Any]) -> Response:
        name = parameters["EndpointName"]
        endpoint = self._registry.find(scope, name)
        if endpoint is None or endpoint.name != name or not endpoint.invocable:
            raise validation_error(f"Endpoint {name} of account {scope.account} not found.")
        if request.path.endswith("/async-invocations"):
            return self._asynchronous.invoke(endpoint, parameters, request.get_data())
        variant = endpoint.choose_variant(parameters.get("TargetVariant"))
        chosen = {**parameters, "TargetVariant": variant.spec.name}
        return self._invocation_metrics.observed(
            endpoint,
            variant,
            lambda model_time: self._realtime.invoke(endpoint, chosen, request.get_data(), model_time),
        )


def _with_body(request: Request, data: bytes) -> dict[str, Any]:
    """The WSGI environment of the same request with this body, for moto."""
    environ = {**request.environ, "wsgi.input": BytesIO(data), "CONTENT_LENGTH": str(len(data))}
    environ.pop("werkzeug.request", None)
    return environ


def _read_json(request: Request) -> dict[str, Any]:
    """The parameters of a JSON 1.1 operation."""
    too_large = AwsError("ValidationException", f"the request exceeds {MAX_CONTROL_PLANE_BYTES} bytes")
    return read_json(request, MAX_CONTROL_PLANE_BYTES, too_large)


def _read_invocation(request: Request) -> dict[str, Any]:
    """The parameters of an invocation, without its body, which is read too and found to be within its limit."""
    match = _RUNTIME_PATH.match(request.path)
    assert match is not None
    operation = _RUNTIME_OPERATIONS[match[2]]
    if operation == "InvokeEndpointWithResponseStream":
        raise not_implemented(operation)
    message = f"The request body exceeds {MAX_REQUEST_BYTES} bytes"
    read_body(request, MAX_REQUEST_BYTES, AwsError("RequestEntityTooLargeException", message, 413))
    return read_parameters(operation, match[1], request)
