"""The dashboards that the chart ships: complete, readable on an empty system, and about what is really published."""

from __future__ import annotations

import re
from collections import Counter
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, ProcessCollector

from dashboards.__main__ import main, rendered
from dashboards.answers import filled_in, panels_of
from dashboards.board import COLUMNS
from dashboards.units import TEXT_OF_UNIT
from monitoring.asked import BOARDS
from monitoring.promql import groupings, looked_at, publisher, unknown
from reference_pages.published_metrics import PublishedMetric, operator_metrics, serving_metrics

PANELS = [
    pytest.param(panel, id=f"{uid}: {panel['title']}")
    for uid, board in BOARDS.items()
    for panel in panels_of(board)
]
VARIABLES = {"__rate_interval": "5m", "__range": "6h", "namespace": "team-a"}
OF_A_COUNTER = {"rate", "increase"}
OF_A_GAUGE = {"", "deriv"}


def expressions(panel: dict[str, Any]) -> list[str]:
    return [filled_in(target["expr"], VARIABLES) for target in panel["targets"]]


@pytest.fixture(scope="module")
def published() -> list[PublishedMetric]:
    """What an operator and a serving container publish, and the process that an operator is."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    process = [
        PublishedMetric(sample.name, family.type, (), family.documentation)
        for family in registry.collect()
        for sample in family.samples
    ]
    return [*operator_metrics(), *serving_metrics(), *process]


def test_the_four_dashboards_have_names_that_stay() -> None:
    assert {uid: board["uid"] for uid, board in BOARDS.items()} == {
        name: name for name in ("avatar-endpoints", "avatar-operator", "avatar-platform", "avatar-tenant")
    }
    assert all("id" not in board for board in BOARDS.values())


def test_the_committed_dashboards_are_what_the_code_makes_and_it_makes_the_same_bytes_each_time() -> None:
    assert main(["--check"]) == 0
    assert rendered() == rendered()


def test_a_dashboard_that_differs_or_that_nobody_makes_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("dashboards.__main__.FOLDER", tmp_path)
    assert main([]) == 0
    (tmp_path / "avatar-tenant.json").write_text("{}")
    (tmp_path / "forgotten.json").write_text("{}")
    assert main(["--check"]) == 1
    told = capsys.readouterr().err
    assert [line.split()[0] for line in told.splitlines()] == ["avatar-tenant.json", "forgotten.json"]
    assert main([]) == 0
    assert main(["--check"]) == 0
    assert not (tmp_path / "forgotten.json").exists()


@pytest.mark.parametrize("panel", PANELS)
def test_a_panel_says_what_it_shows_in_which_unit_and_what_it_means_if_it_is_empty(
    panel: dict[str, Any],
) -> None:
    defaults = panel["fieldConfig"]["defaults"]
    assert panel["title"]
    assert panel["description"].endswith((".", "?"))
    assert panel["description"].rstrip(".") != panel["title"]
    assert defaults["unit"] in TEXT_OF_UNIT
    assert defaults["noValue"]


@pytest.mark.parametrize("panel", PANELS)
def test_a_panel_asks_the_data_source_that_the_reader_chose(panel: dict[str, Any]) -> None:
    wanted = {"type": "prometheus", "uid": "${datasource}"}
    assert [panel["datasource"], *(target["datasource"] for target in panel["targets"])] == [wanted] * (
        1 + len(panel["targets"])
    )
    assert max(Counter(target["refId"] for target in panel["targets"]).values()) == 1


@pytest.mark.parametrize("panel", PANELS)
def test_a_panel_asks_for_what_is_published(panel: dict[str, Any], published: list[PublishedMetric]) -> None:
    assert [unknown(expression, published) for expression in expressions(panel)] == [[]] * len(
        panel["targets"]
    )


@pytest.mark.parametrize("panel", PANELS)
def test_a_counter_is_never_shown_as_it_stands(
    panel: dict[str, Any], published: list[PublishedMetric]
) -> None:
    for expression in expressions(panel):
        for series, function in looked_at(expression):
            metric = publisher(series, published)
            assert metric is not None
            assert function in (OF_A_COUNTER if metric.type in {"counter", "histogram"} else OF_A_GAUGE)


@pytest.mark.parametrize("panel", PANELS)
def test_a_zero_is_made_up_only_where_an_operator_is_there_to_count(panel: dict[str, Any]) -> None:
    for expression in expressions(panel):
        assert "vector(" not in expression
        assert expression.partition(" or ")[2] in {"", "0 * sum(avatar_leader)"}


@pytest.mark.parametrize("panel", PANELS)
def test_a_legend_names_labels_that_its_series_have(panel: dict[str, Any]) -> None:
    for target, expression in zip(panel["targets"], expressions(panel), strict=True):
        legend = target.get("legendFormat", "")
        assert set(re.findall(r"{{(\w+)}}", legend)) <= groupings(expression)
        assert legend or panel["type"] == "stat"


def test_what_an_expression_does_with_a_metric_is_seen() -> None:
    assert looked_at("sum(rate(a_total[5m])) / max(a_total) + deriv(b[1m])") == [
        ("a_total", "rate"),
        ("b", "deriv"),
        ("a_total", ""),
    ]


@pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)
def test_panels_fill_the_grid_without_covering_one_another(board: dict[str, Any]) -> None:
    places = [panel["gridPos"] for panel in board["panels"]]
    cells = [
        {(x, y) for x in range(p["x"], p["x"] + p["w"]) for y in range(p["y"], p["y"] + p["h"])}
        for p in places
    ]
    assert all(first.isdisjoint(second) for first, second in combinations(cells, 2))
    height = max(place["y"] + place["h"] for place in places)
    assert set().union(*cells) == {(x, y) for x in range(COLUMNS) for y in range(height)}
    ids = [panel["id"] for panel in board["panels"]]
    assert all(later == earlier + 1 for earlier, later in pairwise(ids))


def test_every_metric_of_ours_is_on_a_dashboard() -> None:
    shown = {
        metric.name
        for param in PANELS
        for expression in expressions(param.values[0])  # type: ignore[arg-type]
        for series, _ in looked_at(expression)
        if (metric := publisher(series, [*operator_metrics(), *serving_metrics()])) is not None
    }
    assert {metric.name for metric in (*operator_metrics(), *serving_metrics())} - shown == set()
