"""What a snapshot means, in words."""

from __future__ import annotations

from typing import Any

import pytest

from avatar_demo.narration import duration, is_complete, narrate, trouble
from avatar_demo.observation import LandedPicture, Snapshot
from builders import demo_objects as make


def picture(index: int) -> dict[str, Any]:
    uri = f"s3://avatars/outputs/demo/uid-request/{index}.png"
    return {"uri": uri, "promptIndex": 0, "imageIndex": index, "seed": index, "sha256": "0" * 64}


def test_nothing_is_said_about_what_is_not_there() -> None:
    assert narrate(Snapshot()) == ()


def test_endpoints_are_named_with_their_states() -> None:
    endpoints = [
        {"role": "Training", "name": "a", "state": "InService"},
        {"role": "Inference", "name": "b", "state": "Creating"},
    ]
    (line,) = narrate(Snapshot(runtime=make.runtime(state="Provisioning", endpoints=endpoints)))
    assert line.subject == "AvatarRuntime tiny-people"
    assert line.detail == "training endpoint InService, inference endpoint Creating"


def test_a_training_tells_step_total_and_time_left() -> None:
    progress = {"step": 100, "totalSteps": 400, "percent": 25, "estimatedRemainingSeconds": 48}
    training = {"revision": 1, "attempt": 1, "progress": progress}
    (line,) = narrate(Snapshot(model=make.model(state="Training", training=training)))
    assert line.detail == "step 100 of 400, about 48 s left"
    assert line.done == 0.25


def test_a_training_without_progress_yet_shows_no_bar() -> None:
    (line,) = narrate(Snapshot(model=make.model(state="Training")))
    assert (line.detail, line.done) == ("", None)


def test_a_waiting_model_says_what_it_waits_for() -> None:
    ready = make.condition("Ready", "False", "WaitingForRuntime", "No endpoints in service yet.")
    (line,) = narrate(Snapshot(model=make.model(state="Pending", conditions=[ready])))
    assert line.detail == "WaitingForRuntime: No endpoints in service yet."


def test_a_ready_model_tells_what_was_made_of_how_many_photos() -> None:
    status = {
        "state": "Ready",
        "training": {"revision": 1, "attempt": 1, "seconds": 61},
        "photos": {"accepted": 11, "rejected": [{"key": "photos/demo/ann/3.jpg", "reason": "Blurred"}]},
        "artifact": {
            "uri": "s3://avatars/artifacts/a.tar.gz",
            "targetModel": "a.tar.gz",
            "sha256": "0" * 64,
            "sizeBytes": 300 * 1024,
            "baseModel": "base",
            "revision": 1,
        },
    }
    (line,) = narrate(Snapshot(model=make.model(**status)))
    assert line.detail == "trained in 61 s, 11 photos used, 1 rejected, artifact of 300 KiB verified"


def test_a_running_request_counts_the_pictures_that_have_landed() -> None:
    landed = tuple(LandedPicture(f"s3://avatars/{index}.png", b"") for index in range(4))
    line = narrate(Snapshot(request=make.request(state="Running"), pictures=landed))[0]
    assert line.detail == "4 of 10 pictures in S3"
    assert line.done == 0.4


def test_nothing_is_wrong_while_everything_goes_on() -> None:
    snapshot = Snapshot(make.runtime(state="Provisioning"), make.model(state="Pending"), make.request())
    assert trouble(snapshot) is None


def test_a_failed_model_is_the_end() -> None:
    ready = make.condition("Ready", "False", "TooFewUsablePhotos", "3 of 12 photos can be used.")
    problem = trouble(Snapshot(model=make.model(state="Failed", conditions=[ready])))
    assert problem is not None
    assert (problem.subject, problem.reason) == ("AvatarModel demo/ann", "TooFewUsablePhotos")
    assert not problem.may_pass


def test_a_failed_runtime_may_yet_come_up() -> None:
    ready = make.condition("Ready", "False", "Throttled", "slow down")
    problem = trouble(Snapshot(runtime=make.runtime(state="Failed", conditions=[ready])))
    assert problem is not None
    assert problem.may_pass


def test_a_failed_request_is_told_by_its_own_condition() -> None:
    failed = make.condition("Succeeded", "False", "LimitExceeded", "steps is 500, at most 100")
    problem = trouble(Snapshot(request=make.request(state="Failed", conditions=[failed])))
    assert problem is not None
    assert problem.message == "steps is 500, at most 100"


@pytest.mark.parametrize(
    ("state", "landed", "event_uid", "complete"),
    [
        ("Succeeded", 2, "uid-request", True),
        ("Running", 2, "uid-request", False),
        ("Succeeded", 1, "uid-request", False),
        ("Succeeded", 2, "uid-of-an-earlier-run", False),
    ],
)
def test_it_is_complete_when_pictures_and_message_have_arrived(
    state: str, landed: int, event_uid: str, complete: bool
) -> None:
    snapshot = Snapshot(
        request=make.request(state=state, images=[picture(0), picture(1)]),
        pictures=tuple(LandedPicture(f"s3://avatars/{index}.png", b"") for index in range(landed)),
        events=(make.succeeded_event(event_uid),),
    )
    assert is_complete(snapshot) is complete


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "0 s"), (99, "99 s"), (185, "3 min 05 s")])
def test_durations_are_told_for_people(seconds: float, text: str) -> None:
    assert duration(seconds) == text
