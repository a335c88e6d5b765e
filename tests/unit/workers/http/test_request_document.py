"""A request's body is bounded, and what is wrong in it is named."""

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from avatar_api.documents.training import TrainingRequest
from avatar_workers.http.error_responses import EXCEPTION_HANDLERS
from avatar_workers.http.request_document import read_document


@pytest.fixture
def client() -> TestClient:
    async def echo(request: Request) -> Response:
        document = await read_document(request, TrainingRequest, max_bytes=100_000)
        return JSONResponse(document.to_wire())

    async def defect(_: Request) -> Response:
        raise ZeroDivisionError("a secret")

    routes = [Route("/echo", echo, methods=["POST"]), Route("/defect", defect)]
    return TestClient(
        Starlette(routes=routes, exception_handlers=EXCEPTION_HANDLERS), raise_server_exceptions=False
    )


def test_a_document_survives_the_wire(
    client: TestClient, training_request: Callable[..., TrainingRequest]
) -> None:
    request = training_request()
    answer = client.post("/echo", json=request.to_wire())
    assert TrainingRequest.model_validate(answer.json()) == request


def test_the_field_that_is_wrong_is_named(
    client: TestClient, training_request: Callable[..., TrainingRequest]
) -> None:
    body = training_request().model_dump_json(by_alias=True).replace('"steps":3', '"steps":0')
    answer = client.post("/echo", content=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "InvalidRequest")
    assert "training.steps: Input should be greater than or equal to 1" in answer.json()["message"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(garbage=st.binary(max_size=100))
def test_garbage_is_an_invalid_request(client: TestClient, garbage: bytes) -> None:
    answer = client.post("/echo", content=garbage)
    assert (answer.status_code, answer.json()["code"]) == (400, "InvalidRequest")


def test_a_body_above_the_limit_is_refused(client: TestClient) -> None:
    answer = client.post("/echo", content=b" " * 100_001)
    assert (answer.status_code, answer.json()["code"]) == (400, "InvalidRequest")
    assert "larger than 100000 bytes" in answer.json()["message"]


def test_an_unknown_path_and_a_wrong_method_answer_with_the_document_too(client: TestClient) -> None:
    assert (client.get("/none").status_code, client.get("/none").json()["code"]) == (404, "InvalidRequest")
    assert (client.get("/echo").status_code, client.get("/echo").json()["code"]) == (405, "InvalidRequest")


def test_a_defect_is_an_internal_error_that_tells_no_secrets(client: TestClient) -> None:
    answer = client.get("/defect")
    assert (answer.status_code, answer.json()["code"]) == (500, "InternalError")
    assert answer.json()["retryable"]
    assert "secret" not in answer.text
