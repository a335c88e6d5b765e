"""Where AWS documents no words, the emulator has its own, or those seen in the field; programs and people read them, so they
stay.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from conformance.target import Target
from sagemaker_local.testing import LocalAws


@pytest.fixture(scope="module")
def resident(emulator: LocalAws, emulator_target: Target, make_user: Any) -> Iterator[Any]:
    """Somebody whose endpoints all tests of this module share."""
    user = make_user(emulator_target)
    yield user
    user.leave()


@pytest.fixture(scope="module")
def asynchronous(resident: Any) -> str:
    return str(resident.async_endpoint())


@pytest.fixture(scope="module")
def realtime(resident: Any) -> str:
    return str(resident.realtime_endpoint())


@pytest.fixture(scope="module")
def multi_model(resident: Any) -> str:
    return str(resident.multi_model_endpoint())


def refusal(call: Any, **arguments: Any) -> dict[str, Any]:
    """The refusal's response."""
    with pytest.raises(ClientError) as refused:
        call(**arguments)
    return dict(refused.value.response)


def message(call: Any, **arguments: Any) -> str:
    """The refusal's message."""
    return str(refusal(call, **arguments)["Error"]["Message"])


def test_the_failure_object_is_what_the_container_answered(resident: Any, asynchronous: str) -> None:
    told = '{"code": "BadPhotos", "message": "only 3 photos show a face"}'
    answer = resident.invoke_async(
        asynchronous, {"status": 422, "body": told, "content_type": "application/json"}
    )
    failure = resident.await_object(answer["FailureLocation"])
    assert (failure["Body"].decode(), failure["ContentType"]) == (told, "application/json")


def test_a_missing_input_is_named_in_the_failure_object(resident: Any, asynchronous: str) -> None:
    answer = resident.runtime.invoke_endpoint_async(
        EndpointName=asynchronous, InputLocation=f"s3://{resident.bucket}/nothing"
    )
    assert resident.await_object(answer["FailureLocation"])["Body"] == (
        f"ClientError: Unable to download the inference request payload: get_object s3://{resident.bucket}/nothing: NoSuchKey".encode()
    )


def test_an_answer_without_content_length_fails_the_invocation(resident: Any, asynchronous: str) -> None:
    answer = resident.invoke_async(asynchronous, {"chunked": True})
    assert resident.await_object(answer["FailureLocation"])["Body"] == (
        b"ClientError: The response from container primary did not specify the required Content-Length header"
    )


def test_an_invocation_that_took_too_long_received_error_0(resident: Any, asynchronous: str) -> None:
    answer = resident.invoke_async(asynchronous, {"sleep": 30}, InvocationTimeoutSeconds=1)
    failure = resident.await_object(answer["FailureLocation"])
    assert failure["Body"].startswith(b"ClientError: Received server error (0) from model.")


def test_a_file_name_gets_error_before_its_extension_for_failures(resident: Any, asynchronous: str) -> None:
    answer = resident.invoke_async(asynchronous, S3OutputPathExtension="a/b", Filename="result.json")
    assert answer["FailureLocation"] == f"s3://{resident.bucket}/fail/a/b/result-error.json"


def test_the_output_key_is_not_derived_from_the_inference_id(resident: Any, asynchronous: str) -> None:
    assert "same-id" not in resident.invoke_async(asynchronous, InferenceId="same-id")["OutputLocation"]


def test_the_container_sees_the_inference_id(resident: Any, asynchronous: str) -> None:
    answer = resident.invoke_async(asynchronous, {"tell": "headers"}, InferenceId="seen")
    headers = json.loads(resident.await_object(answer["OutputLocation"])["Body"])
    assert headers["X-Amzn-SageMaker-Inference-Id"] == "seen"


def test_a_failure_notification_has_the_fields_seen_in_the_field(user: Any) -> None:
    error, received = user.topic_with_queue("err")
    topics = {"ErrorTopic": error, "IncludeInferenceResponseIn": ["ERROR_NOTIFICATION_TOPIC"]}
    name = user.async_endpoint(topics=topics)
    answer = user.invoke_async(name, {"status": 500, "body": "no luck"}, InferenceId="fails")
    told = received(1)[0]
    assert told.pop("eventTime") >= told.pop("receivedTime")
    assert told["requestParameters"].pop("inputLocation").startswith(f"s3://{user.bucket}/in/")
    assert told == {
        "awsRegion": "us-east-1",
        "invocationStatus": "Failed",
        "failureReason": "ClientError: Received server error (500) from model. "
        "See the SageMaker Endpoint logs in your account for more information.",
        "requestParameters": {"endpointName": name},
        "responseParameters": {
            "contentType": "text/plain",
            "failureLocation": answer["FailureLocation"],
        },
        "responseBody": {"content": "no luck"},
        "inferenceId": "fails",
        "eventVersion": "1.0",
        "eventSource": "aws:sagemaker",
        "eventName": "InferenceResult",
    }


@pytest.mark.parametrize(
    "body", ['"' * 131_072, "\u5934" * 43_690, "\0" * 100_000], ids=["quotes", "Chinese", "NUL"]
)
def test_a_failure_is_told_without_its_response_when_escaping_makes_it_too_long(user: Any, body: str) -> None:
    error, received = user.topic_with_queue("err")
    topics = {"ErrorTopic": error, "IncludeInferenceResponseIn": ["ERROR_NOTIFICATION_TOPIC"]}
    user.invoke_async(user.async_endpoint(topics=topics), {"status": 500, "body": body}, InferenceId="long")
    told = received(1)[0]
    assert (told["inferenceId"], told["invocationStatus"]) == ("long", "Failed")
    assert list(told["responseBody"]) == ["message"]


def test_a_success_notification_has_its_response_in_base64(user: Any) -> None:
    success, received = user.topic_with_queue("ok")
    topics = {"SuccessTopic": success, "IncludeInferenceResponseIn": ["SUCCESS_NOTIFICATION_TOPIC"]}
    user.invoke_async(user.async_endpoint(topics=topics), b"hello")
    assert base64.b64decode(received(1)[0]["responseBody"]["content"], validate=True) == b"hello"


def test_a_topic_that_cannot_be_published_to_fails_the_endpoint(user: Any) -> None:
    topic = "arn:aws:sns:us-east-1:123456789012:no-such-topic"
    asynchronous = user.async_config(topics={"SuccessTopic": topic})
    name = user.endpoint(user.config(user.model(), asynchronous), status="Failed")
    assert user.described(name)["FailureReason"] == f"Cannot publish to the topic {topic}: NotFound"


def test_missing_model_data_is_named(user: Any) -> None:
    url = f"s3://{user.bucket}/no/model.tar.gz"
    name = user.endpoint(user.config(user.model(ModelDataUrl=url)), status="Failed")
    assert user.described(name)["FailureReason"] == f"Could not find model data at {url}."


def test_a_failed_update_says_why_and_that_it_was_rolled_back(user: Any) -> None:
    name = user.realtime_endpoint()
    broken = user.config(user.model(Environment={"FAIL_AT_START": "1"}))
    user.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=broken)
    assert "did not pass the ping health check" in user.await_status(name, "InService")["FailureReason"]


def test_an_endpoint_that_is_changing_says_so(user: Any) -> None:
    config = user.config(user.model(Environment=user.gate().environment))
    name = user.endpoint(config, status="Creating")
    assert message(user.sagemaker.delete_endpoint, EndpointName=name) == (
        f'Cannot update in-progress endpoint "arn:aws:sagemaker:us-east-1:123456789012:endpoint/{name}".'
    )


def test_what_exists_already_is_named(user: Any) -> None:
    model = user.model()
    config = user.config(model)
    name = user.endpoint(config)
    assert message(user.sagemaker.create_endpoint, EndpointName=name, EndpointConfigName=config).startswith(
        "Cannot create already existing endpoint "
    )
    assert message(
        user.sagemaker.create_endpoint_config,
        EndpointConfigName=config,
        ProductionVariants=[user.variant(model)],
    ).startswith("Cannot create already existing endpoint configuration ")
    assert message(
        user.sagemaker.create_model, ModelName=model, ExecutionRoleArn=user.target.role
    ).startswith("Cannot create already existing model ")


def test_what_does_not_exist_is_named(user: Any, realtime: str) -> None:
    assert "Could not find endpoint configuration" in message(
        user.sagemaker.create_endpoint, EndpointName=user.name, EndpointConfigName="none"
    )
    assert "Could not find endpoint " in message(user.sagemaker.describe_endpoint, EndpointName="none")
    assert re.fullmatch(
        r"Endpoint none of account \d{12} not found\.",
        message(user.runtime.invoke_endpoint, EndpointName="none", Body=b"x"),
    )
    assert "Variant three not found" in message(
        user.runtime.invoke_endpoint, EndpointName=realtime, TargetVariant="three", Body=b"x"
    )


def test_a_broken_constraint_is_named_with_its_place(user: Any) -> None:
    model = user.model()
    with pytest.raises(ClientError, match=r"productionVariants.1.member.instanceType.*enum value set"):
        user.config(model, InstanceType="ml.abacus.large")
    with pytest.raises(
        ClientError, match=r"containerStartupHealthCheckTimeoutInSeconds.*greater than or equal to 60"
    ):
        user.config(model, ContainerStartupHealthCheckTimeoutInSeconds=5)


@pytest.mark.parametrize("output", [{}, {"S3FailurePath": "s3://bucket/fail"}], ids=str)
def test_an_asynchronous_configuration_without_an_output_path_is_refused(
    user: Any, output: dict[str, str]
) -> None:
    with pytest.raises(ClientError, match=r"ValidationException.*needs OutputConfig.S3OutputPath"):
        user.config(user.model(), {"OutputConfig": output})


def test_a_model_error_quotes_the_container_and_names_its_log(resident: Any, realtime: str) -> None:
    response = refusal(
        resident.runtime.invoke_endpoint,
        EndpointName=realtime,
        Body=b'{"status": 400, "body": "bad prompt"}',
    )
    assert response["Error"]["Message"].startswith(
        'Received client error (400) from primary with message "bad prompt". See https'
    )
    assert (
        f"log-group:/aws/sagemaker/Endpoints/{realtime}:log-stream:AllTraffic/i-" in response["LogStreamArn"]
    )


def test_a_body_above_six_megabytes_is_refused(resident: Any, realtime: str) -> None:
    response = refusal(
        resident.runtime.invoke_endpoint, EndpointName=realtime, Body=b"x" * (6 * 1024 * 1024 + 1)
    )
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 413


def test_an_answer_above_six_megabytes_is_a_model_error(resident: Any, realtime: str) -> None:
    response = refusal(resident.runtime.invoke_endpoint, EndpointName=realtime, Body=b'{"big": 6291457}')
    assert response["Error"]["Code"] == "ModelError"


def test_a_target_model_on_a_single_model_endpoint_is_refused_in_awss_words(
    resident: Any, realtime: str
) -> None:
    said = message(resident.runtime.invoke_endpoint, EndpointName=realtime, TargetModel="a.tar.gz", Body=b"x")
    assert said == (
        f"Endpoint {realtime} is not a multi-model endpoint and does not support target model header."
    )


def test_the_container_reaches_the_emulator_as_aws(resident: Any, realtime: str) -> None:
    answer = resident.runtime.invoke_endpoint(EndpointName=realtime, Body=b'{"tell": "environment"}')
    environment = json.loads(answer["Body"].read())
    assert environment["AWS_ENDPOINT_URL"].startswith("http://")
    assert environment["AWS_DEFAULT_REGION"] == "us-east-1"
    assert {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "SAGEMAKER_BIND_TO_PORT"} <= set(environment)


def test_streaming_is_refused_at_once_as_not_implemented(resident: Any, realtime: str) -> None:
    response = refusal(
        resident.runtime.invoke_endpoint_with_response_stream, EndpointName=realtime, Body=b"x"
    )
    assert response["Error"]["Code"] == "NotImplemented"


def test_an_artifact_that_does_not_exist_is_named_in_awss_words(resident: Any, multi_model: str) -> None:
    assert message(
        resident.runtime.invoke_endpoint, EndpointName=multi_model, TargetModel="nobody.tar.gz", Body=b"x"
    ) == (
        f"Failed to download model data(bucket: {resident.bucket}, key: models/nobody.tar.gz). Please ensure that there is "
        "an object located at the URL and that the role passed to CreateModel has permissions to download the model."
    )


def test_an_artifact_that_is_no_archive_cannot_be_extracted(resident: Any, multi_model: str) -> None:
    resident.s3.put_object(Bucket=resident.bucket, Key="models/junk.tar.gz", Body=b"junk")
    assert "Failed to extract model data archive" in message(
        resident.runtime.invoke_endpoint, EndpointName=multi_model, TargetModel="junk.tar.gz", Body=b"x"
    )


def test_an_artifact_cannot_write_outside_its_directory(resident: Any, multi_model: str) -> None:
    resident.artifact("models/evil.tar.gz", **{"../../../escaped__txt": "gotcha"})
    assert "Failed to extract model data archive" in message(
        resident.runtime.invoke_endpoint, EndpointName=multi_model, TargetModel="evil.tar.gz", Body=b"x"
    )


def test_a_model_that_does_not_load_is_quoted(resident: Any, multi_model: str) -> None:
    resident.artifact("models/broken.tar.gz", model__txt="broken")
    response = refusal(
        resident.runtime.invoke_endpoint, EndpointName=multi_model, TargetModel="broken.tar.gz", Body=b"x"
    )
    assert (response["OriginalStatusCode"], response["OriginalMessage"]) == (400, "this model is broken")
