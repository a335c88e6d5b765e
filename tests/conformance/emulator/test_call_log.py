"""The call log: what reached AWS, counted there."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from sagemaker_local.testing import LocalAws


def test_calls_are_listed_with_their_parameters_and_filtered_by_them(emulator: LocalAws, user: Any) -> None:
    name = user.async_endpoint()
    for inference_id in ("one", "two"):
        user.invoke_async(name, InferenceId=inference_id, CustomAttributes="x")
    calls = emulator.calls(api="InvokeEndpointAsync", EndpointName=name, InferenceId="two")
    assert len(calls) == 1
    assert calls[0]["parameters"]["CustomAttributes"] == "x"
    assert (calls[0]["status"], calls[0]["error"], calls[0]["account"]) == (202, None, "123456789012")


def test_refused_calls_are_listed_with_their_error(emulator: LocalAws, user: Any) -> None:
    missing = f"{user.name}-missing"
    with pytest.raises(ClientError):
        user.sagemaker.describe_endpoint(EndpointName=missing)
    assert [call["error"] for call in emulator.calls(EndpointName=missing)] == ["ValidationException"]


def test_what_moto_refuses_is_listed_with_motos_error(emulator: LocalAws, user: Any) -> None:
    missing = f"{user.name}-missing"
    with pytest.raises(ClientError):
        user.sagemaker.describe_endpoint_config(EndpointConfigName=missing)
    assert [call["error"] for call in emulator.calls(EndpointConfigName=missing)] == ["ValidationException"]
