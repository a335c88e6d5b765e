"""Endpoints on disk: enough of each to run it again.

One file an endpoint, replaced whenever its status changes and removed when it is gone. What was in service comes back as if all
its instances had crashed at once, which is what happened to them: InService, with replacements starting. What was being created
is created again, what was being updated is updated again, what was being deleted is gone.
"""

from __future__ import annotations

import hashlib
import logging
import pickle
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sagemaker_local.aws_clients import Scope
from sagemaker_local.control_plane.deployment_policy import ALL_AT_ONCE, DeploymentPolicy
from sagemaker_local.control_plane.endpoint import Endpoint
from sagemaker_local.control_plane.specs import EndpointSpec
from sagemaker_local.persistence.files import write_whole

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class EndpointRecord:
    """An endpoint as it was last seen.

    Attributes:
        counts, weights: desired instances and traffic shares by variant.
        policy: of its latest deployment.
    """

    scope: Scope
    name: str
    status: str
    spec: EndpointSpec
    pending: EndpointSpec | None
    failure_reason: str | None
    created: datetime
    counts: dict[str, int]
    weights: dict[str, float]
    policy: DeploymentPolicy = ALL_AT_ONCE


class EndpointRecords:
    """The records of all endpoints below a directory; None keeps nothing."""

    def __init__(self, directory: Path | None) -> None:
        self._directory = directory

    def save(self, endpoint: Endpoint) -> None:
        """Write what an endpoint is now."""
        directory = self._directory
        if directory is None:
            return
        variants = endpoint.serving_variants()
        record = EndpointRecord(
            scope=endpoint.scope,
            name=endpoint.name,
            status=endpoint.status,
            spec=endpoint.spec,
            pending=endpoint.pending,
            failure_reason=endpoint.failure_reason,
            created=endpoint.created,
            counts={variant.spec.name: variant.fleet.desired for variant in variants},
            weights={variant.spec.name: variant.weight for variant in variants},
            policy=endpoint.policy,
        )
        write_whole(directory / record_name(endpoint), pickle.dumps(record))

    def remove(self, endpoint: Endpoint) -> None:
        """The endpoint is gone."""
        if self._directory is not None:
            (self._directory / record_name(endpoint)).unlink(missing_ok=True)

    def close(self) -> None:
        """Leave the records as they are from now on."""
        self._directory = None

    def load(self) -> list[EndpointRecord]:
        """What was saved, oldest first."""
        if self._directory is None or not self._directory.exists():
            return []
        records: list[EndpointRecord] = [
            pickle.loads(path.read_bytes())  # noqa: S301  # as trusted as the program, see moto_pickling
            for path in self._directory.iterdir()
            if path.suffix != ".partial"
        ]
        return sorted(records, key=lambda record: record.created)


def record_name(endpoint: Endpoint) -> str:
    """A file name that is the endpoint's alone; its lower-cased name is part of its identity, as on AWS."""
    scope = endpoint.scope
    identity = f"{scope.account}/{scope.region}/{endpoint.name.lower()}"
    return hashlib.sha256(identity.encode()).hexdigest()[:32]
