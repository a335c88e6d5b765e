"""The call log's own logic."""

from __future__ import annotations

from sagemaker_local.calls import CallLog


def log() -> CallLog:
    calls = CallLog()
    for number, (api, inference_id) in enumerate([("A", "x"), ("B", "x"), ("A", "y")]):
        calls.record(
            f"t{number}", api, "1", "us-east-1", {"InferenceId": inference_id, "Seconds": 5}, 200, None
        )
    return calls


def test_calls_are_filtered_by_api_and_parameters_together() -> None:
    found = log().listing({"api": "A", "InferenceId": "x"})["calls"]
    assert [call["time"] for call in found] == ["t0"]


def test_numbers_are_compared_as_text() -> None:
    assert len(log().listing({"Seconds": "5"})["calls"]) == 3


def test_totals_count_every_call_whatever_the_filter() -> None:
    assert log().listing({"api": "none"}) == {"calls": [], "totals": {"A": 2, "B": 1}}


def test_clearing_forgets_calls_but_not_the_sequence() -> None:
    calls = log()
    calls.clear()
    calls.record("t", "C", "1", "us-east-1", {}, 200, None)
    assert [call["sequence"] for call in calls.listing({})["calls"]] == [4]
