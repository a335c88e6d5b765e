"""What a model's container learns of the developer who runs the local AWS, and who sees what it keeps."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from conformance.sagemaker_user import SageMakerUser
from conformance.target import CONTAINER, emulated
from sagemaker_local.testing import LocalAws

SECRETS = {
    "GITHUB_TOKEN": "a developer's token",
    "HTTPS_PROXY": "http://ann:a-developer-s-password@proxy.example",
    "AWS_PROFILE": "a developer's profile",
    "KUBECONFIG": "a developer's cluster",
    "AVATAR_BIND_ADDRESS": "0.0.0.0",  # noqa: S104
}
PASSED = "AVATAR_TORCH_THREADS"


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state directory that was there before, and that everybody could look into."""
    directory = tmp_path_factory.mktemp("aws")
    for name in ("state", "endpoints"):
        (directory / name).mkdir()
        (directory / name).chmod(0o755)
    return directory


@pytest.fixture(scope="module")
def aws(data_dir: Path) -> Iterator[LocalAws]:
    """A server that was started from the shell of somebody who has secrets."""
    with pytest.MonkeyPatch.context() as shell:
        for name, value in {**SECRETS, PASSED: "1"}.items():
            shell.setenv(name, value)
        running = LocalAws({"trivial": CONTAINER}, data_dir, pass_environment=[PASSED])
        running.__enter__()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def endpoint(aws: LocalAws) -> Iterator[tuple[SageMakerUser, str]]:
    """An endpoint in service, and its owner."""
    user = SageMakerUser(emulated(aws))
    yield user, user.realtime_endpoint({"GREETING": "hello"})
    user.leave()


def test_no_secret_of_the_developers_shell_reaches_a_container(endpoint: tuple[SageMakerUser, str]) -> None:
    user, name = endpoint
    answer = user.runtime.invoke_endpoint(EndpointName=name, Body=b'{"tell": "environment"}')
    environment: dict[str, str] = json.loads(answer["Body"].read())
    assert [value for value in SECRETS.values() if value in environment.values()] == []
    assert (environment[PASSED], environment["GREETING"]) == ("1", "hello")
    assert environment["PATH"] == os.environ["PATH"]


def test_no_other_user_of_the_machine_looks_into_what_is_kept(aws: LocalAws, data_dir: Path) -> None:
    assert {name: (data_dir / name).stat().st_mode & 0o777 for name in ("state", "endpoints")} == {
        "state": 0o700,
        "endpoints": 0o700,
    }
