"""AWS's long clocks, run fast: queue expiry, time-outs, containers that never are ready."""

from __future__ import annotations

from typing import Any

import pytest

from sagemaker_local.testing import LocalAws


def test_a_request_that_expired_says_so(emulator: LocalAws, user: Any) -> None:
    name = user.async_endpoint()
    user.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=name,
        DesiredWeightsAndCapacities=[{"VariantName": "AllTraffic", "DesiredInstanceCount": 0}],
    )
    user.await_status(name, "InService")
    emulator.set_clock_speed(200)
    answer = user.invoke_async(name, RequestTTLSeconds=60)
    failure = user.await_object(answer["FailureLocation"])
    assert failure["Body"] == b"ClientError: The request expired after 60 seconds in the queue."


def test_a_real_time_invocation_times_out_after_a_minute(emulator: LocalAws, user: Any) -> None:
    name = user.realtime_endpoint()
    emulator.set_clock_speed(60)
    with pytest.raises(user.runtime.exceptions.ModelError) as error:
        user.runtime.invoke_endpoint(EndpointName=name, Body=b'{"sleep": 600}')
    assert error.value.response["OriginalStatusCode"] == 0
    assert "Your invocation timed out" in error.value.response["OriginalMessage"]


def test_a_container_that_never_answers_ping_fails_the_endpoint(emulator: LocalAws, user: Any) -> None:
    emulator.set_clock_speed(60)
    config = user.config(
        user.model(Environment={"NEVER_HEALTHY": "1"}), ContainerStartupHealthCheckTimeoutInSeconds=60
    )
    name = user.endpoint(config, status="Failed")
    assert "did not pass the ping health check" in user.described(name)["FailureReason"]


def test_a_clock_that_stands_still_is_refused(emulator: LocalAws) -> None:
    with pytest.raises(ValueError, match="speed must be above 0"):
        emulator.set_clock_speed(0)
