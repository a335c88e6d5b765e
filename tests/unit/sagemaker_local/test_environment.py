"""What a container's process starts with."""

from __future__ import annotations

from sagemaker_local.aws_clients import Scope
from sagemaker_local.instances.environment import container_environment

SCOPE = Scope("123456789012", "eu-west-1", "caller")


def test_a_developers_aws_settings_do_not_reach_the_container() -> None:
    inherited = {
        "AWS_PROFILE": "work",
        "AWS_SESSION_TOKEN": "real",
        "AWS_REGION": "us-west-2",
        "PATH": "/bin",
    }
    environment = container_environment(inherited, SCOPE, "http://here", {}, {})
    assert "AWS_PROFILE" not in environment
    assert "AWS_SESSION_TOKEN" not in environment
    assert (environment["AWS_REGION"], environment["AWS_ACCESS_KEY_ID"]) == ("eu-west-1", "caller")
    assert (environment["AWS_ENDPOINT_URL"], environment["PATH"]) == ("http://here", "/bin")


def test_the_models_environment_wins() -> None:
    environment = container_environment({"A": "1"}, SCOPE, "http://here", {"A": "2", "B": "2"}, {"A": "3"})
    assert (environment["A"], environment["B"]) == ("3", "2")


def test_a_proxy_is_not_asked_for_this_server() -> None:
    environment = container_environment({"NO_PROXY": "intranet"}, SCOPE, "http://here", {}, {})
    assert environment["NO_PROXY"] == "intranet,127.0.0.1,localhost"
