"""A container's environment. Pure.

From weakest to strongest: the server's own environment without AWS_* (a developer's credentials and profile are none of a
container's business), what SageMaker and we set, CreateModel's `Environment`.
"""

from __future__ import annotations

from collections.abc import Mapping

from sagemaker_local.aws_clients import Scope, Secret


def container_environment(
    inherited: Mapping[str, str],
    scope: Scope,
    secret: Secret,
    endpoint_url: str,
    instance: Mapping[str, str],
    requested: Mapping[str, str],
) -> dict[str, str]:
    """The variables that a container's process starts with.

    Arguments:
        inherited: the server's own environment.
        scope, secret: on whose behalf the container calls AWS, which is the server at `endpoint_url`.
        instance: what is particular to the instance: port, directories.
        requested: the model's container environment.
    """
    environment = {name: value for name, value in inherited.items() if not name.startswith("AWS_")}
    environment |= {
        "AWS_ENDPOINT_URL": endpoint_url,
        "AWS_ACCESS_KEY_ID": scope.access_key,
        "AWS_SECRET_ACCESS_KEY": secret.key,
        **({"AWS_SESSION_TOKEN": secret.session_token} if secret.session_token else {}),
        "AWS_DEFAULT_REGION": scope.region,
        "AWS_REGION": scope.region,
        # Without this a proxy of the developer's would be asked for 127.0.0.1, and lines would reach the log late.
        "NO_PROXY": ",".join(filter(None, (inherited.get("NO_PROXY"), "127.0.0.1,localhost"))),
        "PYTHONUNBUFFERED": "1",
    }
    return environment | dict(instance) | dict(requested)
