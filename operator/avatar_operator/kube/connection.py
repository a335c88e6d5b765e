"""How the operator logs in: as its own service account in a cluster, else as KUBECONFIG says. Never as anybody else."""

import asyncio
import os
from pathlib import Path

from kubernetes.aio import client as kubernetes_client
from kubernetes.aio import config as kubernetes_config

from avatar_operator.errors import StartUpError

_SERVICE_ACCOUNT_TOKEN = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")


async def connect() -> kubernetes_client.ApiClient:
    """A client with the operator's own credentials.

    Raises:
        StartUpError: there are no credentials, or they cannot be read.
    """
    configuration = kubernetes_client.Configuration()
    try:
        if await asyncio.to_thread(_SERVICE_ACCOUNT_TOKEN.exists):
            kubernetes_config.load_incluster_config(client_configuration=configuration)  # type: ignore[no-untyped-call]
        else:
            await kubernetes_config.load_kube_config(client_configuration=configuration)  # type: ignore[no-untyped-call]
    except (kubernetes_config.ConfigException, OSError, TypeError) as error:
        named = os.environ.get("KUBECONFIG", "~/.kube/config")
        raise StartUpError(f"no credentials for the API server: {error} (KUBECONFIG is {named})") from error
    return kubernetes_client.ApiClient(configuration)
