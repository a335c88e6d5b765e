"""Bills of materials in CycloneDX: what the lock puts into each thing that we ship, with versions and checksums."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import NamedTuple

from dependency_audit.advisories import AuditFailed

SHIPPED = ("operator", "workers", "local")
"""The extras of `pyproject.toml`: the operator's image, the workers' images, sagemaker-local."""


class Package(NamedTuple):
    """A package that the lock pins."""

    name: str
    version: str


def write_bill(uv: str, project: Path, extra: str, file: Path) -> set[Package]:
    """Write the bill of materials of one extra.

    Args:
        uv: the program.
        project: the directory of `uv.lock`.
        extra: one of `SHIPPED`.
        file: where to write it.

    Returns:
        The packages that it lists.

    Raises:
        AuditFailed: uv could not do its work.
    """
    done = subprocess.run(
        [
            uv,
            "export",
            "--frozen",
            "--no-dev",
            f"--extra={extra}",
            "--format=cyclonedx1.5",
            f"--output-file={file}",
        ],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise AuditFailed(f"uv export: {' '.join(done.stderr.split())}")
    bill = json.loads(file.read_text())
    return {Package(component["name"], component["version"]) for component in bill["components"]}
