"""Running one invocation on one instance: fetch the input, call the container, judge the answer.

Every way in which it can go wrong is an outcome that the caller is told about, but two: a container that refused the connection,
and one that died while it had the invocation. What then becomes of the invocation is the queue's decision.

Sources for the sentences: captured notifications ("ClientError: Received client|server error (NNN) from model. See the SageMaker
Endpoint logs in your account for more information."; status 0 when the container gave no answer in time), and "The response
from container primary did not specify the required Content-Length header" (deepjavalibrary/djl-serving #2567).
"""

from __future__ import annotations

from sagemaker_local.async_inference.invocation import Failure, Invocation, Outcome, Success
from sagemaker_local.async_inference.variant_metrics import VariantMetrics
from sagemaker_local.clock import Clock
from sagemaker_local.instances.container_http import (
    ContainerAnswer,
    ContainerAnswerTooLarge,
    ContainerTimeout,
)
from sagemaker_local.instances.instance import Instance
from sagemaker_local.s3_objects import S3Failure, S3Location, S3Objects

MAX_PAYLOAD_BYTES = 1 << 30


def execute(
    invocation: Invocation, instance: Instance, objects: S3Objects, clock: Clock, metrics: VariantMetrics
) -> Outcome:
    """Run the invocation to its end on an instance whose place has been taken.

    Raises:
        ContainerRefused: when the container never received it.
        ContainerUnreachable: when the container received it and ended, or closed the connection, before it had answered.
    """
    try:
        body = invocation.inline
        if body is None:
            with metrics.downloading():
                body = objects.read(
                    S3Location.parse(invocation.parameters["InputLocation"]), MAX_PAYLOAD_BYTES
                )
    except S3Failure as error:
        return Failure.without_answer(
            f"ClientError: Unable to download the inference request payload: {error}"
        )
    try:
        with metrics.model_called() as call:
            answer = instance.call(
                "POST",
                "/invocations",
                timeout=clock.real(invocation.timeout_seconds),
                headers=_container_headers(invocation),
                body=body,
                limit=MAX_PAYLOAD_BYTES,
            )
            call.answered(answer)
    except ContainerTimeout:
        return Failure.without_answer(_received("server", 0))
    except ContainerAnswerTooLarge as error:
        return Failure.without_answer(f"ClientError: {error}")
    return _judge(answer)


def lost_container(invocation: Invocation) -> Failure:
    """The outcome of an invocation whose container died while it ran."""
    return Failure.without_answer(
        f"Amazon SageMaker could not get a response from the {invocation.endpoint} endpoint. "
        "This can occur when CPU or memory utilization is high, or when the container ended."
    )


def _judge(answer: ContainerAnswer) -> Outcome:
    if not 200 <= answer.status < 300:
        kind = "client" if 400 <= answer.status < 500 else "server"
        reason = _received(kind, answer.status)
        return Failure(reason, answer.body or reason.encode(), answer.content_type)
    if "content-length" not in answer.headers:
        return Failure.without_answer(
            "ClientError: The response from container primary did not specify the required Content-Length header"
        )
    return Success(answer.body, answer.content_type)


def _received(kind: str, status: int) -> str:
    return (
        f"ClientError: Received {kind} error ({status}) from model. "
        "See the SageMaker Endpoint logs in your account for more information."
    )


def _container_headers(invocation: Invocation) -> dict[str, str]:
    parameters = invocation.parameters
    headers = {
        "Content-Type": parameters.get("ContentType", "application/octet-stream"),
        "X-Amzn-SageMaker-Inference-Id": invocation.inference_id,
    }
    if "Accept" in parameters:
        headers["Accept"] = parameters["Accept"]
    if "CustomAttributes" in parameters:
        headers["X-Amzn-SageMaker-Custom-Attributes"] = parameters["CustomAttributes"]
    return headers
