"""The flights of `e2e`: a cluster, an AWS and an operator, each of them real."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from e2e.conftest import flight, operator_kubeconfig, start_operator
from e2e.flight import REPOSITORY
from sagemaker_local.testing import LocalAws

__all__ = ["flight", "operator_kubeconfig", "start_operator"]
LYING_WORKER = ["env", f"PYTHONPATH={REPOSITORY / 'tests'}", sys.executable, "-m", "security.lying_worker"]


@pytest.fixture(scope="session")
def aws() -> Iterator[LocalAws]:
    """An AWS whose endpoints run a worker that lies if a model's token says so."""
    with LocalAws(images={"stand-in": LYING_WORKER}) as local_aws:
        yield local_aws
