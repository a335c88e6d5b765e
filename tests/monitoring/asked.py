"""Everything that the chart's dashboards and alerts ask a Prometheus."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from benchmarks.watched_operator.questions import Questions

from dashboards.__main__ import FOLDER
from dashboards.answers import panels_of
from monitoring.promql import without_bounds
from monitoring.test_alerts import RULES

_SECONDS_A_LOOK = 4
BOARDS: dict[str, dict[str, Any]] = {
    path.stem: json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))
}


def asked_by_panels() -> list[str]:
    """Every expression of every panel."""
    return [
        target["expr"]
        for board in BOARDS.values()
        for panel in panels_of(board)
        for target in panel["targets"]
    ]


def asked_by_alerts() -> list[str]:
    """What every alert compares with its bounds."""
    return [without_bounds(rule["expr"]) for rule in RULES.values()]


def nothing_missed(
    seen: Questions, expressions: list[str], patience_seconds: float
) -> Callable[[float], bool]:
    """Whether a run has lasted long enough, asked each second: nothing is missed any more, or patience ends."""
    missed = expressions
    looks = 0

    def enough(seconds: float) -> bool:
        nonlocal missed, looks
        looks += 1
        if looks % _SECONDS_A_LOOK == 0:
            missed = [expression for expression in missed if not seen.asks(expression)]
        return not missed or seconds > patience_seconds

    return enough
