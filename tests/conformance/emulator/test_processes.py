"""Instances are processes: replaced when they die, gone when the server is."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from sagemaker_local.testing import LocalAws


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


@dataclass(frozen=True)
class Remains:
    """What a server had running when it was killed."""

    pid: int
    directory: Path


@pytest.fixture(scope="module")
def killed_server(container: list[str], make_target: Any, make_user: Any) -> Remains:
    """A server with one endpoint, killed with SIGKILL."""
    with LocalAws(images={"trivial": container}) as running:
        make_user(make_target(running)).realtime_endpoint()
        instance = running.instances()[0]
        remains = Remains(instance["pid"], Path(instance["directory"]))
        assert alive(remains.pid)
        assert remains.directory.exists()
        running.kill()
    return remains


def test_a_killed_instance_is_replaced(emulator: LocalAws, user: Any) -> None:
    name = user.realtime_endpoint()
    before = emulator.instances(name)[0]
    os.killpg(before["pid"], signal.SIGKILL)
    after = user.eventually(lambda: [i for i in emulator.instances(name) if i["id"] != before["id"]])
    assert after[0]["pid"] != before["pid"]
    assert user.runtime.invoke_endpoint(EndpointName=name, Body=b"x")["Body"].read() == b"x"


def test_a_deleted_endpoints_processes_and_directories_are_gone(emulator: LocalAws, user: Any) -> None:
    name = user.realtime_endpoint()
    instance = emulator.instances(name)[0]
    user.leave()
    assert not alive(instance["pid"])
    assert {path.name for path in Path(instance["directory"]).iterdir()} == {"container.log"}


def test_instances_die_with_a_server_that_is_killed(killed_server: Remains, eventually: Any) -> None:
    eventually(lambda: not alive(killed_server.pid))


def test_a_temporary_directory_goes_with_a_server_that_is_killed(
    killed_server: Remains, eventually: Any
) -> None:
    eventually(lambda: not killed_server.directory.exists())


def test_deleting_an_endpoint_ends_what_an_update_left_running(emulator: LocalAws, user: Any) -> None:
    name = user.async_endpoint()
    old = emulator.instances(name)[0]
    running = user.invoke_async(name, {"sleep": 600})
    user.eventually(lambda: emulator.instances(name)[0]["in_flight"] == 1)
    user.sagemaker.update_endpoint(
        EndpointName=name, EndpointConfigName=user.config(user.model(), user.async_config())
    )
    user.await_status(name, "InService")
    assert alive(old["pid"])
    user.leave()
    assert not alive(old["pid"])
    user.await_object(running["FailureLocation"])


def test_resetting_moto_ends_the_endpoints(container: list[str], make_target: Any, make_user: Any) -> None:
    with LocalAws(images={"trivial": container}) as running:
        user = make_user(make_target(running))
        user.realtime_endpoint()
        pid = running.instances()[0]["pid"]
        address = urlsplit(running.endpoint_url)
        with contextlib.closing(
            http.client.HTTPConnection(address.hostname or "", address.port, timeout=60)
        ) as connection:
            connection.request("POST", "/moto-api/reset")
            assert connection.getresponse().status == 200
        assert not alive(pid)
        assert running.instances() == []
        assert user.sagemaker.list_endpoints()["Endpoints"] == []


def test_children_of_a_container_end_with_it(tmp_path: Path, user: Any) -> None:
    child = tmp_path / "child.pid"
    user.endpoint(user.config(user.model(Image="parent", Environment={"CHILD_PID_FILE": str(child)})))
    pid = int(child.read_text())
    assert alive(pid)
    user.leave()
    user.eventually(lambda: not alive(pid))


def test_the_log_outlives_the_instance(emulator: LocalAws, user: Any) -> None:
    name = user.realtime_endpoint()
    user.runtime.invoke_endpoint(EndpointName=name, Body=b"x")
    log = Path(emulator.instances(name)[0]["directory"]) / "container.log"
    user.leave()
    assert "served /invocations" in log.read_text()


def test_a_command_that_does_not_read_the_environment_is_given_its_port(user: Any) -> None:
    name = user.endpoint(user.config(user.model(Image="port-as-argument")))
    assert user.runtime.invoke_endpoint(EndpointName=name, Body=b"x")["Body"].read() == b"x"


def test_an_image_without_a_command_fails_the_endpoint_and_names_the_known_ones(user: Any) -> None:
    model = f"{user.name}-unknown"
    container = {"Image": "registry.example/unknown:v1"}
    user.sagemaker.create_model(
        ModelName=model, PrimaryContainer=container, ExecutionRoleArn="arn:aws:iam::123456789012:role/x"
    )
    name = user.endpoint(user.config(model), status="Failed")
    reason = user.described(name)["FailureReason"]
    assert "no command is known for image 'registry.example/unknown:v1'" in reason
    assert "(known: parent, port-as-argument, trivial)" in reason


def test_connections_stay_open_between_requests(emulator: LocalAws) -> None:
    address = urlsplit(emulator.endpoint_url)
    with contextlib.closing(
        http.client.HTTPConnection(address.hostname or "", address.port, timeout=60)
    ) as connection:
        ports = set()
        for method, path, body in (
            ("GET", "/_sagemaker_local/health", None),
            ("POST", "/endpoints/none/invocations", b"a body that nobody reads"),
            ("GET", "/_sagemaker_local/health", None),
        ):
            connection.request(method, path, body)
            connection.getresponse().read()
            assert connection.sock is not None
            ports.add(connection.sock.getsockname()[1])
    assert len(ports) == 1


def test_an_unknown_operation_is_refused_at_once(user: Any) -> None:
    with pytest.raises(user.sagemaker.exceptions.ClientError) as refusal:
        user.sagemaker.create_inference_component(
            InferenceComponentName="x", EndpointName="y", Specification={"ModelName": "z"}
        )
    assert refusal.value.response["Error"]["Code"] == "NotImplemented"
    assert refusal.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501


def test_an_unimplemented_action_of_another_service_is_refused_at_once(emulator: LocalAws) -> None:
    client = emulator.client("textract")
    with pytest.raises(client.exceptions.ClientError) as refusal:
        client.analyze_document(Document={"Bytes": b"x"}, FeatureTypes=["TABLES"])
    assert refusal.value.response["Error"]["Code"] == "NotImplemented"
    assert refusal.value.response["ResponseMetadata"]["RetryAttempts"] == 0
