"""An AWS whose IAM is on, for flights whose operator has no more rights than it is given.

A test module that imports `guarded_aws` flies there: the fixture takes the place of `aws`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import httpx
import pytest

from e2e.flight import STAND_IN
from sagemaker_local.testing import REGION, LocalAws

ACCOUNT = "123456789012"
EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


class GuardedAws(LocalAws):
    """An AWS that looks at every caller's policies. The tests themselves are its administrator."""

    def __enter__(self) -> GuardedAws:
        super().__enter__()
        self._administrator: dict[str, str] = {}
        self._administrator = self.new_user("administrator", json.dumps(EVERYTHING))
        reset = f"{self.endpoint_url}/moto-api/reset-auth"
        httpx.post(reset, content="0", trust_env=False).raise_for_status()
        return self

    @property
    def environment(self) -> dict[str, str]:
        """The administrator's."""
        return {**super().environment, **self._administrator}

    def client(self, service: str, config: Any = None, region: str = REGION) -> Any:
        """The administrator's."""
        return self.client_of(self._administrator or self.environment, service, config, region)

    def client_of(self, user: dict[str, str], service: str, config: Any = None, region: str = REGION) -> Any:
        """A user's, whom their environment variables name."""
        session: Any = boto3.session.Session()
        return session.client(
            service,
            region_name=region,
            endpoint_url=self.endpoint_url,
            aws_access_key_id=user["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=user["AWS_SECRET_ACCESS_KEY"],
            config=config,
        )

    def new_user(self, name: str, *policies: str) -> dict[str, str]:
        """Environment variables with the key of a new user who has these policies."""
        iam = self.client("iam")
        iam.create_user(UserName=name)
        for number, policy in enumerate(policies):
            iam.put_user_policy(UserName=name, PolicyName=f"policy-{number}", PolicyDocument=policy)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return {
            "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
        }

    def new_role(self, arn: str, *, trusted: str, policy: str) -> None:
        """Make a role that somebody may assume, and what it may do."""
        trust = {"Effect": "Allow", "Principal": {"AWS": trusted}, "Action": "sts:AssumeRole"}
        iam, name = self.client("iam"), arn.rpartition("/")[2]
        trusting = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=trusting)
        iam.put_role_policy(RoleName=name, PolicyName="attempts", PolicyDocument=policy)


@pytest.fixture(scope="module", name="aws")
def guarded_aws() -> Iterator[GuardedAws]:
    """An AWS whose IAM is on."""
    with GuardedAws(images={"stand-in": STAND_IN}) as guarded:
        yield guarded
