"""One asynchronous invocation, and how it can end. Plain values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sagemaker_local.aws_clients import Scope
from sagemaker_local.control_plane.specs import AsyncSpec
from sagemaker_local.s3_objects import S3Location

DEFAULT_TTL_SECONDS = 21_600
DEFAULT_TIMEOUT_SECONDS = 900


@dataclass(frozen=True)
class Invocation:
    """An accepted InvokeEndpointAsync call.

    Attributes:
        parameters: the call's parameters by their API names.
        spec: the endpoint's asynchronous configuration when the call was accepted; later updates do not change it.
        inline: the payload, when it came with the call.
        record: the name under which it is kept on disk; empty when nothing is kept.
    """

    scope: Scope
    endpoint: str
    inference_id: str
    parameters: dict[str, Any]
    spec: AsyncSpec
    output: S3Location
    failure: S3Location | None
    received: datetime
    inline: bytes | None
    record: str = ""

    @property
    def ttl_seconds(self) -> int:
        return int(self.parameters.get("RequestTTLSeconds", DEFAULT_TTL_SECONDS))

    @property
    def timeout_seconds(self) -> int:
        return int(self.parameters.get("InvocationTimeoutSeconds", DEFAULT_TIMEOUT_SECONDS))


@dataclass(frozen=True)
class Success:
    """The container answered 2xx."""

    body: bytes
    content_type: str | None


@dataclass(frozen=True)
class Failure:
    """It did not.

    Attributes:
        reason: SageMaker's sentence, as in the notification's `failureReason`.
        body: what the container answered, when it did; otherwise the reason itself.
        content_type: of the body.
    """

    reason: str
    body: bytes
    content_type: str | None

    @classmethod
    def without_answer(cls, reason: str) -> Failure:
        """A failure in which the container said nothing."""
        return cls(reason, reason.encode(), "text/plain")


Outcome = Success | Failure
