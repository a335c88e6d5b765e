"""The suite's AWS mode, against the emulator posing as an account: nobody here has one.

Shown is that the mode needs nothing of the emulator (no control API, no image name of ours, another region, everything found
through `AWS_ENDPOINT_URL` alone), and that an account is left as it was found. A few tests stand for all: the whole suite is run
this way by the command in docs/sagemaker-local.md.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from conformance.target import AWS_FILE_VARIABLE, BadTarget, account
from sagemaker_local.testing import LocalAws, environment_without_aws

SUITE = Path(__file__).parents[1]
REGION = "eu-central-1"
IMAGE = f"123456789012.dkr.ecr.{REGION}.amazonaws.com/sagemaker-conformance:1"
SETTINGS = f"""
region = "{REGION}"
role = "arn:aws:iam::123456789012:role/sagemaker-conformance"
image = "{IMAGE}"
instance_type = "ml.m5.large"
prefix = "sagemaker-conformance"
patience_seconds = 60
pause_seconds = 0.05
"""
REPRESENTATIVES = (
    "test_endpoint_lifecycle.py::test_describe_tells_the_async_config_the_images_and_the_config_name",
    "test_async_notifications.py::test_a_success_is_told_with_the_documented_fields",
    "test_realtime_invocation.py::test_model_data_is_unpacked_before_the_container_starts",
    "test_multi_model.py::test_a_model_is_loaded_from_below_the_prefix_when_first_asked_for",
    "emulator/test_clock.py::test_a_clock_that_stands_still_is_refused",
)


@pytest.fixture(scope="module")
def account_run(
    tmp_path_factory: pytest.TempPathFactory, container: list[str]
) -> tuple[str, dict[str, list[str]]]:
    """What pytest said, and the names of what the run left in the account."""
    described = tmp_path_factory.mktemp("aws-mode") / "account.toml"
    described.write_text(SETTINGS)
    with LocalAws(images={IMAGE: container}) as posing:
        environment = {
            **environment_without_aws(),
            **posing.environment,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            AWS_FILE_VARIABLE: str(described),
        }
        run = subprocess.run(
            [
                sys.executable,
                "-m",
                "pytest",
                "-q",
                "-rs",
                "-p",
                "no:cacheprovider",
                *(str(SUITE / name) for name in REPRESENTATIVES),
            ],
            env=environment,
            cwd=SUITE.parents[1],
            capture_output=True,
            text=True,
            timeout=500,
            check=False,
        )
        sagemaker, sns, sqs = (posing.client(name, region=REGION) for name in ("sagemaker", "sns", "sqs"))
        left = {
            "endpoints": [each["EndpointName"] for each in sagemaker.list_endpoints()["Endpoints"]],
            "configs": [
                each["EndpointConfigName"] for each in sagemaker.list_endpoint_configs()["EndpointConfigs"]
            ],
            "models": [each["ModelName"] for each in sagemaker.list_models()["Models"]],
            "topics": [each["TopicArn"] for each in sns.list_topics()["Topics"]],
            "queues": sqs.list_queues().get("QueueUrls", []),
            "buckets": [each["Name"] for each in posing.client("s3").list_buckets()["Buckets"]],
        }
    return run.stdout + run.stderr, left


def test_the_suite_passes_through_standard_settings_alone(
    account_run: tuple[str, dict[str, list[str]]],
) -> None:
    assert "4 passed, 1 skipped" in account_run[0], account_run[0]


def test_the_account_is_left_as_it_was_found(account_run: tuple[str, dict[str, list[str]]]) -> None:
    said, left = account_run
    assert "4 passed" in said
    assert {kind: names for kind, names in left.items() if names} == {}


def test_an_incomplete_description_is_refused_with_what_is_missing(tmp_path: Path) -> None:
    described = tmp_path / "account.toml"
    described.write_text(SETTINGS.replace("role =", "rol ="))
    with pytest.raises(BadTarget, match=r"look at rol, role"):
        account(described)


def test_a_prefix_that_is_no_bucket_name_is_refused(tmp_path: Path) -> None:
    described = tmp_path / "account.toml"
    described.write_text(SETTINGS.replace('"sagemaker-conformance"\npat', '"Not_A_Bucket"\npat'))
    with pytest.raises(BadTarget, match="prefix must be"):
        account(described)
