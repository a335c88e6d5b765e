"""The flights of `e2e`: a cluster, an AWS and an operator, each of them real.

An operator takes seconds to start. So most tests use one that is there already, `operator`, beside whatever others have left to
it; it tells tenants apart, after all. Whoever needs settings, an AWS or a record of its own has an operator of its own by
`start_operator`, and for as long as that runs there is no other.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.conftest import StartOperator, flight, operator_kubeconfig
from e2e.conftest import start_operator as start_another_operator
from e2e.flight import REPOSITORY, OperatorProcess
from sagemaker_local.testing import LocalAws

__all__ = ["flight", "operator_kubeconfig", "start_another_operator"]
LYING_WORKER = ["env", f"PYTHONPATH={REPOSITORY / 'tests'}", sys.executable, "-m", "security.lying_worker"]


@pytest.fixture(scope="session")
def aws() -> Iterator[LocalAws]:
    """An AWS whose endpoints run a worker that lies if a model's token says so."""
    with LocalAws(images={"stand-in": LYING_WORKER}) as local_aws:
        yield local_aws


@pytest.fixture(scope="session")
def standing_operators() -> Iterator[list[OperatorProcess]]:
    """The operator that tests leave to each other; none as long as none of them has needed it."""
    operators: list[OperatorProcess] = []
    yield operators
    for operator in operators:
        operator.kill()


@pytest.fixture
def operator(
    standing_operators: list[OperatorProcess],
    tmp_path_factory: pytest.TempPathFactory,
    operator_kubeconfig: Path,
    aws: LocalAws,
) -> Iterator[OperatorProcess]:
    """An operator that runs, with the settings it has where nobody changes them. A test may stop, start, freeze and thaw it."""
    if not standing_operators:
        directory = tmp_path_factory.mktemp("operator")
        standing_operators.append(OperatorProcess(directory, operator_kubeconfig, aws))
    (standing,) = standing_operators
    if not standing.is_running():
        standing.start()
    yield standing
    standing.thaw()


@pytest.fixture
def no_operator(standing_operators: list[OperatorProcess]) -> None:
    """No operator runs but one that the test starts: another one would lead."""
    for operator in standing_operators:
        operator.stop()


@pytest.fixture
def start_operator(no_operator: None, start_another_operator: StartOperator) -> StartOperator:
    """Starts operators with settings, each with files of its own; they end with the test."""
    return start_another_operator
