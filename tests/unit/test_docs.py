"""The documents are true where a test can tell: names of files, settings, metrics, reasons, permissions, links."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from avatar_operator.settings import OperatorSettings
from builders.exact_rights import granted_by_the_chart
from documents.aws_calls import needed_actions
from documents.pages import DOCS, PAGES, REPOSITORY, anchors, code_words, commands, rows, section
from documents.reasons_in_code import reasons_in_code
from documents.threat_model import defended_threats, has_test
from local_cluster.rights import EVERYWHERE, Grant, granted
from reference_pages import __main__ as reference_pages
from reference_pages.published_metrics import operator_metrics, serving_metrics

OPERATING, RUNTIMES = DOCS / "operating.md", DOCS / "runtimes.md"
CONDITIONS, USING = DOCS / "conditions.md", DOCS / "using.md"
ONCE_IN_AN_ACCOUNT = {"iam:CreateServiceLinkedRole"}
"""Allowed, and called by AWS itself on behalf of whoever calls."""
CONDITION_TYPES = {
    *("Accepted", "EndpointsReady", "Hosted", "ModelResolved", "NotificationsDelivered"),
    *("Ready", "Reconciling", "Stalled", "StatusTrusted", "Succeeded"),
    *("TenantsApart", "Trained"),
}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?://)([^)\s]+)\)", page.read_text()):
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), target
        assert not anchor or anchor in anchors(file), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_files_that_are_named_exist(page: Path) -> None:
    named = {word for word in code_words(page.read_text()) if re.fullmatch(r"[\w./-]+\.(py|lua|md)", word)}
    files = [f"/{file}" for file in _files()]
    assert {word for word in named if not any(file.endswith(f"/{word}") for file in files)} == set()


def _files() -> list[Path]:
    return [
        file.relative_to(REPOSITORY)
        for folder in ("aws", "benchmarks", "crds", "dev", "docs", "examples", "operator", "tests", "workers")
        for file in (REPOSITORY / folder).rglob("*.*")
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_no_command_depends_on_what_a_release_is_called(page: Path) -> None:
    """Deployment, Service and ServiceAccount have a name of the release's: pages find them by labels, or have a placeholder."""
    by_name = r"(?:deployments?[ /]|services?/|serviceaccount[:=][\w-]+:)[a-z][\w-]*"
    assert [found for code in commands(page) for found in re.findall(by_name, code)] == []


def test_every_promise_names_tests_that_hold_it() -> None:
    promises = re.findall(
        r"^\| (.+) \| (`tests/.+) \|$", section(REPOSITORY / "README.md", "What it promises"), re.MULTILINE
    )
    assert len(promises) >= 10
    for promise, shown_by in promises:
        files = [word for word in code_words(shown_by) if word.startswith("tests/")]
        assert files, promise
        for file in files:
            assert has_test(file), file


def test_every_threat_has_a_test_that_exists() -> None:
    threats = defended_threats()
    assert len(threats) >= 20
    for threat, tests in threats:
        assert tests, threat
        for test in tests:
            assert has_test(test), test


def test_every_security_test_is_named_by_the_threat_it_meets() -> None:
    named = {test.partition("::")[0] for _, tests in defended_threats() for test in tests}
    files = {
        str(file.relative_to(REPOSITORY)) for file in (REPOSITORY / "tests" / "security").glob("test_*.py")
    }
    assert files - named == set()


def test_decisions_are_numbered_one_by_one() -> None:
    pages = sorted((DOCS / "decisions").glob("*.md"))
    for number, page in enumerate(pages, start=1):
        assert page.name.startswith(f"{number:04}-")
        assert page.read_text().startswith(f"# {number}. ")


async def test_the_pages_about_settings_and_metrics_are_what_the_code_says() -> None:
    for page, text in reference_pages.rendered().items():
        assert page.read_text() == text, f"{page.name} has drifted: run `make generate`"


def test_the_check_names_a_page_that_has_drifted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(reference_pages, "rendered", lambda: {DOCS / "settings.md": "another text\n"})

    assert reference_pages.main(["--check"]) == 1
    assert "settings.md differs" in capsys.readouterr().err


def test_every_setting_is_described_by_a_sentence_with_its_unit() -> None:
    for name, field in OperatorSettings.model_fields.items():
        assert re.fullmatch(r"[A-Z].{10,}[.]", field.description or ""), name
        assert not name.endswith("_seconds") or "econds" in (field.description or ""), name


async def test_every_metric_is_described_by_a_sentence_with_its_unit() -> None:
    for metric in [*operator_metrics(), *serving_metrics()]:
        assert re.fullmatch(r"[A-Z1].{10,}[.]", metric.help), metric.name
        assert "|" not in metric.help, metric.name
        for unit in ("seconds", "bytes", "dollars"):
            assert unit not in metric.name or unit in metric.help.lower(), metric.name


async def test_a_metric_without_a_sample_has_the_labels_that_it_will_have() -> None:
    labels = {metric.name: metric.labels for metric in operator_metrics()}

    assert labels["avatar_failures_total"] == ("kind", "namespace", "reason", "retryable")
    assert labels["avatar_last_sweep_timestamp_seconds"] == ("resource",)
    assert labels["avatar_leader"] == ()


@pytest.mark.parametrize("part", ["spec", "status"])
def test_every_field_of_a_runtime_stands_in_its_reference_and_nothing_else(part: str) -> None:
    [version] = yaml.safe_load((REPOSITORY / "crds" / "avatars.dev_avatarruntimes.yaml").read_text())["spec"][
        "versions"
    ]
    fields = set(_fields(version["schema"]["openAPIV3Schema"]["properties"][part]))
    named = [word for row in rows(section(RUNTIMES, part)) for word in code_words(row[0])]
    assert set(named) - fields == set()
    assert {field for field in fields if not _is_told(field, fields, named)} == set()
    assert len(named) == len(set(named))


def _fields(schema: dict[str, Any], prefix: str = "") -> Iterator[str]:
    for name, field in schema.get("properties", {}).items():
        yield f"{prefix}{name}"
        yield from _fields(field, f"{prefix}{name}.")


def _is_told(field: str, fields: set[str], named: list[str]) -> bool:
    """Whether a field is named, or what it is a part of, or every part of it."""
    if any(field == name or field.startswith(f"{name}.") for name in named):
        return True
    parts = {part for part in fields if part.startswith(f"{field}.")}
    return bool(parts) and all(_is_told(part, fields, named) for part in parts)


def test_every_reason_stands_in_a_table_and_every_reason_of_a_table_can_be_given() -> None:
    said = {
        word
        for word in code_words(CONDITIONS.read_text())
        if re.fullmatch(r"[A-Z][a-z]+([A-Z][a-z]+)*", word)
    }
    code = reasons_in_code()
    assert code - said == set(), "not in docs/conditions.md"
    assert said - code - CONDITION_TYPES == set(), "in docs/conditions.md, and never given"


def test_every_right_in_kubernetes_stands_in_the_table_with_a_reason_and_nothing_else_does() -> None:
    told: list[Grant] = []
    for resources, group, verbs, where, why in rows(section(OPERATING, "Permissions in Kubernetes")):
        assert why
        place, _, names = where.partition(", ")
        told += granted(
            [
                {
                    "apiGroups": code_words(group) or [""],
                    "resources": code_words(resources),
                    "verbs": code_words(verbs),
                    "resourceNames": code_words(names),
                }
            ],
            {"the cluster": EVERYWHERE, "its own namespace": "own"}[place],
        )
    assert set(told) == granted_by_the_chart("own")
    assert len(told) == len(set(told))


def test_the_operators_policies_allow_what_it_calls_and_nothing_else() -> None:
    allowed = {action for file in (DOCS / "iam").glob("operator*.json") for action in _actions(file)}
    assert needed_actions() - allowed == set()
    assert allowed - needed_actions() == ONCE_IN_AN_ACCOUNT


def _actions(policy: Path) -> set[str]:
    given = [statement["Action"] for statement in json.loads(policy.read_text())["Statement"]]
    return {action for actions in given for action in ([actions] if isinstance(actions, str) else actions)}


def test_every_placeholder_of_a_policy_is_set_in_the_example() -> None:
    policies = "".join(file.read_text() for file in (DOCS / "iam").glob("*.json"))
    needed = set(re.findall(r"\$\{(\w+)\}", policies))
    assert needed == set(re.findall(r"(A\w+)=", section(OPERATING, "Permissions on AWS")))


def test_every_kind_of_cloud_event_is_named() -> None:
    sources = (REPOSITORY / "operator" / "avatar_operator").rglob("news.py")
    told = {kind for file in sources for kind in re.findall(r'"(dev\.avatars\.[\w.]+)"', file.read_text())}
    named = Counter(code_words(section(USING, "CloudEvents")))
    assert told
    assert {kind for kind in told if named[kind] != 1} == set()
