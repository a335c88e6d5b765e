"""What a container's process starts with."""

from __future__ import annotations

from sagemaker_local.aws_clients import Scope, Secret
from sagemaker_local.instances.environment import container_environment

SCOPE = Scope("123456789012", "eu-west-1", "caller")
SECRET = Secret("caller's secret", None)


def test_a_developers_aws_settings_do_not_reach_the_container() -> None:
    inherited = {
        "AWS_PROFILE": "work",
        "AWS_SESSION_TOKEN": "real",
        "AWS_REGION": "us-west-2",
        "PATH": "/bin",
    }
    environment = container_environment(inherited, SCOPE, SECRET, "http://here", {}, {})
    assert "AWS_PROFILE" not in environment
    assert "AWS_SESSION_TOKEN" not in environment
    assert (environment["AWS_REGION"], environment["AWS_ACCESS_KEY_ID"]) == ("eu-west-1", "caller")
    assert (environment["AWS_ENDPOINT_URL"], environment["PATH"]) == ("http://here", "/bin")


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
