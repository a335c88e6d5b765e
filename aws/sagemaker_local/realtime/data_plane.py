"""InvokeEndpoint: find an instance, pass the request on, pass the answer back."""

from __future__ import annotations

import threading
import time
from typing import Any

from werkzeug.wrappers import Response

from sagemaker_local.aws_clients import AwsClients
from sagemaker_local.clock import Clock, Scheduler
from sagemaker_local.control_plane.endpoint import Endpoint
from sagemaker_local.errors import AwsError, validation_error
from sagemaker_local.instances.container_http import (
    ContainerAnswer,
    ContainerAnswerTooLarge,
    ContainerRefused,
    ContainerTimeout,
    ContainerUnreachable,
)
from sagemaker_local.instances.fleet import Fleet
from sagemaker_local.instances.health import PING_TIMEOUT_SECONDS
from sagemaker_local.instances.instance import Instance, State
from sagemaker_local.metric_publishing import MetricPublisher
from sagemaker_local.multi_model.container_memory import MAX_RESPONSE_BYTES
from sagemaker_local.multi_model.model_metrics import ModelMetrics
from sagemaker_local.multi_model.routing import Candidate, choose
from sagemaker_local.multi_model.store import DEFAULT_DISK_BUDGET_BYTES, REQUEST_SECONDS, ModelStore
from sagemaker_local.realtime.invocation_metrics import ModelTime
from sagemaker_local.realtime.model_errors import from_answer, no_answer, timed_out
from sagemaker_local.s3_objects import S3Location, S3Objects

MAX_REQUEST_BYTES = 6 * 1024 * 1024


class RealtimeDataPlane:
    """InvokeEndpoint for all endpoints.

    Arguments:
        disk_budget: bytes of unpacked models that an instance of a multi-model endpoint keeps.
    """

    def __init__(
        self,
        clients: AwsClients,
        clock: Clock,
        scheduler: Scheduler,
        publisher: MetricPublisher,
        disk_budget: int = DEFAULT_DISK_BUDGET_BYTES,
    ) -> None:
        self._clients = clients
        self._clock = clock
        self._scheduler = scheduler
        self._publisher = publisher
        self._disk_budget = disk_budget
        self._lock = threading.Lock()
        self._stores: dict[Instance, ModelStore] = {}

    def invoke(
        self, endpoint: Endpoint, parameters: dict[str, Any], body: bytes, model_time: ModelTime
    ) -> Response:
        """Serve one InvokeEndpoint call, and tell `model_time` when the container has it.

        Raises:
            AwsError: ValidationError, ModelError, ModelNotReadyException, ServiceUnavailable.
        """
        if endpoint.spec.asynchronous is not None:
            raise validation_error(
                f"Endpoint {endpoint.name} has an AsyncInferenceConfig and supports only asynchronous invocations; "
                "use InvokeEndpointAsync."
            )
        for name in ("InferenceComponentName", "TargetContainerHostname", "SessionId", "EnableExplanations"):
            if name in parameters:
                raise validation_error(f"sagemaker-local does not implement {name}.")
        variant = endpoint.choose_variant(parameters.get("TargetVariant"))
        target = parameters.get("TargetModel")
        if variant.spec.container.multi_model and target is None:
            raise validation_error(
                f"Endpoint {endpoint.name} is a multi-model endpoint: TargetModel is required."
            )
        if not variant.spec.container.multi_model and target is not None:
            raise validation_error(
                f"Endpoint {endpoint.name} is not a multi-model endpoint and does not support target model header."
            )
        while True:
            instance = self._acquire(variant.fleet, target)
            try:
                if target is None:
                    answer = self._invoke_single(instance, parameters, body, model_time)
                else:
                    headers = _container_headers(parameters)
                    answer = self._store(instance).invoke(target, headers, body, model_time)
            except ContainerRefused:
                continue
            finally:
                instance.release()
            return _response(answer, variant.spec.name)

    def _acquire(self, fleet: Fleet, target: str | None) -> Instance:
        """An instance with a place taken. One that is suspect is waited for when there is no other."""
        deadline = time.monotonic() + PING_TIMEOUT_SECONDS
        while True:
            instances = fleet.in_service()
            suspect = next((instance for instance in instances if instance.suspect), None)
            while instances:
                if target is None:
                    chosen = min(instances, key=lambda instance: instance.in_flight)
                else:
                    chosen = self._route(instances, target)
                if chosen.acquire():
                    return chosen
                instances.remove(chosen)
            remaining = deadline - time.monotonic()
            if suspect is None or remaining <= 0:
                break
            suspect.await_verdict(remaining)
        raise AwsError(
            "ServiceUnavailable",
            "The service is unavailable: no instance is in service. Try again later.",
            503,
        )

    def _route(self, instances: list[Instance], target: str) -> Instance:
        holdings = [(instance.id, self._store(instance).holds(target)) for instance in instances]
        candidates = [
            Candidate(instance_id, holding.loaded, holding.on_disk, holding.requests)
            for instance_id, holding in holdings
        ]
        wanted = choose(target, candidates).instance_id
        return next(instance for instance in instances if instance.id == wanted)

    def _store(self, instance: Instance) -> ModelStore:
        with self._lock:
            store = self._stores.get(instance)
            if store is None:
                self._stores = {
                    known: kept for known, kept in self._stores.items() if known.state is not State.ENDED
                }
                assert instance.spec.model_data_url is not None
                store = ModelStore(
                    instance,
                    S3Objects(self._clients, instance.placement.scope),
                    self._clock,
                    S3Location.parse(instance.spec.model_data_url),
                    ModelMetrics(self._publisher, self._scheduler, self._clock, instance.placement),
                    instance.spec.model_cache,
                    self._disk_budget,
                )
                self._stores[instance] = store
                instance.watch_models(store.expect_listing)
            return store

    def _invoke_single(
        self, instance: Instance, parameters: dict[str, Any], body: bytes, model_time: ModelTime
    ) -> ContainerAnswer:
        try:
            with model_time.measured():
                answer = instance.call(
                    "POST",
                    "/invocations",
                    timeout=self._clock.real(REQUEST_SECONDS),
                    headers=_container_headers(parameters),
                    body=body,
                    limit=MAX_RESPONSE_BYTES,
                )
        except ContainerRefused:
            raise
        except ContainerTimeout:
            raise timed_out(instance) from None
        except (ContainerUnreachable, ContainerAnswerTooLarge) as error:
            raise no_answer(instance, str(error)) from error
        if not 200 <= answer.status < 300:
            raise from_answer(answer, instance)
        return answer


def _container_headers(parameters: dict[str, Any]) -> dict[str, str]:
    passed_on = {
        "ContentType": "Content-Type",
        "Accept": "Accept",
        "CustomAttributes": "X-Amzn-SageMaker-Custom-Attributes",
        "InferenceId": "X-Amzn-SageMaker-Inference-Id",
        "TargetModel": "X-Amzn-SageMaker-Target-Model",
    }
    return {header: parameters[name] for name, header in passed_on.items() if name in parameters}


def _response(answer: ContainerAnswer, variant: str) -> Response:
    response = Response(
        answer.body, status=200, content_type=answer.content_type or "application/octet-stream"
    )
    response.headers["x-Amzn-Invoked-Production-Variant"] = variant
    attributes = answer.headers.get("x-amzn-sagemaker-custom-attributes")
    if attributes:
        response.headers["X-Amzn-SageMaker-Custom-Attributes"] = attributes
    return response
