"""Fixtures that every suite shares: a Kubernetes cluster, and a namespace of one's own in it.

Tests never assume which cluster they have. By default a `LocalCluster` is started once a session (side by side, once by each
worker that needs one) and dies with it; AVATAR_TEST_KUBECONFIG names another one to use. KUBECONFIG alone is never used: tests
must not run by accident in the cluster that a developer happens to be logged in to.
"""

from __future__ import annotations

import os
import shutil
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from builders.machine_settings import PROFILE
from indispensable import missing
from local_cluster import binaries
from local_cluster.access import Cluster
from local_cluster.cluster import LocalCluster
from local_cluster.kind_cluster import KindCluster
from local_cluster.node.cluster import NodeCluster
from local_cluster.node.requirements import why_not as why_no_node
from side_by_side import (
    pytest_collection_modifyitems,
    pytest_xdist_auto_num_workers,
    pytest_xdist_make_scheduler,
)

__all__ = ["pytest_collection_modifyitems", "pytest_xdist_auto_num_workers", "pytest_xdist_make_scheduler"]

# Where it is set, each of the hundreds of processes that tests start compiles all that it imports.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# How long an example takes says how busy the machine is, and nothing about the code. The same examples every time: who is told
# that a test failed can see it fail.
settings.register_profile(
    "repeatable",
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
# For as long as it is told, with other examples each night; what was found is printed as a test to keep.
settings.register_profile(
    "nightly",
    parent=settings.get_profile("repeatable"),
    derandomize=False,
    max_examples=int(os.environ.get("HYPOTHESIS_MAX_EXAMPLES", "1000")),
    print_blob=True,
)
settings.load_profile(PROFILE)


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """The cluster under test, with its admin's credentials."""
    directory = tmp_path_factory.mktemp("cluster")
    kubeconfig = os.environ.get("AVATAR_TEST_KUBECONFIG")
    if kubeconfig is not None:
        kubectl = shutil.which("kubectl")
        yield Cluster(
            Path(kubeconfig).absolute(),
            Path(kubectl) if kubectl else binaries.ensure(_report).kubectl,
            directory,
        )
        return
    with LocalCluster(directory, report=_report) as local_cluster:
        yield local_cluster


@pytest.fixture(scope="session")
def node_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeCluster | KindCluster]:
    """A cluster with a node that runs Pods; marked `node` is what uses it. AVATAR_TEST_KIND names one to be made by kind."""
    directory = tmp_path_factory.mktemp("node")
    kind = os.environ.get("AVATAR_TEST_KIND")
    if kind is not None:
        with KindCluster(kind, binaries.ensure(_report).kubectl, directory) as kind_cluster:
            yield kind_cluster
        return
    reason = why_no_node()
    if reason is not None:
        missing(reason)
    with NodeCluster(directory, report=_report) as cluster:
        yield cluster


@pytest.fixture
def audited_cluster(cluster: Cluster) -> LocalCluster:
    """The cluster under test, for tests that count requests: only a cluster of our own shows its audit log."""
    if not isinstance(cluster, LocalCluster):
        pytest.skip("AVATAR_TEST_KUBECONFIG names a cluster whose audit log we cannot read")
    return cluster


@pytest.fixture
def namespace(cluster: Cluster) -> Iterator[str]:
    """The name of a new namespace that no other test uses."""
    name = f"test-{uuid.uuid4().hex[:12]}"
    cluster.create_namespace(name)
    yield name
    # A local cluster ends with the session and has nobody to empty a namespace; any other one should be left clean.
    if not isinstance(cluster, LocalCluster):
        cluster.delete_namespace(name)


def _report(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
