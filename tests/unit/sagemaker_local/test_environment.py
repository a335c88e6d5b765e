"""What a container's process starts with."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from sagemaker_local.aws_clients import Scope, Secret
from sagemaker_local.instances.environment import INHERITED, container_environment, inheritable

SCOPE = Scope("123456789012", "eu-west-1", "caller")
SECRET = Secret("caller's secret", None)


def test_a_container_inherits_what_any_program_needs_and_nothing_else() -> None:
    shell = {
        "PATH": "/bin",
        "HOME": "/home/ann",
        "GITHUB_TOKEN": "ghp_secret",
        "HTTPS_PROXY": "http://ann:secret@proxy",
        "AWS_PROFILE": "work",
        "KUBECONFIG": "/home/ann/.kube/config",
        "PATHOLOGY": "secret",
    }
    assert inheritable(shell, []) == {"PATH": "/bin", "HOME": "/home/ann"}


def test_what_is_passed_by_name_is_inherited_too() -> None:
    shell = {"HF_HOME": "/models", "HF_TOKEN": "hf_secret", "LANG": "C.UTF-8"}
    assert inheritable(shell, ["HF_HOME", "NOT_SET"]) == {"HF_HOME": "/models", "LANG": "C.UTF-8"}


@pytest.mark.parametrize("name", ["", "A=1", "HF_*", "1ST", "A B"])
def test_what_is_no_name_cannot_be_passed(name: str) -> None:
    with pytest.raises(ValueError, match="must be the name of an environment variable"):
        inheritable({}, [name])


def test_aws_settings_cannot_be_passed() -> None:
    with pytest.raises(ValueError, match="--pass-env AWS_PROFILE: containers call this server as AWS"):
        inheritable({"AWS_PROFILE": "work"}, ["AWS_PROFILE"])


def test_a_container_calls_this_server_as_whoever_made_its_endpoint() -> None:
    environment = container_environment({}, SCOPE, SECRET, "http://here", {}, {})
    assert (environment["AWS_REGION"], environment["AWS_ACCESS_KEY_ID"]) == ("eu-west-1", "caller")
    assert environment["AWS_ENDPOINT_URL"] == "http://here"


def test_the_files_of_a_developers_profile_are_not_read() -> None:
    environment = container_environment({}, SCOPE, SECRET, "http://here", {}, {})
    assert environment["AWS_CONFIG_FILE"] == environment["AWS_SHARED_CREDENTIALS_FILE"] == os.devnull


def test_the_models_environment_wins() -> None:
    environment = container_environment(
        {"A": "1"}, SCOPE, SECRET, "http://here", {"A": "2", "B": "2"}, {"A": "3"}
    )
    assert (environment["A"], environment["B"]) == ("3", "2")


def test_a_proxy_is_not_asked_for_this_server() -> None:
    environment = container_environment({"NO_PROXY": "intranet"}, SCOPE, SECRET, "http://here", {}, {})
    assert environment["NO_PROXY"] == "intranet,127.0.0.1,localhost"


def test_the_credentials_of_a_session_come_with_their_token() -> None:
    environment = container_environment({}, SCOPE, Secret("secret", "token"), "http://here", {}, {})
    assert (environment["AWS_SECRET_ACCESS_KEY"], environment["AWS_SESSION_TOKEN"]) == ("secret", "token")


def test_the_page_says_what_is_inherited() -> None:
    page = (Path(__file__).parents[3] / "docs" / "sagemaker-local.md").read_text()
    _, _, said = page.partition("Of the server's own environment it inherits")
    assert set(re.findall(r"`([A-Z_]+)`", said.partition(". Tokens")[0])) == INHERITED
