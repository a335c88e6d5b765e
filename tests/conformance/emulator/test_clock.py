"""AWS's long clocks, run fast: queue expiry, time-outs, models that are not ready, containers that never are."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sagemaker_local.testing import LocalAws


def test_a_request_expires_in_the_queue(emulator: LocalAws, user: Any) -> None:
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


def test_a_slow_model_is_not_ready_and_then_is(emulator: LocalAws, user: Any, tmp_path: Path) -> None:
    user.artifact("models/slow.tar.gz", model__txt="slow")
    gate = tmp_path / "gate"
    name = user.multi_model_endpoint({"LOAD_GATE": str(gate)})

    # The first request has the load begin on the slow clock, so that it has its six minutes; the second asks on a fast one.
    with ThreadPoolExecutor(1) as pool:
        try:
            first = pool.submit(user.invoke_model, name, "slow.tar.gz")
            user.eventually(gate.with_name("gate.reached").exists)
            emulator.set_clock_speed(60)
            with pytest.raises(user.runtime.exceptions.ModelNotReadyException) as error:
                user.runtime.invoke_endpoint(EndpointName=name, TargetModel="slow.tar.gz", Body=b"?")
            emulator.set_clock_speed(1)
        finally:
            gate.touch()
        assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 429
        assert first.result()["loads"] == {"slow": 1}
    assert user.invoke_model(name, "slow.tar.gz")["loads"] == {"slow": 1}


def test_a_model_that_takes_longer_than_six_minutes_to_load_is_a_model_error(
    emulator: LocalAws, user: Any
) -> None:
    user.artifact("models/slow.tar.gz", model__txt="slow")
    name = user.multi_model_endpoint({"LOAD_SECONDS": "3600"})
    emulator.set_clock_speed(300)

    def refused() -> str:
        with pytest.raises(ClientError) as error:
            user.runtime.invoke_endpoint(EndpointName=name, TargetModel="slow.tar.gz", Body=b"?")
        return str(error.value.response["Error"]["Code"])

    # Only who waits at the moment when the load is given up is told so; the others are told that the model is not ready.
    assert user.eventually(refused, lambda code: code != "ModelNotReadyException") == "ModelError"


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
