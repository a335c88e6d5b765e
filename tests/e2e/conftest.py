"""A flight for each test: its own operator process, namespace, bucket, queues and runtime."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from e2e.flight import STAND_IN, Flight, OperatorProcess, install_control_plane
from local_cluster.access import Cluster
from sagemaker_local.testing import LocalAws

StartOperator = Callable[..., OperatorProcess]


@pytest.fixture(scope="session")
def operator_kubeconfig(cluster: Cluster) -> Path:
    """Credentials of the operator's service account, with the rights that the chart ships and no others."""
    return install_control_plane(cluster)


@pytest.fixture(scope="session")
def aws() -> Iterator[LocalAws]:
    """An AWS whose endpoints run the stand-in worker."""
    with LocalAws(images={"stand-in": STAND_IN}) as local_aws:
        yield local_aws


@pytest.fixture
def flight(cluster: Cluster, namespace: str, aws: LocalAws, operator_kubeconfig: Path) -> Iterator[Flight]:
    """A tenant with twelve photos and a runtime."""
    tenant = Flight(cluster, namespace, aws)
    tenant.upload_photos()
    aws.clear_faults()
    yield tenant
    aws.clear_faults()
    tenant.clean_up()


@pytest.fixture
def start_operator(tmp_path: Path, operator_kubeconfig: Path, aws: LocalAws) -> Iterator[StartOperator]:
    """Starts operators with settings, each with files of its own; they end with the test."""
    started: list[OperatorProcess] = []

    def start(**settings: str) -> OperatorProcess:
        directory = tmp_path / f"operator-{len(started)}"
        directory.mkdir()
        operator = OperatorProcess(directory, operator_kubeconfig, aws, **settings)
        started.append(operator)
        operator.start()
        return operator

    yield start
    for operator in started:
        operator.kill()
