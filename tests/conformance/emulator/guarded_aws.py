"""An AWS whose IAM is on, its administrator, and those whom they let in."""

from __future__ import annotations

import functools
import json
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import boto3
import httpx
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from sagemaker_local.testing import REGION, LocalAws

ACCOUNT = "123456789012"
SESSION: Any = boto3.session.Session()
# Without botocore's own checks: what the server makes of it is the question.
CONFIG = Config(retries={"total_max_attempts": 1}, read_timeout=70, parameter_validation=False)
TRUST = {"Effect": "Allow", "Action": "sts:AssumeRole"}


def allow(action: str | list[str], resource: str = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action: str, resource: str = "*", **more: Any) -> dict[str, Any]:
    return {**allow(action, resource, **more), "Effect": "Deny"}


def document(*statements: dict[str, Any]) -> str:
    """A policy of these statements."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


@dataclass(frozen=True, eq=False)
class Key:
    """Credentials, and the clients that use them."""

    server: LocalAws
    id: str
    secret: str
    token: str | None = None

    @functools.cache  # noqa: B019  # a handful of keys, for one module
    def client(self, service: str) -> Any:
        return SESSION.client(
            service,
            region_name=REGION,
            endpoint_url=self.server.endpoint_url,
            aws_access_key_id=self.id,
            aws_secret_access_key=self.secret,
            aws_session_token=self.token,
            config=CONFIG,
        )

    def assume(self, role: str, **more: Any) -> Key:
        """The key of a session of a role."""
        asked = {"RoleArn": role, "RoleSessionName": "session", **more}
        given = self.client("sts").assume_role(**asked)["Credentials"]
        return Key(self.server, given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])


class GuardedAws:
    """A server whose IAM is on, with an administrator."""

    def __init__(self, server: LocalAws) -> None:
        self.server = server
        self.admin = Key(server, "test", "test")
        self.admin = self.user(allow("*"), name="admin")
        self._check_after(0)
        self.iam = self.admin.client("iam")

    def user(self, *statements: dict[str, Any], name: str | None = None) -> Key:
        """A user with an inline policy of these statements."""
        name = name or f"user-{uuid.uuid4().hex[:8]}"
        iam = self.admin.client("iam")
        iam.create_user(UserName=name)
        if statements:
            iam.put_user_policy(UserName=name, PolicyName="inline", PolicyDocument=document(*statements))
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return Key(self.server, key["AccessKeyId"], key["SecretAccessKey"])

    def role(
        self, *statements: dict[str, Any], trust: Sequence[dict[str, Any]] | None = None, **more: Any
    ) -> str:
        """The ARN of a role with an inline policy of these statements. Everybody may assume it, or whom `trust` is about."""
        name = f"role-{uuid.uuid4().hex[:8]}"
        trusting = document(*(trust or [{**TRUST, "Principal": {"AWS": "*"}}]))
        role = self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=trusting, **more)["Role"]
        if statements:
            self.iam.put_role_policy(RoleName=name, PolicyName="inline", PolicyDocument=document(*statements))
        arn: str = role["Arn"]
        return arn

    def role_session(self, *statements: dict[str, Any], policy: Sequence[dict[str, Any]] = ()) -> Key:
        """A session of a role with an inline policy of these statements, narrowed by a session policy of others."""
        narrowed = {"Policy": document(*policy)} if policy else {}
        return self.admin.assume(self.role(*statements), **narrowed)

    def without_iam_for_one_call(self) -> None:
        """The next call is not checked; every later one is again."""
        self._check_after(1)

    def _check_after(self, calls: int) -> None:
        httpx.post(
            f"{self.server.endpoint_url}/moto-api/reset-auth", content=str(calls), trust_env=False
        ).raise_for_status()


def refusal(call: Callable[[], Any]) -> tuple[int, str, str]:
    """Status, code and message of a call that must be refused."""
    with pytest.raises(ClientError) as error:
        call()
    response = error.value.response
    return (
        response["ResponseMetadata"]["HTTPStatusCode"],
        response["Error"]["Code"],
        response["Error"]["Message"],
    )
