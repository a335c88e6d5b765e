"""The alerts of the chart: each can fire, stays quiet otherwise, says what to do, and asks for what is really published."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from monitoring.promql import unknown, without_bounds
from reference_pages.published_metrics import PublishedMetric, operator_metrics

PROJECT = Path(__file__).parents[2]
ALERTS = PROJECT / "charts" / "avatar-operator" / "files" / "alerts" / "avatar-operator.yaml"
RUNBOOKS = PROJECT / "docs" / "runbooks"
RULES: dict[str, dict[str, Any]] = {
    rule["alert"]: rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]
}
STORIES: dict[str, dict[str, Any]] = yaml.safe_load(
    (Path(__file__).parent / "alert_stories.yaml").read_text()
)
SECTIONS = ["## What it means", "## How to look", "## How to mend it"]


@pytest.fixture(scope="module")
def published() -> list[PublishedMetric]:
    return operator_metrics()


def alerts_at(
    promtool: Path, directory: Path, alert: str, story: dict[str, Any], expected: list[dict[str, Any]]
) -> str:
    """Have promtool tell a story and compare what fires.

    Returns:
        What it complains about; empty if exactly the expected alerts fire.
    """
    document = {
        "rule_files": [str(ALERTS)],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [
                    {"series": series, "values": values} for series, values in story["series"].items()
                ],
                "alert_rule_test": [{"eval_time": story["at"], "alertname": alert, "exp_alerts": expected}],
            }
        ],
    }
    path = directory / "story.yaml"
    path.write_text(yaml.safe_dump(document))
    told = subprocess.run([promtool, "test", "rules", str(path)], capture_output=True, text=True)
    return "" if told.returncode == 0 else told.stdout + told.stderr


@pytest.mark.parametrize("alert", RULES)
def test_an_alert_fires_when_it_has_to(alert: str, promtool: Path, tmp_path: Path) -> None:
    complaint = alerts_at(promtool, tmp_path, alert, STORIES[alert]["fires"], [])
    (labels,) = re.findall(r"got:\s*\[\s*0:\s*Labels:(\{.*?\})", complaint, re.DOTALL) or pytest.fail(
        complaint or "quiet"
    )
    assert dict(re.findall(r'(\w+)="([^"]*)"', labels)) == {"alertname": alert, **STORIES[alert]["labels"]}


@pytest.mark.parametrize("alert", RULES)
def test_an_alert_is_quiet_when_all_is_well(alert: str, promtool: Path, tmp_path: Path) -> None:
    assert alerts_at(promtool, tmp_path, alert, STORIES[alert]["quiet"], []) == ""


def test_promtool_finds_nothing_wrong_with_the_rules(promtool: Path) -> None:
    checked = subprocess.run(
        [promtool, "check", "rules", "--lint=all", "--lint-fatal", str(ALERTS)],
        capture_output=True,
        text=True,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_every_story_is_of_an_alert_that_exists() -> None:
    assert set(STORIES) == set(RULES)


@pytest.mark.parametrize("alert", RULES)
def test_an_alert_asks_for_what_an_operator_publishes(alert: str, published: list[PublishedMetric]) -> None:
    assert unknown(RULES[alert]["expr"], published) == []


def test_an_expression_that_names_what_nobody_publishes_is_noticed(published: list[PublishedMetric]) -> None:
    assert unknown("sum by (colour) (avatar_leader{shade='red'}) > avatar_leaders", published) == [
        "avatar_leader has no label shade",
        "nobody publishes avatar_leaders",
        "no selected metric has the label colour",
    ]


def test_what_an_alert_compares_is_there_when_all_is_well_and_keeps_what_joins_it() -> None:
    assert (
        without_bounds('absent(a) or (b - b offset 1d) / c{le="5"} >= 14.4 * 0.01 and on (kind) sum(d) == 0')
        == 'a or (b - b) / c{le="5"} and on (kind) sum(d)'
    )
    with pytest.raises(ValueError, match="more than a number: a > b"):
        without_bounds("a > b")


@pytest.mark.parametrize("alert", RULES)
def test_an_alert_has_a_severity_words_and_a_runbook_with_every_section(alert: str) -> None:
    rule = RULES[alert]
    assert rule["labels"]["severity"] in {"critical", "warning"}
    assert {"summary", "description", "runbook_url"} == set(rule["annotations"])
    assert rule["annotations"]["runbook_url"] == f"docs/runbooks/{alert}.md"
    lines = (RUNBOOKS / f"{alert}.md").read_text().splitlines()
    assert [line for line in lines if line.startswith("#")] == [f"# {alert}", *SECTIONS]


def test_the_list_of_runbooks_names_each_alert_once() -> None:
    listed = re.findall(
        r"^\| \[(\w+)\]\((\w+)\.md\) \| (\w+) \|", (RUNBOOKS / "README.md").read_text(), re.MULTILINE
    )
    assert listed == [(alert, alert, rule["labels"]["severity"]) for alert, rule in RULES.items()]
