"""The CRDs, installed once a session, an admin who makes objects of our kinds, and the operator's own client."""

import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from kubernetes.aio import client as kubernetes_client
from kubernetes.aio import config as kubernetes_config

from avatar_operator.kube.kubernetes_client import KubernetesClient
from builders.api_objects import ApiObjects
from local_cluster.access import Cluster

CRDS = Path(__file__).resolve().parents[3] / "crds"


@pytest.fixture(scope="session")
def installed(cluster: Cluster) -> Cluster:
    """The cluster under test, with our CRDs."""
    cluster.apply_crds(CRDS)
    return cluster


@pytest.fixture(scope="session")
def api(installed: Cluster) -> Iterator[ApiObjects]:
    """Objects of our kinds, handled as the admin."""
    objects = ApiObjects(installed)
    yield objects
    objects.close()


@pytest.fixture(scope="session")
def tenant(installed: Cluster) -> Iterator[str]:
    """A namespace for objects that are never stored."""
    name = f"test-{uuid.uuid4().hex[:12]}"
    installed.create_namespace(name)
    yield name
    installed.delete_namespace(name)


@pytest.fixture
async def api_client(installed: Cluster) -> AsyncIterator[kubernetes_client.ApiClient]:
    """The official client, with the admin's credentials."""
    configuration = kubernetes_client.Configuration()
    await kubernetes_config.load_kube_config(  # type: ignore[no-untyped-call]
        config_file=str(installed.admin_kubeconfig), client_configuration=configuration
    )
    client = kubernetes_client.ApiClient(configuration)
    yield client
    await client.close()  # type: ignore[no-untyped-call]


@pytest.fixture
def client(api_client: kubernetes_client.ApiClient) -> KubernetesClient:
    """The operator's client, with the admin's credentials."""
    return KubernetesClient(api_client)
