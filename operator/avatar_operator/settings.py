"""What can be set from outside: environment variables with the prefix AVATAR_OPERATOR_."""

import os
import re
import socket
import uuid
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

_NAMESPACE = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


def _unique_identity() -> str:
    return f"{os.environ.get('HOSTNAME') or socket.gethostname()}_{uuid.uuid4()}"


class OperatorSettings(BaseSettings):
    """The operator's own settings. Everything about avatars stands in AvatarRuntime instead."""

    model_config = SettingsConfigDict(env_prefix="AVATAR_OPERATOR_")

    # A Pod's probes come from outside.
    http_host: str = Field("0.0.0.0", description="Address that /metrics, /healthz and /readyz listen at.")  # noqa: S104
    http_port: int = Field(
        8080,
        ge=0,
        le=65535,
        description="Port that they listen at; 0: any that is free.",
    )
    namespace: str = Field(
        "",
        description="Where the Lease is that says which replica leads; if empty, the namespace that the operator logs in from.",
    )
    watch_namespaces: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description=(
            "Namespaces that the operator works in, with commas in between; if empty, all of them. It then needs no rights in others, "
            "and sees to those AvatarRuntimes alone of which every namespace in `spec.tenancy.allowedNamespaces` is one of these."
        ),
    )
    identity: str = Field(
        default_factory=_unique_identity,
        min_length=1,
        description=(
            "This replica's name in the Lease; if not set, the name of the host and a random id. A process that comes back under "
            "the name of the leader leads at once, so no two that may live at the same time may share one: the name of a Pod will "
            "do, that of a node will not."
        ),
    )
    lease_seconds: int = Field(
        15,
        ge=3,
        le=300,
        description="Seconds that other replicas wait for a leader that says nothing any more.",
    )
    drain_seconds: float = Field(
        25.0,
        ge=0,
        description="Seconds that passes under way may take to end after SIGTERM; some less than the Pod's grace period.",
    )
    model_workers: int = Field(
        8, ge=1, le=256, description="AvatarModels that are worked on at the same time."
    )
    request_workers: int = Field(
        16,
        ge=1,
        le=256,
        description="AvatarRequests that are worked on at the same time: concurrent drawing calls.",
    )
    runtime_workers: int = Field(
        2, ge=1, le=32, description="AvatarRuntimes that are worked on at the same time."
    )
    start_up_seconds: float = Field(
        15.0, ge=0, description="Seconds that the API server may take to answer at start."
    )
    sweep_seconds: float = Field(
        300.0,
        ge=0.1,
        description="Seconds between sweeps, which compare everything with the API server and ask for attempts under way.",
    )
    stale_watch_seconds: float = Field(
        180.0,
        ge=1,
        description="Not alive any more if for so many seconds every sweep found that a watch had missed something.",
    )
    stuck_seconds: float = Field(
        600.0,
        ge=1,
        description="Not alive any more if for so many seconds keys wait and none moves.",
    )
    log_format: Literal["json", "console"] = Field(
        "json", description="How a line of the log looks: json for machines, console for people."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="What is logged at least; debug adds one line for each retry."
    )

    @field_validator("watch_namespaces", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        names = [name.strip() for name in value.split(",")] if value.strip() else []
        for name in names:
            if _NAMESPACE.fullmatch(name) is None:
                raise ValueError(
                    f"{name!r} is no name of a namespace; write names with commas in between: team-a,team-b"
                )
        return tuple(dict.fromkeys(names))

    @property
    def workers(self) -> int:
        """How many objects are reconciled at the same time."""
        return self.model_workers + self.request_workers + self.runtime_workers
