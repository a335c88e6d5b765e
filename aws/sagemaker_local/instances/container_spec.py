"""What an instance is told to run, and where it belongs. Plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sagemaker_local.aws_clients import Scope


@dataclass(frozen=True)
class ContainerSpec:
    """What an instance runs, from the model of a production variant.

    Attributes:
        image: the image's name, which stands for a command.
        environment: CreateModel's container environment.
        model_data_url: `s3://` of the tar.gz (single model) or the prefix (multi-model), or None.
        multi_model: whether the container serves many models.
        model_cache: for multi-model: whether models stay loaded after an invocation.
        startup_timeout: AWS seconds until the first successful ping, at the latest.
    """

    image: str
    environment: Mapping[str, str]
    model_data_url: str | None
    multi_model: bool
    model_cache: bool
    startup_timeout: float


@dataclass(frozen=True)
class Placement:
    """Where an instance belongs."""

    scope: Scope
    endpoint: str
    variant: str

    def log_group(self) -> str:
        """The CloudWatch log group of the endpoint's containers."""
        return f"/aws/sagemaker/Endpoints/{self.endpoint}"

    def log_stream(self, instance_id: str) -> str:
        """The CloudWatch log stream of one instance."""
        return f"{self.variant}/{instance_id}"
