"""What an instance has on disk: stand-ins for the places that a container knows, and what it prints.

<host's directory>/<account>-<region>/<endpoint>/<variant>/<instance id>/
    model/          /opt/ml/model
    models/         /opt/ml/models of a multi-model container
    work/           the working directory
    tmp/            TMPDIR
    container.log   stays when the instance has gone
"""

from __future__ import annotations

import shutil
from pathlib import Path

from sagemaker_local.instances.container_spec import Placement


class InstanceDirectory:
    """The directory of one instance.

    Arguments:
        root: of all instances.
    """

    def __init__(self, root: Path, placement: Placement, instance_id: str) -> None:
        scope = placement.scope
        self.path = (
            root / f"{scope.account}-{scope.region}" / placement.endpoint / placement.variant / instance_id
        )
        self.model = self.path / "model"
        self.models = self.path / "models"
        self.work = self.path / "work"
        self.temporary = self.path / "tmp"
        self.log_file = self.path / "container.log"

    def make(self) -> None:
        """Make everything that a container may count on."""
        for directory in self._removable():
            directory.mkdir(parents=True, exist_ok=True)

    def clear(self) -> None:
        """Leave nothing but the log."""
        for directory in self._removable():
            shutil.rmtree(directory, ignore_errors=True)

    def _removable(self) -> tuple[Path, ...]:
        return self.model, self.models, self.work, self.temporary
