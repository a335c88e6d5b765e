"""A real Prometheus watches real operators at work: what the dashboards and the alerts ask for is there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from benchmarks.watched_operator.run import WatchedRun, watched_run

from dashboards.picture import picture
from indispensable import needed_program
from monitoring.asked import BOARDS, asked_by_alerts, asked_by_panels, nothing_missed
from monitoring.test_alerts import RULES

pytestmark = pytest.mark.slow
PATIENCE_SECONDS = 150.0


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WatchedRun]:
    """A run in which everything has happened that panels and alerts wait for, or too much time has gone by."""
    needed_program("prometheus", "prometheus")
    with watched_run(tmp_path_factory.mktemp("watched")) as watched:
        asked = [*asked_by_panels(), *asked_by_alerts()]
        watched.live(nothing_missed(watched.seen, asked, PATIENCE_SECONDS))
        yield watched


def test_every_panel_has_an_answer(run: WatchedRun) -> None:
    assert [expression for expression in asked_by_panels() if not run.seen.asks(expression)] == []


def test_everything_that_an_alert_looks_at_is_there(run: WatchedRun) -> None:
    assert [expression for expression in asked_by_alerts() if not run.seen.asks(expression)] == []


def test_prometheus_understands_every_alert_and_none_is_about_to_tell_of_a_catastrophe(
    run: WatchedRun,
) -> None:
    holding = {
        alert for alert, rule in RULES.items() if run.seen.answers({"expr": rule["expr"], "instant": True})
    }
    assert {alert for alert in holding if RULES[alert]["labels"]["severity"] == "critical"} == set()


def test_a_tenants_namespace_is_not_that_of_the_scraped_pod(run: WatchedRun) -> None:
    namespaces = {
        series.labels["namespace"]
        for series in run.seen.asks("sum by (namespace) (avatar_gpu_seconds_total)")
    }
    assert namespaces
    assert "avatar-system" not in namespaces


def test_the_dashboards_can_be_drawn(run: WatchedRun) -> None:
    drawn = picture([list(BOARDS.values())], run.seen.answers, run.seen.began, run.seen.began + 60)
    assert drawn.startswith(b"\x89PNG")
