"""InvokeEndpointAsync: acceptance, validation, results (reference 2.1)."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError


@pytest.fixture(scope="module")
def endpoint(module_user: Any) -> str:
    """One asynchronous endpoint for the tests that only need some endpoint."""
    return str(module_user.async_endpoint())


def test_the_answer_is_202_with_both_locations(module_user: Any, endpoint: str) -> None:
    answer = module_user.invoke_async(endpoint, InferenceId="my-own-id")
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 202
    assert answer["InferenceId"] == "my-own-id"
    assert answer["OutputLocation"].startswith(f"s3://{module_user.bucket}/out/")
    assert answer["OutputLocation"].endswith(".out")
    assert answer["FailureLocation"].startswith(f"s3://{module_user.bucket}/fail/")


def test_an_inference_id_is_generated_when_none_is_given(module_user: Any, endpoint: str) -> None:
    first, second = module_user.invoke_async(endpoint), module_user.invoke_async(endpoint)
    assert first["InferenceId"] != second["InferenceId"]


def test_the_output_is_the_containers_answer_with_its_content_type(module_user: Any, endpoint: str) -> None:
    answer = module_user.invoke_async(endpoint, b"hello", ContentType="text/x-greeting")
    written = module_user.await_object(answer["OutputLocation"])
    assert (written["Body"], written["ContentType"]) == (b"hello", "text/x-greeting")
    assert module_user.read(answer["FailureLocation"]) is None


def test_an_inline_body_needs_no_input_location(module_user: Any, endpoint: str) -> None:
    answer = module_user.runtime.invoke_endpoint_async(
        EndpointName=endpoint, Body=b"inline", ContentType="text/plain"
    )
    assert module_user.await_object(answer["OutputLocation"])["Body"] == b"inline"


def test_extension_and_filename_name_the_output(module_user: Any, endpoint: str) -> None:
    answer = module_user.invoke_async(
        endpoint, S3OutputPathExtension="tenant-a/run-1", Filename="result.json"
    )
    assert answer["OutputLocation"] == f"s3://{module_user.bucket}/out/tenant-a/run-1/result.json"
    assert module_user.await_object(answer["OutputLocation"])["Body"] == b"hello"


def test_the_container_sees_the_callers_headers(module_user: Any, endpoint: str) -> None:
    answer = module_user.invoke_async(
        endpoint,
        {"tell": "headers"},
        ContentType="application/x-test",
        Accept="text/plain",
        CustomAttributes="trace=1",
    )
    told = json.loads(module_user.await_object(answer["OutputLocation"])["Body"])
    headers = {name.lower(): value for name, value in told.items()}
    assert headers["content-type"] == "application/x-test"
    assert headers["accept"] == "text/plain"
    assert headers["x-amzn-sagemaker-custom-attributes"] == "trace=1"


@pytest.mark.parametrize(
    "parameters",
    [
        {"RequestTTLSeconds": 59},
        {"RequestTTLSeconds": 21_601},
        {"InvocationTimeoutSeconds": 0},
        {"InvocationTimeoutSeconds": 3_601},
        {"InferenceId": "x" * 65},
        {"InputLocation": "ftp://bucket/key"},
        {"InputLocation": "https://example.com/bucket/key"},
        {"InputLocation": "s3://" + "x" * 1_020},
        {"S3OutputPathExtension": "s3://other/bucket"},
        {"S3OutputPathExtension": "x" * 513},
        {"S3OutputPathExtension": "white space"},
        {"Filename": "two.many.dots"},
        {"Filename": "x" * 33},
        {"Filename": ".hidden"},
        {"CustomAttributes": "x" * 1_025},
    ],
    ids=lambda parameters: " ".join(f"{name}={str(value)[:24]}" for name, value in parameters.items()),
)
def test_a_parameter_out_of_range_is_refused(
    module_user: Any, endpoint: str, parameters: dict[str, Any]
) -> None:
    with pytest.raises(ClientError) as refusal:
        module_user.runtime.invoke_endpoint_async(
            **{"EndpointName": endpoint, "InputLocation": f"s3://{module_user.bucket}/x", **parameters}
        )
    assert refusal.value.response["Error"]["Code"] == "ValidationError"
    assert refusal.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_body_and_input_location_exclude_each_other(module_user: Any, endpoint: str) -> None:
    with pytest.raises(ClientError, match="ValidationError"):
        module_user.runtime.invoke_endpoint_async(
            EndpointName=endpoint, InputLocation="s3://bucket/key", Body=b"x"
        )
    with pytest.raises(ClientError, match="ValidationError"):
        module_user.runtime.invoke_endpoint_async(EndpointName=endpoint)


def test_an_inline_body_above_128000_bytes_is_refused(module_user: Any, endpoint: str) -> None:
    with pytest.raises(ClientError, match="ValidationError"):
        module_user.runtime.invoke_endpoint_async(EndpointName=endpoint, Body=b"x" * 128_001)


def test_an_unknown_endpoint_is_refused(module_user: Any) -> None:
    with pytest.raises(ClientError, match="ValidationError"):
        module_user.runtime.invoke_endpoint_async(EndpointName="no-such-endpoint", InputLocation="s3://b/k")


def test_a_synchronous_invocation_of_an_asynchronous_endpoint_is_refused(
    module_user: Any, endpoint: str
) -> None:
    with pytest.raises(ClientError, match="ValidationError"):
        module_user.runtime.invoke_endpoint(EndpointName=endpoint, Body=b"x")


def test_an_asynchronous_invocation_of_a_realtime_endpoint_is_refused(user: Any) -> None:
    name = user.realtime_endpoint()
    with pytest.raises(ClientError, match="ValidationError"):
        user.runtime.invoke_endpoint_async(EndpointName=name, InputLocation="s3://b/k")


def test_a_container_error_is_written_to_the_failure_location(module_user: Any, endpoint: str) -> None:
    answer = module_user.invoke_async(endpoint, {"status": 422, "body": "only 3 photos show a face"})
    module_user.await_object(answer["FailureLocation"])
    assert module_user.read(answer["OutputLocation"]) is None


def test_an_asynchronous_endpoint_serves_on_after_its_container_died(module_user: Any, endpoint: str) -> None:
    module_user.invoke_async(endpoint, {"die": True}, RequestTTLSeconds=60)
    following = module_user.invoke_async(endpoint, b"still there?")
    assert module_user.await_object(following["OutputLocation"])["Body"] == b"still there?"


def test_an_input_that_does_not_exist_fails_the_invocation(module_user: Any, endpoint: str) -> None:
    missing = f"s3://{module_user.bucket}/{uuid.uuid4()}"
    answer = module_user.runtime.invoke_endpoint_async(EndpointName=endpoint, InputLocation=missing)
    module_user.await_object(answer["FailureLocation"])


def test_an_invocation_that_takes_too_long_fails(module_user: Any, endpoint: str) -> None:
    answer = module_user.invoke_async(endpoint, {"sleep": 30}, InvocationTimeoutSeconds=1)
    module_user.await_object(answer["FailureLocation"])
    assert module_user.read(answer["OutputLocation"]) is None


def test_an_instance_gets_no_more_than_its_concurrent_invocations(user: Any) -> None:
    name = user.async_endpoint(concurrency=2)
    answers = [user.invoke_async(name, {"tell": "turn", "sleep": 0.5}) for _ in range(6)]
    assert max(turn["concurrent"] for turn in turns(user, answers)) <= 2


def test_a_request_expires_in_the_queue(user: Any) -> None:
    name = user.async_endpoint()
    user.scale(name, 0)
    user.hurry(200)
    answer = user.invoke_async(name, RequestTTLSeconds=60)
    user.await_object(answer["FailureLocation"])
    assert user.read(answer["OutputLocation"]) is None


def test_requests_wait_while_there_are_no_instances(user: Any) -> None:
    name = user.async_endpoint()
    user.scale(name, 0)
    answer = user.invoke_async(name, b"patience")
    assert user.read(answer["OutputLocation"]) is None
    user.scale(name, 1)
    assert user.await_object(answer["OutputLocation"])["Body"] == b"patience"


def test_what_was_queued_before_an_update_is_served_after_it(user: Any) -> None:
    name = user.async_endpoint()
    user.scale(name, 0)
    answer = user.invoke_async(name, b"queued before")
    fresh = user.config(user.model(), user.async_config())
    user.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=fresh)
    assert user.await_object(answer["OutputLocation"])["Body"] == b"queued before"


def test_an_invocation_in_flight_survives_an_update(user: Any) -> None:
    name = user.async_endpoint()
    running = user.invoke_async(name, {"sleep": 3, "status": 200, "body": "finished by the old instance"})
    fresh = user.config(user.model(), user.async_config())
    user.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=fresh)
    user.await_status(name, "InService")
    assert user.await_object(running["OutputLocation"])["Body"] == b"finished by the old instance"


def test_without_a_failure_path_no_failure_location_is_given(user: Any) -> None:
    asynchronous = {"OutputConfig": {"S3OutputPath": f"s3://{user.bucket}/out"}}
    name = user.endpoint(user.config(user.model(), asynchronous))
    assert "FailureLocation" not in user.invoke_async(name)


def turns(user: Any, answers: list[dict[str, Any]]) -> list[dict[str, int]]:
    return [json.loads(user.await_object(answer["OutputLocation"])["Body"]) for answer in answers]
