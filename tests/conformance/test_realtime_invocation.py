"""InvokeEndpoint on single-model endpoints, and what an instance is given (reference 2.3)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError


@pytest.fixture(scope="module")
def endpoint(module_user: Any) -> str:
    """One real-time endpoint for the tests that only need some endpoint."""
    return str(module_user.realtime_endpoint({"GREETING": "hello"}))


def test_the_answer_is_the_containers(module_user: Any, endpoint: str) -> None:
    answer = module_user.runtime.invoke_endpoint(
        EndpointName=endpoint, Body=b"ping", ContentType="text/x-greeting", CustomAttributes="trace"
    )
    assert answer["Body"].read() == b"ping"
    assert answer["ContentType"] == "text/x-greeting"
    assert answer["InvokedProductionVariant"] == "AllTraffic"
    assert answer["CustomAttributes"] == "seen:trace"


def test_a_container_error_is_a_model_error(module_user: Any, endpoint: str) -> None:
    with pytest.raises(module_user.runtime.exceptions.ModelError) as error:
        module_user.runtime.invoke_endpoint(
            EndpointName=endpoint, Body=b'{"status": 400, "body": "bad prompt"}'
        )
    response = error.value.response
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 424
    assert (response["OriginalStatusCode"], response["OriginalMessage"]) == (400, "bad prompt")
    assert f"/aws/sagemaker/Endpoints/{endpoint}" in response["LogStreamArn"]


def test_headers_outside_the_api_do_not_reach_the_container(module_user: Any, endpoint: str) -> None:
    def add_header(request: Any, **_: Any) -> None:
        request.headers["X-Of-My-Own"] = "stripped"

    events, event = module_user.runtime.meta.events, "before-send.sagemaker-runtime.InvokeEndpoint"
    events.register(event, add_header)
    try:
        answer = module_user.runtime.invoke_endpoint(EndpointName=endpoint, Body=b'{"tell": "headers"}')
    finally:
        events.unregister(event, add_header)
    headers = {name.lower() for name in json.loads(answer["Body"].read())}
    assert "content-type" in headers or "content-length" in headers
    assert "x-of-my-own" not in headers


def test_an_endpoint_serves_on_after_its_container_died(user: Any) -> None:
    name = user.realtime_endpoint()
    with pytest.raises(ClientError):
        user.runtime.invoke_endpoint(EndpointName=name, Body=b'{"die": true}')

    def answers() -> bool:
        try:
            return bool(user.runtime.invoke_endpoint(EndpointName=name, Body=b"x")["Body"].read() == b"x")
        except ClientError:
            return False

    user.eventually(answers)
    assert user.described(name)["EndpointStatus"] == "InService"


def test_target_model_is_refused_on_a_single_model_endpoint(module_user: Any, endpoint: str) -> None:
    with pytest.raises(ClientError, match="ValidationError"):
        module_user.runtime.invoke_endpoint(EndpointName=endpoint, TargetModel="a.tar.gz", Body=b"x")


# The API's model says 6 MiB, newer pages 25 MB: what is above both is refused by both.
def test_a_body_that_is_too_large_is_refused(module_user: Any, endpoint: str) -> None:
    with pytest.raises(ClientError):
        module_user.runtime.invoke_endpoint(EndpointName=endpoint, Body=b"x" * (25 * 1024 * 1024 + 1))


def test_an_answer_that_is_too_large_is_refused(module_user: Any, endpoint: str) -> None:
    with pytest.raises(ClientError):
        module_user.runtime.invoke_endpoint(EndpointName=endpoint, Body=b'{"big": 26214401}')


def test_an_answer_of_six_megabytes_passes(module_user: Any, endpoint: str) -> None:
    answer = module_user.runtime.invoke_endpoint(EndpointName=endpoint, Body=b'{"big": 6291456}')
    assert len(answer["Body"].read()) == 6 * 1024 * 1024


def test_the_container_has_the_environment_of_its_model(module_user: Any, endpoint: str) -> None:
    answer = module_user.runtime.invoke_endpoint(EndpointName=endpoint, Body=b'{"tell": "environment"}')
    assert json.loads(answer["Body"].read())["GREETING"] == "hello"


def test_model_data_is_unpacked_before_the_container_starts(user: Any) -> None:
    url = user.artifact("model.tar.gz", weights__txt="1 2 3", config__txt="deep")
    name = user.endpoint(user.config(user.model(ModelDataUrl=url)))
    answer = user.runtime.invoke_endpoint(EndpointName=name, Body=b'{"tell": "model"}')
    assert json.loads(answer["Body"].read()) == {"weights.txt": "1 2 3", "config.txt": "deep"}


def test_what_the_container_prints_is_in_cloudwatch_logs(user: Any) -> None:
    name = user.realtime_endpoint()
    user.runtime.invoke_endpoint(EndpointName=name, Body=b"x")
    group = f"/aws/sagemaker/Endpoints/{name}"

    def messages() -> list[str]:
        try:
            streams = user.logs.describe_log_streams(logGroupName=group)["logStreams"]
        except user.logs.exceptions.ResourceNotFoundException:
            return []
        events = [
            user.logs.get_log_events(logGroupName=group, logStreamName=stream["logStreamName"])["events"]
            for stream in streams
        ]
        return [event["message"] for stream in events for event in stream]

    user.eventually(lambda: "served /invocations" in messages())


def test_a_variant_can_be_chosen_by_name(user: Any) -> None:
    first, second = user.model(Environment={"VERSION": "1"}), user.model(Environment={"VERSION": "2"})
    name = user.endpoint(
        user.config_of([user.variant(first, VariantName="one"), user.variant(second, VariantName="two")])
    )
    for wanted, version in (("one", "1"), ("two", "2")):
        answer = user.runtime.invoke_endpoint(
            EndpointName=name, TargetVariant=wanted, Body=b'{"tell": "environment"}'
        )
        assert answer["InvokedProductionVariant"] == wanted
        assert json.loads(answer["Body"].read())["VERSION"] == version
    with pytest.raises(ClientError, match="ValidationError"):
        user.runtime.invoke_endpoint(EndpointName=name, TargetVariant="three", Body=b"x")
