"""A container's environment. Pure.

From weakest to strongest: a few variables of the server's own environment, what SageMaker and we set, CreateModel's
`Environment`.

A developer's shell holds tokens, passwords in proxy addresses, keys of every cloud, under names that nobody can list. So what a
container inherits is listed instead: what any program needs to be found and started, to know its language and its clock, and to
share the machine. The rest is passed by name, by whoever starts the server. This keeps secrets out of a container's environment,
its logs and what it reports of itself; it is no sandbox, for a container is a process of the same user.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence

from sagemaker_local.aws_clients import Scope, Secret

INHERITED = frozenset(
    [
        *("PATH", "LD_LIBRARY_PATH", "PYTHONPATH", "VIRTUAL_ENV", "PYTHONDONTWRITEBYTECODE"),
        *("HOME", "USER", "LOGNAME"),
        *("LANG", "LANGUAGE", "LC_ALL", "LC_CTYPE", "TZ"),
        *("SSL_CERT_FILE", "SSL_CERT_DIR"),
        *("OMP_NUM_THREADS", "CUDA_VISIBLE_DEVICES"),
    ]
)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def inheritable(environment: Mapping[str, str], passed: Sequence[str]) -> dict[str, str]:
    """The part of the server's own environment that containers inherit.

    Arguments:
        passed: further variables, by name.

    Raises:
        ValueError: with one sentence, for what is not a variable's name, and for AWS's own: containers call this server only.
    """
    for name in passed:
        if not _NAME.fullmatch(name):
            raise ValueError(f"--pass-env {name!r} must be the name of an environment variable")
        if name.startswith("AWS_"):
            raise ValueError(
                f"--pass-env {name}: containers call this server as AWS, with the credentials of whoever made the endpoint"
            )
    return {name: value for name, value in environment.items() if name in INHERITED or name in passed}


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
        inherited: what `inheritable` leaves of the server's own environment.
        scope, secret: on whose behalf the container calls AWS, which is the server at `endpoint_url`.
        instance: what is particular to the instance: port, directories.
        requested: the model's container environment.
    """
    return {
        **inherited,
        "AWS_ENDPOINT_URL": endpoint_url,
        "AWS_ACCESS_KEY_ID": scope.access_key,
        "AWS_SECRET_ACCESS_KEY": secret.key,
        **({"AWS_SESSION_TOKEN": secret.session_token} if secret.session_token else {}),
        "AWS_DEFAULT_REGION": scope.region,
        "AWS_REGION": scope.region,
        # The files in the developer's home may name profiles, programs that fetch credentials, and other endpoints.
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        # Without this a proxy would be asked for 127.0.0.1, and lines would reach the log late.
        "NO_PROXY": ",".join(filter(None, (inherited.get("NO_PROXY"), "127.0.0.1,localhost"))),
        "PYTHONUNBUFFERED": "1",
        **instance,
        **requested,
    }
