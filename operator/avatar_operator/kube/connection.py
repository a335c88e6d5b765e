"""How the operator logs in, and where it is at home: as its own service account in a cluster, else as KUBECONFIG says.

Never as anybody else.
"""

import asyncio
import os
from pathlib import Path

from kubernetes.aio import client as kubernetes_client
from kubernetes.aio import config as kubernetes_config

from avatar_operator.errors import StartUpError

_SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")


async def connect(*, connections: int) -> kubernetes_client.ApiClient:
    """A client with the operator's own credentials.

    Args:
        connections: how many requests it may have under way at the same time; others wait.

    Raises:
        StartUpError: there are no credentials, or they cannot be read.
    """
    configuration = kubernetes_client.Configuration(connection_pool_maxsize=connections)
    try:
        if await asyncio.to_thread((_SERVICE_ACCOUNT / "token").exists):
            kubernetes_config.load_incluster_config(client_configuration=configuration)  # type: ignore[no-untyped-call]
        else:
            await kubernetes_config.load_kube_config(client_configuration=configuration)  # type: ignore[no-untyped-call]
    except (kubernetes_config.ConfigException, OSError, TypeError) as error:
        named = os.environ.get("KUBECONFIG", "~/.kube/config")
        raise StartUpError(f"no credentials for the API server: {error} (KUBECONFIG is {named})") from error
    return kubernetes_client.ApiClient(configuration)


def in_cluster_server() -> str:
    """The URL of the API server for a Pod, which the kubelet tells every container: it needs no DNS."""
    host, port = os.environ["KUBERNETES_SERVICE_HOST"], os.environ["KUBERNETES_SERVICE_PORT"]
    return f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"


def home_namespace() -> str:
    """The namespace of the operator's own service account, else that of KUBECONFIG's context, else `default`."""
    try:
        return (_SERVICE_ACCOUNT / "namespace").read_text().strip()
    except OSError:
        pass
    try:
        _, context = kubernetes_config.list_kube_config_contexts()  # type: ignore[no-untyped-call]
    except (kubernetes_config.ConfigException, OSError, TypeError):
        return "default"
    return str(context["context"].get("namespace") or "default")
