"""The lanes of the suite: each path is there, and torch has two of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from side_by_side import CONFORMANCE, LANES, lane_of, turn_of, workers_for

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("path", [*(path for path, _ in LANES), CONFORMANCE])
def test_every_path_of_a_lane_holds_tests(path: str) -> None:
    place = REPOSITORY / path
    assert place.is_file() if path.endswith(".py") else list(place.rglob("test_*.py"))


def test_every_suite_that_imports_torch_is_in_one_of_two_lanes() -> None:
    heavy = [
        path.relative_to(REPOSITORY).as_posix()
        for path in (REPOSITORY / "tests").rglob("*.py")
        if "import torch\n" in path.read_text().splitlines(keepends=True)
    ]
    assert len(heavy) > 10
    assert {lane_of(path) for path in heavy} == {"torch serves", "torch trains"}


@pytest.mark.parametrize(
    "said", ["tests/security", "tests/security/", "./tests/security", "security/../tests/security"]
)
def test_the_security_tests_alone_have_a_worker_for_each_of_their_lanes(said: str) -> None:
    assert workers_for(REPOSITORY, [said], REPOSITORY) == 3
    assert workers_for(REPOSITORY, [str(REPOSITORY / said)], Path("/")) == 3


@pytest.mark.parametrize(
    "said",
    ["tests", "tests/unit", "tests/security/test_web_pages.py", "tests/security/test_web_pages.py::test_one"],
)
def test_other_runs_are_one_process_unless_they_say_more(said: str) -> None:
    assert workers_for(REPOSITORY, [said], REPOSITORY) == 0
    assert workers_for(REPOSITORY, [said, "tests/security"], REPOSITORY) == 0


def test_a_file_without_a_lane_of_its_own_keeps_its_tests_together() -> None:
    assert lane_of("tests/unit/test_docs.py::test_one[a::b]") == "tests/unit/test_docs.py"


def test_the_crashes_are_begun_before_the_lane_that_they_share_and_long_waits_before_small_tests() -> None:
    order = [
        "tests/e2e/test_crashes.py::test_one",
        "tests/api/crds/test_names.py::test_one",
        "tests/e2e/test_tenancy.py::test_one",
        "tests/conformance/test_scaling.py::test_one",
        "tests/unit/test_docs.py::test_one",
    ]
    assert [turn_of(test) for test in order] == sorted({turn_of(test) for test in order})
