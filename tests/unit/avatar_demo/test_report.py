"""What is told at the end."""

from __future__ import annotations

from avatar_demo.report import columns, event_rows, kubernetes_event_rows
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
