"""The fixtures of the conformance suite.

The tests in this directory speak boto3 only and assert what AWS documents, so that they run against the emulator and, unchanged,
against AWS (`target.py`). Those in `emulator/` also use the emulator's own knobs and hold it to its own words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from conformance import sagemaker_user
from conformance import target as targets
from conformance.sagemaker_user import SageMakerUser
from conformance.target import Target
from sagemaker_local.testing import LocalAws


@pytest.fixture(scope="session")
def target() -> Iterator[Target]:
    """The AWS that the conformance tests share."""
    with targets.chosen() as chosen:
        yield chosen


@pytest.fixture(scope="session")
def container() -> list[str]:
    """The trivial container's command."""
    return targets.CONTAINER


@pytest.fixture(scope="session")
def eventually() -> Callable[..., Any]:
    """Wait for something to become true, for tests without a user."""
    return sagemaker_user.eventually


@pytest.fixture(scope="session")
def make_target() -> Callable[[LocalAws], Target]:
    """For tests with a server of their own."""
    return targets.emulated


@pytest.fixture(scope="session")
def make_user() -> type[SageMakerUser]:
    """For modules that share one deployment between their tests."""
    return SageMakerUser


@pytest.fixture(scope="module")
def module_user(target: Target) -> Iterator[SageMakerUser]:
    """Somebody whose deployments all tests of a module share."""
    user = SageMakerUser(target)
    yield user
    user.leave()


@pytest.fixture
def user(target: Target) -> Iterator[SageMakerUser]:
    """Somebody with fresh names; what they deployed is deleted afterwards."""
    user = SageMakerUser(target)
    yield user
    user.leave()
