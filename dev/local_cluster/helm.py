"""Helm, told everything by whoever runs it, and nothing by its user's settings, repositories and plug-ins."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local_cluster.errors import LocalClusterError

__all__ = ["Helm", "HelmFailed"]


class HelmFailed(LocalClusterError):
    """Helm did not do it; the message is what it said."""


@dataclass(frozen=True)
class Helm:
    """The program.

    Attributes:
        program: its path.
        home: where it may keep what it likes.
        seconds: that a command may take.
    """

    program: Path
    home: Path
    seconds: float = 120.0

    def run(self, *arguments: str, values: Mapping[str, Any] | None = None) -> str:
        """Run it, and return what it printed.

        Args:
            arguments: what follows `helm`; `--values=-` for the values.
            values: on its standard input.

        Raises:
            HelmFailed: it failed, or took too long.
        """
        try:
            done = subprocess.run(
                [self.program, *arguments],
                input=json.dumps(values or {}),
                env={"PATH": "/usr/bin:/bin", "HOME": str(self.home)},
                capture_output=True,
                text=True,
                timeout=self.seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise HelmFailed(f"it took longer than {self.seconds:.0f} s") from None
        if done.returncode != 0:
            raise HelmFailed(done.stderr)
        return done.stdout
