"""Drawing and everything that InvokeEndpoint can answer instead of pictures."""

from __future__ import annotations

import json
import uuid
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError

from avatar_api.avatar_runtime import AvatarRuntime
from avatar_api.documents.errors import WorkerError
from avatar_api.documents.inference import InferenceRequest
from avatar_operator.backends.compute import ModelLoading
from avatar_operator.backends.failures import BackendError
from avatar_operator.backends.sagemaker.drawing import drawing_error, inference_request
from avatar_operator.backends.selection import Backend
from builders.backend_objects import BUCKET, make_runtime
from builders.drawing_calls import CALL
from sagemaker_local.testing import LocalAws

CONSTRAINT = "1 validation error detected: Value at '{}' failed to satisfy constraint: Member must have"


def classified(code: str, status: int, message: str = "", **fields: Any) -> BackendError:
    response: Any = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": status},
        **fields,
    }
    return drawing_error(ClientError(response, "InvokeEndpoint"), "inference", "ann.tar.gz")


def test_the_worker_gets_every_setting() -> None:
    assert inference_request(CALL) == InferenceRequest(
        pictures=list(CALL.pictures),
        num_inference_steps=5,
        guidance_scale=7.5,
        width=64,
        height=64,
        scheduler="DDIM",
        output_prefix=CALL.output_prefix,
        weights_sha256="d" * 64,
    )


def test_what_was_verified_before_its_weights_were_recorded_promises_nothing() -> None:
    assert "weightsSha256" not in inference_request(replace(CALL, weights_sha256=None)).to_wire()


def test_a_refusal_that_this_version_has_no_word_for_is_final_by_its_status() -> None:
    unknown = {
        "schemaVersion": "avatars.dev/worker-error/v1alpha1",
        "code": "ArtifactMelted",
        "message": "the artifact is not the one that was verified",
        "retryable": False,
    }
    failure = classified("ModelError", 424, OriginalStatusCode=412, OriginalMessage=json.dumps(unknown))
    assert (failure.reason, failure.retryable) == ("WorkerRejected", False)
    assert failure.said.mention("not the one that was verified")


async def test_a_model_that_is_still_loading_is_no_error(
    backend: Backend, runtime: AvatarRuntime, local_aws: LocalAws
) -> None:
    local_aws.add_fault(kind="api", api="InvokeEndpoint", error="ModelNotReadyException", status=429)
    assert await backend.compute.draw(runtime, CALL) == ModelLoading()
    assert len(local_aws.calls(api="InvokeEndpoint")) == 1


async def test_an_artifact_that_is_gone_is_missing_for_good(backend: Backend, runtime: AvatarRuntime) -> None:
    with pytest.raises(BackendError) as caught:
        await backend.compute.draw(runtime, CALL)
    assert (caught.value.reason, caught.value.retryable) == ("ArtifactMissing", False)


async def test_an_artifact_that_is_there_and_that_the_endpoint_cannot_fetch_is_waited_for(
    backend: Backend, runtime: AvatarRuntime, local_aws: LocalAws, s3: Any
) -> None:
    target = f"team-a/{uuid.uuid4()}/r1-a1.tar.gz"
    s3.put_object(Bucket=BUCKET, Key=f"artifacts/{target}", Body=b"a model")
    local_aws.add_fault(kind="s3", action="missing", caller="platform", key=f"artifacts/{target}", times=10)
    call = replace(CALL, target_model=target, artifact=f"s3://{BUCKET}/artifacts/{target}")
    with pytest.raises(BackendError) as caught:
        await backend.compute.draw(runtime, call)
    assert (caught.value.reason, caught.value.retryable) == ("ArtifactUnreadable", True)
    assert caught.value.said.mention("execution role")


async def test_an_artifact_is_looked_for_where_the_request_recorded_it(
    backend: Backend, runtime: AvatarRuntime, s3: Any
) -> None:
    target = f"team-a/{uuid.uuid4()}/r1-a1.tar.gz"
    s3.put_object(Bucket=BUCKET, Key=f"before/{target}", Body=b"a model")
    call = replace(CALL, target_model=target, artifact=f"s3://{BUCKET}/before/{target}")
    with pytest.raises(BackendError) as caught:
        await backend.compute.draw(runtime, call)
    assert (caught.value.reason, caught.value.retryable) == ("ArtifactUnreadable", True)


async def test_an_endpoint_that_does_not_exist_is_waited_for(backend: Backend, local_aws: LocalAws) -> None:
    with pytest.raises(BackendError) as caught:
        await backend.compute.draw(make_runtime("nowhere"), CALL)
    assert (caught.value.reason, caught.value.retryable) == ("EndpointNotFound", True)


async def test_throttling_is_retryable(backend: Backend, runtime: AvatarRuntime, local_aws: LocalAws) -> None:
    local_aws.add_fault(kind="api", api="InvokeEndpoint", error="ThrottlingException", status=400)
    with pytest.raises(BackendError) as caught:
        await backend.compute.draw(runtime, CALL)
    assert (caught.value.reason, caught.value.retryable) == ("Throttled", True)


def test_the_workers_own_words_are_passed_on() -> None:
    error = WorkerError(code="PictureTooLarge", message="at most 768 pixels", retryable=False)
    failure = classified(
        "ModelError", 424, OriginalStatusCode=413, OriginalMessage=json.dumps(error.to_wire())
    )
    assert (failure.reason, failure.message, failure.retryable) == (
        "PictureTooLarge",
        "at most 768 pixels",
        False,
    )


@pytest.mark.parametrize(
    ("status", "reason", "retryable"),
    [
        (400, "WorkerRejected", False),
        (408, "WorkerUnavailable", True),
        (429, "WorkerUnavailable", True),
        (500, "WorkerFailed", True),
        (0, "InvocationTimedOut", True),
    ],
)
@pytest.mark.parametrize("said", ["no", "upstream timed out", "Endpoint x of account 1 not found.", "(404)"])
def test_a_model_error_without_a_document_is_judged_by_its_status(
    status: int, reason: str, retryable: bool, said: str
) -> None:
    failure = classified("ModelError", 424, OriginalStatusCode=status, OriginalMessage=said)
    assert (failure.reason, failure.retryable) == (reason, retryable)


def test_the_status_is_read_from_the_sentence_if_there_is_no_field() -> None:
    failure = classified("ModelError", 424, 'Received client error (400) from primary with message "no".')
    assert failure.reason == "WorkerRejected"


@pytest.mark.parametrize(
    ("text", "reason", "retryable"),
    [
        ("Endpoint avatars of account 123456789012 not found.", "EndpointNotFound", True),
        ("Endpoint avatars of account 123456789012 is not in service.", "EndpointNotReady", True),
        ("Failed to download model data(bucket: b, key: k).", "ArtifactMissing", False),
        ('Failed to extract model data archive from URL "s3://b/k"', "ArtifactInvalid", False),
        (
            "Endpoint x is not a multi-model endpoint and does not support target model header.",
            "EndpointUnfit",
            True,
        ),
        (
            "Endpoint x has an AsyncInferenceConfig and supports only asynchronous invocations.",
            "EndpointUnfit",
            True,
        ),
        (f"{CONSTRAINT.format('body')} length less than or equal to 6291456", "InvocationRejected", False),
        (f"{CONSTRAINT.format('targetModel')} satisfy regular expression", "InvocationRejected", False),
        ("Request 186633a1-9a9f-4557-8e2b-038d9aa4bba4 has oversize body.", "InvocationRejected", False),
        (f"{CONSTRAINT.format('endpointName')} length less than or equal to 63", "EndpointRefused", True),
        ("Variant AllTraffic not found in endpoint avatars.", "EndpointRefused", True),
        ("Inference Component Name header is required for endpoints to which...", "EndpointRefused", True),
        ("Request 186633a1 is missing a target model header", "EndpointRefused", True),
        ("in words of next year", "EndpointRefused", True),
        ("", "EndpointRefused", True),
    ],
)
def test_a_validation_error_is_told_apart_by_its_text(text: str, reason: str, retryable: bool) -> None:
    failure = classified("ValidationError", 400, text)
    assert (failure.reason, failure.retryable) == (reason, retryable)
    assert failure.said.mention(text.rstrip("."))
    assert "123456789012" not in failure.message


@pytest.mark.parametrize(
    ("code", "status", "reason", "retryable"),
    [
        ("413", 413, "InvocationRejected", False),
        ("404", 404, "EndpointRefused", True),
        ("AWordOfNextYear", 400, "EndpointRefused", True),
        ("InternalDependencyException", 530, "AwsUnavailable", True),
        ("AccessDeniedException", 403, "AccessDenied", True),
    ],
)
def test_only_what_lies_in_the_request_itself_ends_it(
    code: str, status: int, reason: str, retryable: bool
) -> None:
    failure = classified(code, status, "no")
    assert (failure.reason, failure.retryable) == (reason, retryable)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ReadTimeoutError(endpoint_url="http://aws"), "InvocationTimedOut"),
        (EndpointConnectionError(endpoint_url="http://aws"), "AwsUnreachable"),
    ],
)
def test_an_endpoint_that_does_not_answer_may_answer_later(error: Any, reason: str) -> None:
    failure = drawing_error(error, "inference", "ann.tar.gz")
    assert (failure.reason, failure.retryable) == (reason, True)
