"""The CRDs, installed once a session, and an admin who makes objects of our kinds."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

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
