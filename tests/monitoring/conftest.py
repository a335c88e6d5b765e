"""Prometheus' own tools, from PATH or from Debian."""

from __future__ import annotations

from pathlib import Path

import pytest

from debian_programs import ProgramMissing, debian_program
from indispensable import missing


@pytest.fixture(scope="session")
def promtool() -> Path:
    """promtool."""
    try:
        return debian_program("promtool", "prometheus")
    except ProgramMissing as error:
        missing(f"promtool: {error}")
