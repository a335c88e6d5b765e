"""Promise 3: a training that fails says so, leaves no artifact, and is tried again only where that can help."""

from __future__ import annotations

import pytest

from e2e.conftest import StartOperator
from e2e.flight import Flight, Object, eventually


@pytest.fixture
def failing_flight(flight: Flight, start_operator: StartOperator) -> Flight:
    """A tenant whose runtime tries twice at most and waits a second in between."""
    start_operator()
    flight.apply(flight.runtime_manifest())
    return flight


def _failed(flight: Flight, token: str) -> Object:
    flight.apply(flight.model_manifest("ann", token=token))
    model = flight.wait_for_state("avm", "ann", "Failed")
    assert "artifact" not in model["status"]
    assert flight.stored_keys("artifacts/") == [] or token == "broken"
    return model


def _told(flight: Flight, model: Object, reason: str) -> str:
    """The condition's message, once condition, last failure and Event agree on the reason."""
    trained = next(c for c in model["status"]["conditions"] if c["type"] == "Trained")
    assert (trained["status"], trained["reason"]) == ("False", reason)
    assert model["status"]["lastFailure"]["reason"] == reason
    assert reason in flight.reasons("ann", until={reason})
    message: str = trained["message"]
    return message


def test_photos_that_cannot_be_used_fail_at_once_with_a_verdict_for_each(failing_flight: Flight) -> None:
    model = _failed(failing_flight, "blurry")
    assert "photos can be used" in _told(failing_flight, model, "TooFewUsablePhotos")
    rejected = model["status"]["photos"]["rejected"]
    assert len(rejected) == 12
    assert all(photo["reason"].startswith("Blurred") for photo in rejected)
    assert model["status"]["training"]["attempt"] == 1


def test_a_worker_that_answers_500_is_tried_again_and_then_given_up(failing_flight: Flight) -> None:
    model = _failed(failing_flight, "oops")
    assert "failed in a way that it should not" in _told(failing_flight, model, "InternalError")
    assert model["status"]["training"]["failures"] == 2
    assert len(failing_flight.submissions(model["metadata"]["uid"])) == 2
    assert "TrainingAttemptFailed" in failing_flight.reasons("ann", until={"TrainingAttemptFailed"})


def test_a_worker_that_is_killed_is_tried_again_and_then_given_up(failing_flight: Flight) -> None:
    model = _failed(failing_flight, "crash")
    assert model["status"]["training"]["failures"] == 2
    assert model["status"]["lastFailure"]["retryable"] is False


def test_an_artifact_that_is_not_what_the_worker_says_is_never_hosted(failing_flight: Flight) -> None:
    model = _failed(failing_flight, "broken")
    assert "not usable" in _told(failing_flight, model, "ArtifactInvalid")


def test_a_configuration_above_the_limits_is_refused_before_it_costs_anything(failing_flight: Flight) -> None:
    failing_flight.apply(failing_flight.model_manifest("ann", training={"steps": 19999}))
    model = failing_flight.wait_for_state("avm", "ann", "Failed")
    accepted = next(c for c in model["status"]["conditions"] if c["type"] == "Accepted")
    assert accepted["reason"] == "LimitExceeded"
    assert "training.steps is 19999, at most 2000" in accepted["message"]
    assert failing_flight.submissions(model["metadata"]["uid"]) == []


def test_another_revision_trains_again_after_a_failure(failing_flight: Flight) -> None:
    _failed(failing_flight, "blurry")
    failing_flight.apply(failing_flight.model_manifest("ann", token="sks", revision=2))
    model = failing_flight.wait_for_state("avm", "ann", "Ready")
    assert model["status"]["artifact"]["revision"] == 2
    assert "lastFailure" not in model["status"]


def test_deleting_a_model_stops_its_training(failing_flight: Flight) -> None:
    failing_flight.apply(failing_flight.model_manifest("ann", token="slow"))
    eventually(
        lambda: failing_flight.get("avm", "ann"),
        lambda body: body is not None and body.get("status", {}).get("state") == "Preparing",
        what="a training under way",
    )
    failing_flight.delete("avm", "ann")
    failing_flight.wait_until_gone("avm", "ann")
    assert failing_flight.stored_keys("artifacts/") == []
    assert failing_flight.stored_keys("requests/") == []
