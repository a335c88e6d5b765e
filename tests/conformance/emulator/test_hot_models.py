"""A model with more requests than one instance should take gets a copy on another; and how many models are loaded is counted."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from sagemaker_local.multi_model.routing import REQUESTS_PER_COPY
from sagemaker_local.testing import LocalAws


def test_a_hot_model_is_copied_to_another_instance_and_comes_home_when_it_is_cold(
    emulator: LocalAws, user: Any, eventually: Callable[..., Any], tmp_path: Path
) -> None:
    user.artifact("models/hot.tar.gz", model__txt="hot")
    name = user.multi_model_endpoint(InitialInstanceCount=2)
    home = user.invoke_model(name, "hot.tar.gz")["instance"]
    gate = tmp_path / "gate"
    held = json.dumps({"gate": str(gate)}).encode()

    def busy() -> dict[str, int]:
        return {each["id"]: each["in_flight"] for each in emulator.instances(name) if each["in_flight"]}

    with ThreadPoolExecutor(REQUESTS_PER_COPY) as pool:
        try:
            requests: list[Future[dict[str, Any]]] = []
            for number in range(1, REQUESTS_PER_COPY + 1):
                requests.append(pool.submit(user.invoke_model, name, "hot.tar.gz", held))
                eventually(lambda number=number: busy() == {home: number})
            elsewhere = user.invoke_model(name, "hot.tar.gz")
        finally:
            gate.touch()
    assert elsewhere["instance"] != home
    assert elsewhere["text"] == "hot"
    assert {request.result()["instance"] for request in requests} == {home}

    eventually(lambda: busy() == {})
    assert [user.invoke_model(name, "hot.tar.gz")["instance"] for _ in range(4)] == [home] * 4


def test_loaded_models_are_counted_per_instance(
    emulator: LocalAws, user: Any, eventually: Callable[..., Any]
) -> None:
    for letter in "ab":
        user.artifact(f"models/{letter}.tar.gz", model__txt=letter)
    name = user.multi_model_endpoint()
    emulator.set_clock_speed(20)

    def most() -> float:
        for letter in "ab":
            with suppress(ClientError):
                user.invoke_model(name, f"{letter}.tar.gz")
        points = user.datapoints(
            "LoadedModelCount",
            ["Maximum"],
            {"EndpointName": name, "VariantName": "AllTraffic"},
            namespace="/aws/sagemaker/Endpoints",
        )
        return float(max((point["Maximum"] for point in points), default=0.0))

    assert eventually(most, lambda count: count == 2) == 2
