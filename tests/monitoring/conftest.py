"""Prometheus' own tools, from PATH or from Debian."""

from __future__ import annotations

from pathlib import Path

import pytest

from indispensable import needed_program


@pytest.fixture(scope="session")
def promtool() -> Path:
    """promtool."""
    return needed_program("promtool", "prometheus")
