"""Exactly one InvokeEndpointAsync per attempt, and a known answer to "did it arrive?"."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ReadTimeoutError,
)
from botocore.parsers import ResponseParserError

from avatar_api.avatar_runtime import AvatarRuntime
from avatar_api.documents.training import TrainingClaim, TrainingRequest
from avatar_operator.aws.errors import AwsCallError
from avatar_operator.backends.attempts import (
    AttemptFailed,
    AttemptPending,
    AttemptSucceeded,
    ClaimedByWorker,
    Fenced,
)
from avatar_operator.backends.failures import BackendError, OutcomeUnknownError
from avatar_operator.backends.sagemaker.training import log_url, submission_error
from avatar_operator.backends.selection import Backend
from builders.backend_objects import (
    BUCKET,
    NOW,
    REGION,
    StoppedClock,
    eventually,
    make_attempt,
    make_model,
    make_runtime,
    make_training_request,
    submit,
)
from sagemaker_local.testing import LocalAws


def read(s3: Any, uri: str) -> bytes:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bytes(s3.get_object(Bucket=bucket, Key=key)["Body"].read())


def submissions(local_aws: LocalAws, inference_id: str) -> int:
    return len(local_aws.calls(api="InvokeEndpointAsync", InferenceId=inference_id))


async def test_the_request_document_lies_where_input_location_says(
    backend: Backend, runtime: AvatarRuntime, local_aws: LocalAws, s3: Any
) -> None:
    model = make_model()
    attempt = make_attempt(model)
    document = make_training_request(runtime, model, attempt)
    submission = await submit(backend, runtime, model, attempt)
    call = local_aws.calls(api="InvokeEndpointAsync", InferenceId=attempt.inference_id)[0]["parameters"]
    uid = model.metadata.uid
    assert call["InputLocation"] == f"s3://{BUCKET}/requests/team-a/{uid}/r1-a1/request.json"
    assert TrainingRequest.model_validate_json(read(s3, call["InputLocation"])) == document
    assert call["S3OutputPathExtension"] == f"team-a/{uid}/{attempt.inference_id}"
    assert (submission.output_location or "").startswith(f"s3://{BUCKET}/requests/output/team-a/{uid}/")
    assert (submission.failure_location or "").startswith(f"s3://{BUCKET}/requests/failure/team-a/{uid}/")


async def test_a_throttled_submission_is_certainly_not_accepted(
    backend: Backend, runtime: AvatarRuntime, local_aws: LocalAws
) -> None:
    model = make_model()
    local_aws.add_fault(kind="api", api="InvokeEndpointAsync", error="ThrottlingException", status=400)
    with pytest.raises(BackendError) as caught:
        await submit(backend, runtime, model, make_attempt(model))
    assert not isinstance(caught.value, OutcomeUnknownError)
    assert (caught.value.reason, caught.value.retryable) == ("Throttled", True)
    assert len(local_aws.calls(api="InvokeEndpointAsync")) == 1


async def test_a_lost_answer_is_not_repeated_and_its_training_is_found_again(
    backend: Backend, runtime: AvatarRuntime, local_aws: LocalAws
) -> None:
    model = make_model()
    attempt = make_attempt(model)
    local_aws.add_fault(
        kind="api", api="InvokeEndpointAsync", when="after", error="ServiceUnavailable", status=503
    )
    with pytest.raises(OutcomeUnknownError):
        await submit(backend, runtime, model, attempt)
    outcome = await eventually(
        lambda: backend.compute.attempt_outcome(runtime, attempt), lambda outcome: outcome != AttemptPending()
    )
    assert isinstance(outcome, AttemptSucceeded)
    fence = await backend.storage.fence_attempt(runtime, attempt)
    assert isinstance(fence, ClaimedByWorker)
    assert submissions(local_aws, attempt.inference_id) == 1


async def test_two_operators_that_fence_at_once_agree(backend: Backend, runtime: AvatarRuntime) -> None:
    attempt = make_attempt(make_model())
    results = await asyncio.gather(*(backend.storage.fence_attempt(runtime, attempt) for _ in range(8)))
    assert results == [Fenced()] * 8


async def test_a_fenced_attempt_that_was_submitted_after_all_never_trains(
    backend: Backend, runtime: AvatarRuntime, s3: Any
) -> None:
    model = make_model()
    attempt = make_attempt(model)
    assert await backend.storage.fence_attempt(runtime, attempt) == Fenced()
    await submit(backend, runtime, model, attempt)
    outcome = await eventually(
        lambda: backend.compute.attempt_outcome(runtime, attempt), lambda outcome: outcome != AttemptPending()
    )
    assert isinstance(outcome, AttemptFailed)
    assert outcome.reason == "AttemptFenced"
    listed = s3.list_objects_v2(Bucket=BUCKET, Prefix=f"artifacts/team-a/{model.metadata.uid}/")
    assert listed["KeyCount"] == 0


async def test_a_fenced_attempts_request_document_is_removed(
    backend: Backend, runtime: AvatarRuntime, s3: Any
) -> None:
    model = make_model()
    directory = f"requests/team-a/{model.metadata.uid}/r1-a1/"
    s3.put_object(Bucket=BUCKET, Key=f"{directory}request.json", Body=b"{}")
    await backend.storage.fence_attempt(runtime, make_attempt(model))
    names = [entry["Key"] for entry in s3.list_objects_v2(Bucket=BUCKET, Prefix=directory)["Contents"]]
    assert names == [f"{directory}claim.json"]


async def test_the_claim_lies_where_the_request_document_tells_the_worker_to_look(
    backend: Backend, runtime: AvatarRuntime, s3: Any
) -> None:
    model = make_model()
    attempt = make_attempt(model)
    await backend.storage.fence_attempt(runtime, attempt)
    claim = TrainingClaim.model_validate_json(
        read(s3, make_training_request(runtime, model, attempt).claim_uri)
    )
    assert claim == TrainingClaim(inference_id=attempt.inference_id, holder="Operator", time=NOW)


async def test_one_attempts_outcome_is_not_taken_for_that_of_the_tenth(
    backend: Backend, runtime: AvatarRuntime
) -> None:
    model = make_model()
    tenth = make_attempt(model, attempt=10)
    await submit(backend, runtime, model, tenth)
    await eventually(
        lambda: backend.compute.attempt_outcome(runtime, tenth), lambda outcome: outcome != AttemptPending()
    )
    assert await backend.compute.attempt_outcome(runtime, make_attempt(model, attempt=1)) == AttemptPending()


async def test_cancelling_takes_the_claim_from_a_running_worker_and_stops_it(
    backend: Backend, runtime: AvatarRuntime
) -> None:
    model = make_model(subject={"token": "slow"})
    attempt = make_attempt(model)
    submission = await submit(backend, runtime, model, attempt)
    attempt = replace(
        attempt,
        output_location=submission.output_location,
        failure_location=submission.failure_location,
    )
    await eventually(
        lambda: backend.storage.fence_attempt(runtime, attempt),
        lambda fence: isinstance(fence, ClaimedByWorker | Fenced),
    )
    await backend.storage.revoke_claim(runtime, attempt)
    outcome = await eventually(
        lambda: backend.compute.attempt_outcome(runtime, attempt), lambda outcome: outcome != AttemptPending()
    )
    assert isinstance(outcome, AttemptFailed)
    assert outcome.reason in ("AttemptFenced", "RequestUnreadable")


@pytest.mark.parametrize(
    "claim",
    [
        b'{"holder": "Nobody"}',
        b"",
        b"[" * 5000,
        b" " * (1 << 20),
        b'{"inferenceId": "avm-1", "holder": "Worker", "time": "0001-01-01T00:00:00+14:00"}',
        b'{"schemaVersion": "avatars.dev/training-claim/v9", "holder": "Worker"}',
    ],
    ids=["of nobody", "empty", "a deep hole", "of a megabyte", "before all time", "of another version"],
)
async def test_a_claim_that_nobody_can_read_is_a_workers_and_wedges_nothing(
    backend: Backend, runtime: AvatarRuntime, clock: StoppedClock, s3: Any, claim: bytes
) -> None:
    model = make_model()
    attempt = make_attempt(model)
    s3.put_object(Bucket=BUCKET, Key=f"requests/team-a/{model.metadata.uid}/r1-a1/claim.json", Body=claim)
    assert await backend.storage.fence_attempt(runtime, attempt) == ClaimedByWorker(since=clock.now())
    assert await backend.storage.claimed_since(runtime, attempt) == clock.now()


async def test_a_training_endpoint_that_does_not_exist_is_a_definite_refusal(backend: Backend) -> None:
    runtime = make_runtime("nowhere")
    model = make_model()
    with pytest.raises(BackendError) as caught:
        await submit(backend, runtime, model, make_attempt(model))
    assert (caught.value.reason, caught.value.retryable) == ("EndpointNotFound", True)


def client_error(code: str, status: int, message: str = "said") -> ClientError:
    return ClientError(
        {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}},  # type: ignore[typeddict-item]
        "InvokeEndpointAsync",
    )


@pytest.mark.parametrize(
    "error",
    [
        ReadTimeoutError(endpoint_url="http://aws"),
        ConnectionClosedError(endpoint_url="http://aws"),
        ResponseParserError("<html>"),
        client_error("InternalFailure", 500),
        client_error("ServiceUnavailable", 503),
        client_error("RequestTimeout", 408),
    ],
    ids=lambda error: f"{type(error).__name__}",
)
def test_a_lost_answer_means_that_nobody_knows(error: AwsCallError) -> None:
    assert isinstance(submission_error(error, "training"), OutcomeUnknownError)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (EndpointConnectionError(endpoint_url="http://aws"), "AwsUnreachable"),
        (ConnectTimeoutError(endpoint_url="http://aws"), "AwsUnreachable"),
        (NoCredentialsError(), "CredentialsMissing"),
        (client_error("ValidationError", 400, "in words of next year"), "EndpointRefused"),
        (
            client_error("ValidationError", 400, "Endpoint x of account 1 is not in service."),
            "EndpointNotReady",
        ),
        (client_error("AccessDeniedException", 403), "AccessDenied"),
        (client_error("ThrottlingException", 429), "Throttled"),
    ],
    ids=lambda value: str(value),
)
def test_what_never_arrived_or_was_refused_may_be_submitted_again(error: AwsCallError, reason: str) -> None:
    failure = submission_error(error, "training")
    assert not isinstance(failure, OutcomeUnknownError)
    assert (failure.reason, failure.retryable) == (reason, True)


def test_a_submission_that_breaks_a_constraint_of_its_own_can_never_be_taken() -> None:
    text = "1 validation error detected: Value at 'inferenceId' failed to satisfy constraint: Member must be short"
    failure = submission_error(client_error("ValidationError", 400, text), "training")
    assert (failure.reason, failure.retryable) == ("InvocationRejected", False)


@pytest.mark.parametrize(
    ("region", "domain"),
    [
        (REGION, "console.aws.amazon.com"),
        ("cn-north-1", "console.amazonaws.cn"),
        ("us-gov-west-1", "console.amazonaws-us-gov.com"),
    ],
)
def test_the_log_is_found_in_the_regions_own_partition(region: str, domain: str) -> None:
    assert log_url(region, "avatars").startswith(
        f"https://{region}.{domain}/cloudwatch/home?region={region}#"
    )


def test_no_submission_but_a_regions_first_reads_which_partition_it_is_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    log_url(REGION, "avatars")
    # A session costs 50 ms on the loop, in which nobody else is worked for.
    monkeypatch.setattr(boto3.session, "Session", None)
    assert log_url(REGION, "other").endswith("other")
