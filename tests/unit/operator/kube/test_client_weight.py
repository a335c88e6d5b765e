"""What the client to the API server brings along: one module of the official client may weigh as much as the operator."""

import subprocess
import sys

PROGRAM = """
import asyncio, sys
from kubernetes.aio.client import ApiClient
from avatar_operator.kube.kubernetes_client import KubernetesClient

async def make():
    await KubernetesClient(ApiClient()).aclose()

asyncio.run(make())
print(*(name for name in sys.modules if name.startswith("kubernetes.aio.client.api.")))
"""


def test_the_client_loads_no_api_but_that_of_custom_objects() -> None:
    loaded = subprocess.run([sys.executable, "-c", PROGRAM], check=True, capture_output=True, text=True)
    assert loaded.stdout.split() == ["kubernetes.aio.client.api.custom_objects_api"]
