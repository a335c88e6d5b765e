"""What is told at the end."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import cast

from avatar_demo.environment import Environment
from avatar_demo.report import columns, event_rows, kubernetes_event_rows, write_shell_settings
from avatar_demo.settings import DemoSettings
from builders import demo_objects as make


def test_columns_are_aligned_and_have_no_trailing_blanks() -> None:
    assert columns([("a", "long", "x"), ("bbb", "s", "")]) == ["  a    long  x", "  bbb  s"]


def test_an_empty_table_says_so() -> None:
    assert columns([]) == ["  (none)"]


def test_an_event_is_told_with_time_reason_object_and_note() -> None:
    event = {
        "eventTime": "2026-01-01T12:34:56.000000Z",
        "type": "Normal",
        "reason": "ModelReady",
        "regarding": {"kind": "AvatarModel", "name": "ann"},
        "note": "Revision 1 was trained.",
    }
    assert kubernetes_event_rows([event]) == [
        "  12:34:56  Normal  ModelReady  AvatarModel/ann  Revision 1 was trained."
    ]


def test_a_cloud_event_is_told_with_type_subject_and_message() -> None:
    (row,) = event_rows([make.succeeded_event()])
    assert row.split() == [
        "00:00:00",
        "dev.avatars.request.succeeded.v1alpha1",
        "demo/ann-portraits",
        "10",
        "pictures",
    ]


def test_a_shell_that_reads_the_settings_finds_our_tools_before_its_own(tmp_path: Path) -> None:
    for whose in ("ours", "theirs"):
        (tmp_path / whose).mkdir()
        (tmp_path / whose / "kubectl").write_text(f"#!/bin/sh\necho {whose}\n")
        (tmp_path / whose / "kubectl").chmod(0o755)
    cluster = SimpleNamespace(
        admin_kubeconfig=tmp_path / "kubeconfig", kubectl_program=tmp_path / "ours" / "kubectl"
    )
    environment = cast(Environment, SimpleNamespace(cluster=cluster, aws_url="http://127.0.0.1:1"))
    settings = DemoSettings(tmp_path)
    write_shell_settings(settings, environment)
    said = subprocess.run(
        [
            "sh",
            "-c",
            f". {settings.shell_settings}; kubectl; command -v python; echo $KUBECONFIG $AWS_ENDPOINT_URL",
        ],
        env={"PATH": f"{tmp_path / 'theirs'}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    assert said == [
        "ours",
        str(Path(sys.executable).parent / "python"),
        f"{tmp_path}/kubeconfig http://127.0.0.1:1",
    ]
