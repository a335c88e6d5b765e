"""Drawing: one InvokeEndpoint with TargetModel, and what its many ways to fail mean.

    429 ModelNotReadyException   the endpoint is loading the model and goes on doing so: ModelLoading, ask again
    424 ModelError               the container answered with an error, or not in time
    400 ValidationError          no such endpoint, or no such artifact, or something else about either of them (waited
                                 for), or a request that can never be taken (`invocation_errors`)
    read time-out, 5xx           nobody knows; drawing again gives the same pictures under the same names

An endpoint that is missing, changing or not what it should be is waited for: this operator may be replacing it just
now, and whoever else owns it may. What ends a request is what the same call can never do: the worker's own 4xx, an
artifact that is not in S3 or no archive, a request that breaks SageMaker's own constraints.

Sources: SageMaker API Reference, InvokeEndpoint (Errors); Developer Guide, "Invoke a multi-model endpoint".
"""

from botocore.exceptions import ClientError, ReadTimeoutError

from avatar_api.avatar_runtime import AvatarRuntime
from avatar_api.documents.credentials import SessionCredentials
from avatar_api.documents.inference import InferenceRequest, InferenceResult
from avatar_api.documents.parsing import UnreadableDocument, parse_document
from avatar_operator.aws.clients import AwsClients
from avatar_operator.aws.errors import AWS_CALL_ERRORS, AwsCallError, error_code, error_text
from avatar_operator.aws.s3_location import S3Location
from avatar_operator.aws.s3_objects import JSON, S3Objects
from avatar_operator.backends.compute import DrawCall, Drawn, DrawResult, ModelLoading
from avatar_operator.backends.failures import BackendError
from avatar_operator.backends.sagemaker.failure_text import (
    TIMED_OUT,
    answered_with,
    find_worker_error,
    stated_status,
)
from avatar_operator.backends.sagemaker.invocation_errors import invocation_error
from avatar_operator.backends.sagemaker.runtime_spec import sagemaker_spec
from avatar_operator.backends.worker_words import worker_sentence
from avatar_operator.core.confidential import FOR_THE_PLATFORM_TEAM, Confidential

ARTIFACT_MISSING = "ArtifactMissing"
MAX_ANSWER_BYTES = 6_291_456
"""InvokeEndpoint's own limit for a body, each way."""
UNKNOWN_STATUS = 500
MAX_SAID = 1000
NO_ANSWER = (
    "The worker did not answer in time. If this repeats, limits.inference.picturesPerInvocation of the AvatarRuntime must be"
    " lower."
)
NOT_DOWNLOADED = "Failed to download model data"
NOT_EXTRACTED = "Failed to extract model data"


async def draw(
    clients: AwsClients, runtime: AvatarRuntime, call: DrawCall, credentials: SessionCredentials | None
) -> DrawResult:
    """See Compute.draw. The worker stores pictures with the credentials, or with its own role if there are none."""
    spec = sagemaker_spec(runtime)
    endpoint_name = spec.inference.endpoint_name
    body = inference_request(call, credentials).model_dump_json(by_alias=True, exclude_none=True).encode()
    try:
        answer = await clients.invocation(
            spec.region,
            lambda client: client.invoke_endpoint(
                EndpointName=endpoint_name,
                TargetModel=call.target_model,
                ContentType=JSON,
                Accept=JSON,
                Body=body,
            )["Body"].read(MAX_ANSWER_BYTES),
        )
    except AWS_CALL_ERRORS as error:
        if isinstance(error, ClientError) and error_code(error) == "ModelNotReadyException":
            return ModelLoading()
        failure = drawing_error(error, endpoint_name, call.target_model)
        if failure.reason == ARTIFACT_MISSING:
            failure = await _undelivered(S3Objects(clients, spec.region), call, failure)
        raise failure from error
    return _drawn(answer, call)


def inference_request(call: DrawCall, credentials: SessionCredentials | None = None) -> InferenceRequest:
    """The document that the serving worker obeys."""
    return InferenceRequest(
        pictures=list(call.pictures),
        num_inference_steps=call.num_inference_steps,
        guidance_scale=call.guidance_scale,
        width=call.width,
        height=call.height,
        scheduler=call.scheduler,
        output_prefix=call.output_prefix,
        weights_sha256=call.weights_sha256,
        credentials=credentials,
    )


def _drawn(answer: bytes, call: DrawCall) -> Drawn:
    try:
        result = parse_document(InferenceResult, answer)
    except UnreadableDocument as error:
        raise BackendError(
            "ResultInvalid",
            "The worker's result cannot be read. Do its image and the operator fit together?",
            retryable=False,
            said=Confidential(str(error)),
        ) from error
    stored = {picture.uri for picture in result.pictures}
    missing = [
        picture.file_name()
        for picture in call.pictures
        if f"{call.output_prefix}{picture.file_name()}" not in stored
    ]
    if missing:
        raise BackendError(
            "ResultInvalid", f"The worker does not say where it stored {', '.join(missing)}", retryable=False
        )
    return Drawn(generate_seconds=result.generate_seconds)


def drawing_error(error: AwsCallError, endpoint_name: str, target_model: str) -> BackendError:
    """What a failed InvokeEndpoint means, except ModelNotReadyException, which is no failure."""
    doing = f"draw with {target_model} on endpoint {endpoint_name}"
    if isinstance(error, ReadTimeoutError):
        return BackendError(
            "InvocationTimedOut",
            NO_ANSWER,
            retryable=True,
            said=Confidential(f"could not {doing}: {error}"),
        )
    if isinstance(error, ClientError):
        match error_code(error):
            case "ModelError":
                return _model_error(error, doing)
            case "ValidationError" if error_text(error).begin_with(NOT_EXTRACTED):
                message = (
                    "The endpoint cannot unpack the artifact. Raise the model's spec.revision to train again."
                )
                return BackendError("ArtifactInvalid", message, retryable=False, said=_said(error, doing))
            case "ValidationError" if error_text(error).begin_with(NOT_DOWNLOADED):
                message = (
                    "The artifact is not in S3 any more. Raise the model's spec.revision to train again."
                )
                return BackendError(ARTIFACT_MISSING, message, retryable=False, said=_said(error, doing))
    return invocation_error(error, doing)


def _model_error(error: ClientError, doing: str) -> BackendError:
    answer = str(error.response.get("OriginalMessage", "")) or error_text(error).reveal()
    said = Confidential(f"could not {doing}: the worker says: {answer[:MAX_SAID]}")
    worker_error = find_worker_error(answer)
    if worker_error is not None:
        message = worker_sentence(worker_error)
        return BackendError(worker_error.code, message, retryable=worker_error.retryable, said=said)
    status = _original_status(error)
    if status == TIMED_OUT:
        return BackendError(
            "InvocationTimedOut",
            NO_ANSWER,
            retryable=True,
            said=said,
        )
    cause = answered_with(status, answer)
    return BackendError(cause.reason, cause.message, retryable=cause.retryable, said=said)


def _said(error: ClientError, doing: str) -> Confidential:
    return Confidential(f"could not {doing}: {error_text(error).reveal()}")


def _original_status(error: ClientError) -> int:
    status = error.response.get("OriginalStatusCode")
    if isinstance(status, int):
        return status
    stated = stated_status(error_text(error).reveal())
    return UNKNOWN_STATUS if stated is None else stated


async def _undelivered(objects: S3Objects, call: DrawCall, missing: BackendError) -> BackendError:
    # SageMaker says the same of an artifact that is gone and of one that the endpoint's role may not read.
    if await objects.facts(S3Location.parse(call.artifact)) is None:
        return missing
    return BackendError(
        "ArtifactUnreadable",
        f"The endpoint cannot read the artifact, which is there: its role must be allowed to. {FOR_THE_PLATFORM_TEAM}",
        retryable=True,
        said=Confidential(
            f"{missing.in_full} {call.artifact} is there: the endpoint's execution role must be allowed to read it."
        ),
    )
