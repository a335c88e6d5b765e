"""The one line that explains why a server is not well."""

from __future__ import annotations

from pathlib import Path

import pytest

from local_cluster.readiness import last_complaint


@pytest.mark.parametrize(
    ("log", "expected"),
    [
        (
            'I1122 16:00:00.1 1 server.go:1] start\nE1122 16:00:00.2 1 run.go:72] "command failed" err="no"\nI1122 bye\n',
            'E1122 16:00:00.2 1 run.go:72] "command failed" err="no"',
        ),
        (
            "2026-11-22T16:00:00.0Z\tinfo\tembed/etcd.go:1\tstarting\n"
            "2026-11-22T16:00:00.1Z\tfatal\tetcdmain/etcd.go:2\tdiscovery failed\n",
            "2026-11-22T16:00:00.1Z fatal etcdmain/etcd.go:2 discovery failed",
        ),
        ("usage of it\nError: unknown flag: --what\n\n", "Error: unknown flag: --what"),
        ("nothing like an error\nlast words\n\n", "last words"),
        ("", "its log is empty"),
    ],
)
def test_the_last_complaint_in_a_log_is_found(tmp_path: Path, log: str, expected: str) -> None:
    path = tmp_path / "server.log"
    path.write_text(log)

    assert last_complaint(path) == expected


def test_a_missing_log_is_said(tmp_path: Path) -> None:
    assert last_complaint(tmp_path / "absent.log") == "it wrote no log"
