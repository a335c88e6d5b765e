"""boto3 clients that talk to ourselves.

Our data planes read and write S3, publish to SNS and ship logs exactly as AWS does it: through the public APIs, on behalf of
the account and region that owns the endpoint. That keeps them independent of moto's insides, and lets them run against any
other server that speaks these APIs.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import boto3
from botocore.config import Config

# Tells the platform's own calls from everybody else's.
PLATFORM_USER_AGENT = "sagemaker-local-platform"
SECRET_KEY = "sagemaker-local"  # noqa: S105  # for keys that IAM does not know: moto checks no signature of theirs


@dataclass(frozen=True)
class Scope:
    """Whose resources a call is about. Resources of different accounts or regions never see each other.

    Attributes:
        account: the twelve digits.
        region: for example `us-east-1`.
        access_key: the caller's access key id, with which we act on the caller's behalf.
    """

    account: str
    region: str
    access_key: str

    def arn(self, service: str, resource: str) -> str:
        """The ARN of a resource in this scope."""
        partition = {"cn": "aws-cn", "us-gov": "aws-us-gov"}.get(self.region.rsplit("-", 2)[0], "aws")
        return f"arn:{partition}:{service}:{self.region}:{self.account}:{resource}"


@dataclass(frozen=True)
class Secret:
    """What belongs to an access key id."""

    key: str
    session_token: str | None


class AwsClients:
    """One client per service and scope, made when first needed. Clients are thread-safe; making them is not.

    Arguments:
        secret_of: finds the secret of a scope's access key, so that our own calls pass where IAM is on; None for a key that IAM
            does not know.
    """

    def __init__(
        self, endpoint_url: str, secret_of: Callable[[Scope], Secret | None] = lambda _: None
    ) -> None:
        self._secret_of = secret_of
        self._lock = threading.Lock()
        self._clients: dict[tuple[str, Scope], Any] = {}
        self.endpoint_url = endpoint_url

    def secret(self, scope: Scope) -> Secret:
        """The secret with which we, and the containers, act on behalf of a scope."""
        return self._secret_of(scope) or Secret(SECRET_KEY, None)

    def client(self, service: Literal["s3", "sns", "logs", "cloudwatch"], scope: Scope) -> Any:
        with self._lock:
            client = self._clients.get((service, scope))
            if client is None:
                secret = self.secret(scope)
                session: Any = boto3.session.Session()
                client = session.client(
                    service,
                    region_name=scope.region,
                    endpoint_url=self.endpoint_url,
                    aws_access_key_id=scope.access_key,
                    aws_secret_access_key=secret.key,
                    aws_session_token=secret.session_token,
                    config=Config(
                        retries={"total_max_attempts": 1},
                        max_pool_connections=32,
                        proxies={},
                        user_agent_extra=PLATFORM_USER_AGENT,
                        s3={"addressing_style": "path"},
                    ),
                )
                self._clients[service, scope] = client
            return client
