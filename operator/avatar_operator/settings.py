"""What can be set from outside: environment variables with the prefix AVATAR_OPERATOR_."""

import os
import socket
import uuid
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


def _unique_identity() -> str:
    return f"{os.environ.get('HOSTNAME') or socket.gethostname()}_{uuid.uuid4()}"


class OperatorSettings(BaseSettings):
    """The operator's own settings. Everything about avatars stands in AvatarRuntime instead."""

    model_config = SettingsConfigDict(env_prefix="AVATAR_OPERATOR_")

    # A Pod's probes come from outside.
    http_host: str = Field("0.0.0.0", description="Where /metrics, /healthz and /readyz listen.")  # noqa: S104
    http_port: int = Field(8080, ge=0, le=65535)
    namespace: str = Field(
        "",
        description="Where the Lease is that says which replica leads; if empty, the namespace that the operator logs in from.",
    )
    identity: str = Field(
        default_factory=_unique_identity,
        min_length=1,
        description=(
            "This replica's name in the Lease. A process that comes back under the name of the leader leads at once, so no two "
            "that may live at the same time may share one: the name of a Pod will do, that of a node will not."
        ),
    )
    lease_seconds: int = Field(
        15, ge=3, le=300, description="How long other replicas wait for a leader that says nothing any more."
    )
    drain_seconds: float = Field(
        25.0,
        ge=0,
        description="How long passes under way may take to end after SIGTERM; some seconds less than the Pod's grace period.",
    )
    model_workers: int = Field(8, ge=1, le=256, description="AvatarModels reconciled at the same time.")
    request_workers: int = Field(16, ge=1, le=256, description="AvatarRequests reconciled at the same time.")
    runtime_workers: int = Field(2, ge=1, le=32, description="AvatarRuntimes reconciled at the same time.")
    start_up_seconds: float = Field(
        15.0, ge=0, description="How long an API server may take to answer at start-up."
    )
    sweep_seconds: float = Field(
        300.0, ge=0.1, description="How often everything is compared with the API server."
    )
    stale_watch_seconds: float = Field(
        180.0, ge=1, description="Not alive any more if the watch lags this much."
    )
    stuck_seconds: float = Field(
        600.0, ge=1, description="Not alive any more if keys wait and none moves for this long."
    )
    log_format: Literal["json", "console"] = "json"
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @property
    def workers(self) -> int:
        """How many objects are reconciled at the same time."""
        return self.model_workers + self.request_workers + self.runtime_workers
