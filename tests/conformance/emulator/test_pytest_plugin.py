"""The fixture that others use, used as they would: by a pytest of their own, in a directory of their own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from sagemaker_local.testing import environment_without_aws

CONFTEST = """
import sys
import pytest

pytest_plugins = ["sagemaker_local.pytest_plugin"]

@pytest.fixture(scope="session")
def sagemaker_local_images():
    return {"mine": [sys.executable, "-c", "a container"]}
"""
TEST = """
def test_boto3_speaks_with_it(sagemaker_local):
    sagemaker = sagemaker_local.client("sagemaker")
    sagemaker.create_model(ModelName="m", PrimaryContainer={"Image": "mine"}, ExecutionRoleArn="arn:aws:iam::123456789012:role/x")
    assert [model["ModelName"] for model in sagemaker.list_models()["Models"]] == ["m"]
"""


def test_the_fixture_gives_others_a_sagemaker(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_mine.py").write_text(TEST)
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)],
        cwd=tmp_path,
        env=environment_without_aws(),
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    assert "1 passed" in run.stdout, run.stdout + run.stderr


def test_the_module_is_the_command() -> None:
    said = subprocess.run(
        [sys.executable, "-m", "sagemaker_local", "--help"],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
        env={**environment_without_aws(), "COLUMNS": "120"},
    ).stdout
    assert "--image" in said
    assert "sagemaker-local --image" in said
