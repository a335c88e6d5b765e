"""A SageMaker that runs and a runtime on it. Shared by all tests of backends.

The workers are `tests/e2e/stand_in_worker.py`: the real container contracts and documents, no torch. One server and one
pair of endpoints serve the whole session; every test has uids of its own.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from avatar_api.avatar_runtime import AvatarRuntime
from avatar_operator.aws.clients import AwsClients
from avatar_operator.backends.selection import Backend
from builders.backend_objects import BUCKET, StoppedClock, eventually, make_runtime, sagemaker_backend
from sagemaker_local.testing import LocalAws

TESTS = Path(__file__).parents[3]
STAND_IN = [sys.executable, str(TESTS / "e2e" / "stand_in_worker.py")]
TRIVIAL = [sys.executable, str(TESTS / "conformance" / "trivial_container.py")]


@pytest.fixture(scope="session")
def local_aws() -> Iterator[LocalAws]:
    """A `sagemaker-local` with the stand-in worker, and a trivial one that starts at once."""
    with LocalAws(images={"stand-in": STAND_IN, "trivial": TRIVIAL}) as aws:
        aws.client("s3").create_bucket(Bucket=BUCKET)
        for topic in ("avatars-success", "avatars-error"):
            aws.client("sns").create_topic(Name=topic)
        yield aws


@pytest.fixture
def s3(local_aws: LocalAws) -> Any:
    """A plain S3 client, to look from outside."""
    return local_aws.client("s3")


@pytest.fixture(scope="session")
def session_clients(local_aws: LocalAws) -> Iterator[AwsClients]:
    """The operator's own clients; making them takes longer than most tests."""
    clients = AwsClients(endpoint_url=local_aws.endpoint_url)
    yield clients
    clients.close()


@pytest.fixture
def clients(session_clients: AwsClients, local_aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> AwsClients:
    """The operator's own clients, with credentials to sign with."""
    for name, value in local_aws.environment.items():
        monkeypatch.setenv(name, value)
    return session_clients


@pytest.fixture
def clock() -> StoppedClock:
    """A clock that moves only when told."""
    return StoppedClock()


@pytest.fixture
def backend(clients: AwsClients, clock: StoppedClock) -> Backend:
    """The backend under test."""
    return sagemaker_backend(clients, clock)


@pytest.fixture
async def runtime(backend: Backend, local_aws: LocalAws) -> AsyncIterator[AvatarRuntime]:
    """A runtime whose endpoints serve."""
    runtime = make_runtime()
    await eventually(lambda: backend.compute.ensure_endpoints(runtime), lambda facts: facts.ready)
    local_aws.forget_calls()
    yield runtime
    local_aws.clear_faults()
