"""Everything that the chart's dashboards and alerts ask a Prometheus."""

from __future__ import annotations

import json
from typing import Any

from dashboards.__main__ import FOLDER
from dashboards.answers import panels_of
from monitoring.promql import without_bounds
from monitoring.test_alerts import RULES

BOARDS: dict[str, dict[str, Any]] = {
    path.stem: json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))
}
EMPTY_WHEN_ALL_IS_WELL = {
    ("avatar-operator", "Calls that were refused"): ["{{verb}} {{kind}} {{code}}"],
}
"""Legends of what a panel shows only where something is wrong that no run orders."""


def asked_by_panels() -> list[str]:
    """Every expression of every panel that must have an answer."""
    return [
        target["expr"]
        for uid, board in BOARDS.items()
        for panel in panels_of(board)
        for target in panel["targets"]
        if target.get("legendFormat") not in EMPTY_WHEN_ALL_IS_WELL.get((uid, panel["title"]), [])
    ]


def asked_by_alerts() -> list[str]:
    """What every alert compares with its bounds."""
    return [without_bounds(rule["expr"]) for rule in RULES.values()]
