"""Which tests share a lane when pytest-xdist runs the suite side by side, and which lanes start first.

A lane is run by one worker, one test after another. Two things decide who shares one. What is costly to start and kept for a
session (an API server, a SageMaker, a base model) is started once by each worker that needs it, so whoever uses the same one
shares a lane. And torch fills a core, so all of it has two lanes: more of them would only take the time from tests that wait for
other processes. Every other file is a lane of its own. The longest lanes start first, so that the run does not end with one of
them alone.

The security tests have to be done within two minutes, however they are called. So `pytest tests/security` alone chooses its
workers: one for each of its lanes. Every other run is one process unless `--numprocesses` says otherwise, as a debugger wants it.

`--dist loadgroup` could do the same with marks, but adds the group to the name of each test, and a name in the summary would no
longer be one that pytest can be given.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler.loadscope import LoadScopeScheduling

LANES = (
    ("tests/e2e/test_crashes.py", "a cluster"),
    ("tests/api/", "a cluster"),
    ("tests/node/", "a node"),
    ("tests/e2e/test_likeness.py", "torch serves"),
    ("tests/e2e/test_example_by_hand.py", "torch serves"),
    ("tests/unit/workers_serving/", "torch serves"),
    ("tests/e2e/test_operators_of_some_namespaces.py", "a cluster that operators share"),
    ("tests/e2e/", "another cluster"),
    ("tests/security/test_one_attempt_one_job.py", "a third cluster"),
    ("tests/security/test_runtime_that_went_first.py", "a third cluster"),
    ("tests/security/test_status_is_a_memory.py", "a third cluster"),
    ("tests/security/test_what_leaves_with_a_runtime.py", "a third cluster"),
    ("tests/security/test_any_tenant.py", "a fifth cluster"),
    ("tests/security/test_any_tenant_at_the_api_server.py", "a fifth cluster"),
    ("tests/security/test_containers_of_the_local_aws.py", "a fifth cluster"),
    ("tests/security/test_decoding_of_photos.py", "a fifth cluster"),
    ("tests/security/test_fairness.py", "a fifth cluster"),
    ("tests/security/test_web_pages.py", "a fifth cluster"),
    ("tests/security/test_who_can_connect.py", "a fifth cluster"),
    ("tests/security/", "a fourth cluster"),
    ("tests/unit/workers/", "torch trains"),
    ("tests/unit/tiny_base/", "torch trains"),
    ("tests/chart/test_in_a_cluster.py", "a cluster of Helm's"),
    ("tests/chart/", "Helm alone"),
    ("tests/unit/operator/backends/", "a SageMaker"),
)
"""The lane of every test below a path; the first path that fits counts."""
SECURITY = "tests/security/"
CONFORMANCE = "tests/conformance/"
"""Its files wait more than they work, and come before those that do neither for long."""


def lane_of(nodeid: str) -> str:
    """The lane of a test: one of `LANES`, or its file."""
    return next((lane for path, lane in LANES if nodeid.startswith(path)), nodeid.partition("::")[0])


def turn_of(nodeid: str) -> int:
    """When a test's turn comes: those with a lower number are begun first."""
    paths = [*(path for path, _ in LANES), CONFORMANCE]
    return next((turn for turn, path in enumerate(paths) if nodeid.startswith(path)), len(paths))


def workers_for(repository: Path, arguments: Sequence[str], directory: Path) -> int:
    """How many workers a run has that does not say so: one for each lane of the security tests if it is of them alone, or none.

    Args:
        repository: where `tests` is.
        arguments: what is to be run, as it was said.
        directory: where it was said.
    """
    if {(directory / argument).resolve() for argument in arguments} != {repository / SECURITY}:
        return 0
    return len({lane for path, lane in LANES if path.startswith(SECURITY)})


class LaneScheduling(LoadScopeScheduling):  # type: ignore[misc]  # xdist is untyped
    """Gives the next lane to the worker that is done with its own."""

    def _split_scope(self, nodeid: str) -> str:
        return lane_of(nodeid)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Have the lanes in the order of their turns; without workers, tests run in the order that pytest gives them."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: turn_of(item.nodeid))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LaneScheduling:
    """Replace xdist's own ways to distribute tests."""
    config.option.loadscopereorder = False
    return LaneScheduling(config, log)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Replace xdist's own number, that of the cores."""
    return workers_for(config.rootpath, config.args, config.invocation_params.dir)
