"""What can be set from outside: environment variables with the prefix AVATAR_OPERATOR_."""

from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class OperatorSettings(BaseSettings):
    """The operator's own settings. Everything about avatars stands in AvatarRuntime instead."""

    model_config = SettingsConfigDict(env_prefix="AVATAR_OPERATOR_")

    http_host: str = Field("0.0.0.0", description="Where /metrics, /healthz and /readyz listen.")  # noqa: S104  # a Pod's probes come from outside
    http_port: int = Field(8080, ge=0, le=65535)
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
