"""A SageMaker as a pytest fixture, for anybody's tests.

    # conftest.py
    pytest_plugins = ["sagemaker_local.pytest_plugin"]

    @pytest.fixture(scope="session")
    def sagemaker_local_images():
        return {"trainer": [sys.executable, "-m", "my_trainer"]}

    # test_mine.py
    def test_mine(sagemaker_local):
        sagemaker_local.client("s3").create_bucket(Bucket="photos")

One server serves the whole run; names that no other test uses keep tests apart. It is started by the first test that asks for
it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from sagemaker_local.testing import LocalAws


@pytest.fixture(scope="session")
def sagemaker_local_images() -> Mapping[str, Sequence[str] | str]:
    """What runs for which container image; override it. None, to begin with."""
    return {}


@pytest.fixture(scope="session")
def sagemaker_local(sagemaker_local_images: Mapping[str, Sequence[str] | str]) -> Iterator[LocalAws]:
    """A running `sagemaker-local`: `client(service)` for boto3, `environment` for programs, and the knobs of `LocalAws`."""
    from sagemaker_local.testing import LocalAws

    with LocalAws(images=sagemaker_local_images) as running:
        yield running
