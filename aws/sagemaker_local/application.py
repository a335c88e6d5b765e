"""AWS on one port.

    boto3 ──HTTP──> werkzeug (a thread per connection, kept alive)
                       │
                       ├─ /_sagemaker_local/...                 ours: call log, faults, clock          control_api.py
                       ├─ X-Amz-Target: SageMaker.*              ours on top of moto                    control_plane/
                       ├─ /endpoints/<name>/async-invocations    ours                                   async_inference/
                       ├─ /endpoints/<name>/invocations          ours                                   realtime/, multi_model/
                       ├─ X-Amz-Target: AnyScaleFrontendService. some, ours on top of moto              scaling/
                       ├─ Detect..., /guardrail/.../apply        ours                                   moderation/
                       └─ everything else                        moto, untouched                        moto_bridge.py

moto's server is a plain WSGI callable, so wrapping it costs no hop and changes nothing for S3, SNS, SQS, IAM or CloudWatch; our own
code reaches those through boto3 on the same port.
"""

from __future__ import annotations

import json
import logging
import re
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from typing import Any

from werkzeug.wrappers import Request, Response

from sagemaker_local import moto_bridge
from sagemaker_local.async_inference.data_plane import AsyncDataPlane
from sagemaker_local.async_inference.redelivery import Redelivery
from sagemaker_local.authorization.authorizer import authenticate
from sagemaker_local.aws_clients import Scope
from sagemaker_local.calls import Call, CallLog
from sagemaker_local.clock import Scheduler
from sagemaker_local.control_api import CONTROL_PATH, ControlApi
from sagemaker_local.control_plane.endpoint import DELETING, UPDATING, Endpoint, EndpointHooks
from sagemaker_local.control_plane.operations import ControlPlane
from sagemaker_local.control_plane.registry import EndpointRegistry
from sagemaker_local.credential_scope import signed_scope
from sagemaker_local.delivery_faults import DeliveryFaults
from sagemaker_local.errors import AwsError, error_response, not_implemented, validation_error
from sagemaker_local.instances.host import InstanceHost
from sagemaker_local.metric_publishing import MetricPublisher
from sagemaker_local.moderation.operations import Moderation, read_for_the_log, recognise
from sagemaker_local.persistence.saved_state import SavedState
from sagemaker_local.publishing import Publisher
from sagemaker_local.realtime.data_plane import MAX_REQUEST_BYTES, RealtimeDataPlane
from sagemaker_local.realtime.invocation_metrics import InvocationMetrics
from sagemaker_local.runtime_parameters import read_parameters
from sagemaker_local.s3_faults import S3Faults
from sagemaker_local.scaling.activities import ActivityLog
from sagemaker_local.scaling.autoscaler import Autoscaler
from sagemaker_local.scaling.operations import SERVICE as SCALING_SERVICE
from sagemaker_local.scaling.operations import TARGET_PREFIX as SCALING_TARGET_PREFIX
from sagemaker_local.scaling.operations import ScalingOperations
from sagemaker_local.scaling.watched_metrics import WatchedMetrics
from sagemaker_local.unanswered import answered

logger = logging.getLogger(__name__)

SHUTDOWN_GRACE_SECONDS = 5.0
MAX_CONTROL_PLANE_BYTES = 4 << 20
_RUNTIME_PATH = re.compile(
    r"^/endpoints/([^/]+)/(invocations|async-invocations|invocations-response-stream)$"
)
_RUNTIME_OPERATIONS = {
    "invocations": "InvokeEndpoint",
    "async-invocations": "InvokeEndpointAsync",
    "invocations-response-stream": "InvokeEndpointWithResponseStream",
}


@dataclass(frozen=True)
class _Operation:
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


class LocalAwsApplication:
    """The WSGI application: ours where it is ours, moto's everywhere else."""

    def __init__(self, host: InstanceHost, disk_budget: int, redeliveries: int, state: SavedState) -> None:
        self.calls = CallLog()
        self.faults = host.faults
        self._s3_faults = S3Faults(self.faults)
        delivery_faults = DeliveryFaults(self.faults)
        delivery_faults.install()
        self.registry = EndpointRegistry()
        self.scheduler = Scheduler()
        self.metrics = MetricPublisher(host.clients)
        self._clock = host.clock
        self._host = host
        self.state = state
        self.redelivery = Redelivery(redeliveries)
        self._moto = moto_bridge.moto_application()
        self._moderation = Moderation(host.clients)
        self._asynchronous = AsyncDataPlane(
            host.clients,
            host.clock,
            self.scheduler,
            Publisher(host.clients, self.faults, self.scheduler),
            self.metrics,
            self.redelivery,
            state.invocations,
        )
        self._realtime = RealtimeDataPlane(
            host.clients, host.clock, self.scheduler, self.metrics, disk_budget
        )
        self._hooks = EndpointHooks(
            deploying=self._asynchronous.announce,
            changed=self._changed,
            capacity=self._asynchronous.dispatch,
            gone=self._forget,
        )
        self._control_plane = ControlPlane(self.registry, host, self._hooks)
        activities = ActivityLog()
        self._invocation_metrics = InvocationMetrics(self.metrics)
        watched = WatchedMetrics(self.registry, self._invocation_metrics, self._asynchronous.sample_backlog)
        self.autoscaler = Autoscaler(self.registry, host.clock, activities, watched)
        self._scaling = ScalingOperations(self.registry, self.autoscaler, activities)
        self._control_api = ControlApi(
            self.calls,
            self.faults,
            delivery_faults,
            self._moderation.rules,
            host.clock,
            self.redelivery,
            self.registry,
        )

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path.startswith(CONTROL_PATH):
            return self._control_api.answer(Request(environ))(environ, start_response)
        if path == "/moto-api/reset":
            self.end_all_endpoints()
            self.autoscaler.reset()
            self._moderation.rules.clear()
        operation = self._ours(path, environ)
        if operation is None:
            forwarded = self._forward_untouched(environ, start_response)
            self.state.settle(environ)
            return forwarded
        answer = self._answer(operation, Request(environ))
        self.state.settle(environ)
        return answer(environ, start_response)

    def restore_endpoints(self) -> None:
        """Take up the endpoints of an earlier run, and what they had accepted. Returns at once."""
        if not self.state.kept:
            return
        for record in self.state.endpoints.load():
            endpoint = Endpoint(self._host, self._hooks, record.scope, record.name, record.spec)
            if record.status == DELETING or not moto_bridge.has_endpoint(record.scope, record.name):
                self.state.endpoints.remove(endpoint)
                continue
            endpoint.created = record.created
            self.registry.add(endpoint)
            endpoint.restore(record.status, record.counts, record.weights, record.failure_reason)
            self._asynchronous.restore(endpoint)
            if record.status == UPDATING and record.pending is not None:
                endpoint.update(record.pending, retain_counts=False, retain_weights=False)
        living = {(each.scope.account, each.scope.region, each.name) for each in self.registry.all()}
        for account, region, name in moto_bridge.stored_endpoints():
            if (account, region, name) not in living:
                moto_bridge.drop_endpoint(Scope(account, region, ""), name)

    def end_all_endpoints(self) -> None:
        """Stop all instances and forget their endpoints: the server ends, or moto's records are reset. Blocks."""
        endpoints = self.registry.all()
        closing = [threading.Thread(target=each.close, args=(SHUTDOWN_GRACE_SECONDS,)) for each in endpoints]
        for thread in closing:
            thread.start()
        for thread in closing:
            thread.join()
        for endpoint in endpoints:
            self._forget(endpoint)

    def _ours(self, path: str, environ: dict[str, Any]) -> _Operation | None:
        target = environ.get("HTTP_X_AMZ_TARGET", "")
        if target.startswith("SageMaker."):
            name = target.removeprefix("SageMaker.")
            return _Operation(name, "sagemaker", _read_json, partial(self._carry_out_control_plane, name))
        scaling = target.removeprefix(SCALING_TARGET_PREFIX)
        if scaling != target and self._scaling.takes(scaling):
            forwarded = not self._scaling.answers_alone(scaling)
            carry_out = partial(self._carry_out_scaling, scaling)
            return _Operation(scaling, SCALING_SERVICE, _read_json, carry_out, forwarded)
        method = environ.get("REQUEST_METHOD", "")
        moderated = recognise(method, path, target, environ.get("HTTP_AUTHORIZATION", ""))
        if moderated is not None:
            return _Operation(
                moderated.operation,
                moderated.signing_name,
                read_for_the_log,
                lambda request, scope, _: self._moderation.answer(moderated, request, scope),
            )
        match = _RUNTIME_PATH.match(path)
        if match and method == "POST":
            name = _RUNTIME_OPERATIONS[match[2]]
            return _Operation(name, "sagemaker", _read_invocation, self._carry_out_runtime)
        return None

    def _answer(self, operation: _Operation, request: Request) -> Response:
        """Carry one call out, under the faults that are ordered for it, and record it."""
        scope = _scope(request)
        parameters: dict[str, Any] = {}
        error: str | None = None
        carried_out = False
        try:
            caller = None if operation.checked_by_moto else authenticate(request, scope, operation.service)
            parameters = operation.read(request)
            if caller is not None:
                caller.authorize(operation.name, parameters)
            fault = self.faults.take_api(operation.name)
            if fault and fault.seconds:
                time.sleep(fault.seconds)
            if fault and fault.error and fault.when == "before":
                raise AwsError(fault.error, fault.message, fault.status)
            response = operation.carry_out(request, scope, parameters)
            carried_out = response.status_code < 400
            if fault and fault.error:
                raise AwsError(fault.error, fault.message, fault.status)
        except AwsError as refusal:
            error = refusal.code
            response = error_response(refusal)
        except Exception as unexpected:
            logger.exception("%s failed inside sagemaker-local", operation.name)
            error = "InternalFailure"
            response = error_response(AwsError(error, f"{type(unexpected).__name__}: {unexpected}", 500))
        if error is None and response.status_code >= 400:
            error = str((response.get_json(force=True, silent=True) or {}).get("__type"))
        call = Call(
            time=self._clock.now().isoformat(),
            api=operation.name,
            account=scope.account,
            region=scope.region,
            parameters=parameters,
            carried_out=carried_out,
            status=response.status_code,
            error=error,
        )
        self.calls.record(call)
        return response

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
        endpoint = self.registry.find(scope, name)
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

    def _forward_untouched(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        fault = self._s3_faults.answer(environ)
        if fault is not None:
            return fault(environ, start_response)
        return answered(self._moto, environ, start_response)

    def _forget(self, endpoint: Endpoint) -> None:
        self._asynchronous.forget(endpoint)
        moto_bridge.drop_endpoint(endpoint.scope, endpoint.name)
        self.state.endpoints.remove(endpoint)
        self.state.touch("sagemaker")
        self.registry.remove(endpoint)

    def _changed(self, endpoint: Endpoint) -> None:
        """Let moto's ListEndpoints, and the next run of the server, tell what an endpoint's life cycle says."""
        moto_bridge.mirror_endpoint(
            endpoint.scope,
            endpoint.name,
            endpoint.status,
            endpoint.spec.config_name,
            endpoint.failure_reason,
            endpoint.modified,
        )
        self.state.endpoints.save(endpoint)
        self.state.touch("sagemaker")


def _with_body(request: Request, data: bytes) -> dict[str, Any]:
    """The WSGI environment of the same request with this body, for moto."""
    environ = {**request.environ, "wsgi.input": BytesIO(data), "CONTENT_LENGTH": str(len(data))}
    environ.pop("werkzeug.request", None)
    return environ


def _read_json(request: Request) -> dict[str, Any]:
    """The parameters of a JSON 1.1 operation."""
    if (request.content_length or 0) > MAX_CONTROL_PLANE_BYTES:
        raise AwsError("ValidationException", f"the request exceeds {MAX_CONTROL_PLANE_BYTES} bytes")
    try:
        parameters = json.loads(request.get_data() or b"{}")
    except ValueError as error:
        raise AwsError("SerializationException", f"the request is not JSON: {error}") from error
    if not isinstance(parameters, dict):
        raise AwsError("SerializationException", "the request is not a JSON object")
    return parameters


def _read_invocation(request: Request) -> dict[str, Any]:
    """The parameters of an invocation, without its body."""
    match = _RUNTIME_PATH.match(request.path)
    assert match is not None
    operation = _RUNTIME_OPERATIONS[match[2]]
    if operation == "InvokeEndpointWithResponseStream":
        raise not_implemented(operation)
    if (request.content_length or 0) > MAX_REQUEST_BYTES:
        message = f"The request body exceeds {MAX_REQUEST_BYTES} bytes"
        raise AwsError("RequestEntityTooLargeException", message, 413)
    return read_parameters(operation, match[1], request)


def _scope(request: Request) -> Scope:
    """Account and region of a call, from the credential in its signature."""
    signed = signed_scope(request.headers.get("Authorization", ""))
    access_key, region = (signed.access_key, signed.region) if signed else ("unsigned", "us-east-1")
    return Scope(moto_bridge.account_of(access_key), region, access_key)
