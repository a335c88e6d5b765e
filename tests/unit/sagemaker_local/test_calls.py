"""The call log's own logic."""

from __future__ import annotations

from typing import Any

from sagemaker_local.calls import Call, CallLog


def call(api: str, time: str = "t", carried_out: bool = True, **parameters: Any) -> Call:
    return Call(
        time=time,
        api=api,
        account="1",
        region="us-east-1",
        parameters=parameters,
        carried_out=carried_out,
        status=200,
        error=None,
    )


def log() -> CallLog:
    calls = CallLog()
    for number, (api, inference_id) in enumerate([("A", "x"), ("B", "x"), ("A", "y")]):
        calls.record(call(api, f"t{number}", carried_out=number > 0, InferenceId=inference_id, Seconds=5))
    return calls


def test_calls_are_filtered_by_api_and_parameters_together() -> None:
    found = log().listing({"api": "A", "InferenceId": "x"})["calls"]
    assert [call["time"] for call in found] == ["t0"]


def test_numbers_and_truth_are_compared_as_text() -> None:
    assert len(log().listing({"Seconds": "5", "carried_out": "true"})["calls"]) == 2


def test_totals_count_every_call_whatever_the_filter() -> None:
    assert log().listing({"api": "none"}) == {"calls": [], "totals": {"A": 2, "B": 1}}


def test_clearing_forgets_calls_but_not_the_sequence() -> None:
    calls = log()
    calls.clear()
    calls.record(call("C"))
    assert [call["sequence"] for call in calls.listing({})["calls"]] == [4]
