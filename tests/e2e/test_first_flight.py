"""From `kubectl apply` to pictures and back to nothing, through every part but the worker's insides."""

from __future__ import annotations

from e2e.conftest import StartOperator
from e2e.flight import Flight


def test_photos_become_a_ready_model_and_a_request_becomes_pictures(
    flight: Flight, start_operator: StartOperator
) -> None:
    start_operator()
    flight.apply(
        flight.runtime_manifest(), flight.model_manifest("ann"), flight.request_manifest("first", "ann")
    )
    model = flight.wait_for_state("avm", "ann", "Ready")
    request = flight.wait_for_state("avr", "first", "Succeeded")
    assert {condition["type"]: condition["status"] for condition in model["status"]["conditions"]} == {
        "Accepted": "True",
        "Trained": "True",
        "Hosted": "True",
        "Ready": "True",
        "Reconciling": "False",
        "Stalled": "False",
    }
    assert model["status"]["photos"]["accepted"] == 12
    keys = flight.stored_keys("outputs/")
    assert sorted(f"s3://{flight.bucket}/{key}" for key in keys) == sorted(
        image["uri"] for image in request["status"]["images"]
    )
    assert len(keys) == 6
    assert flight.submissions(model["metadata"]["uid"]) == [model["status"]["training"]["inferenceId"]]


def test_the_user_is_told_by_events_and_by_cloud_events(
    flight: Flight, start_operator: StartOperator
) -> None:
    start_operator()
    flight.apply(
        flight.runtime_manifest(), flight.model_manifest("ann"), flight.request_manifest("first", "ann")
    )
    request = flight.wait_for_state("avr", "first", "Succeeded")
    uids = [body["metadata"]["uid"] for body in (flight.wait_for_state("avm", "ann", "Ready"), request)]
    types = {"dev.avatars.model.ready.v1alpha1", "dev.avatars.request.succeeded.v1alpha1"}
    told = {event["type"]: event for event in flight.told(*uids, until=types)}
    assert set(told) == types
    assert told["dev.avatars.model.ready.v1alpha1"]["subject"] == f"{flight.namespace}/ann"
    model_events = {"TrainingSubmitted", "ModelReady"}
    assert flight.reasons("ann", until=model_events) == model_events
    assert flight.reasons("first", until={"PicturesDrawn"}) == {"PicturesDrawn"}


def test_deletion_leaves_nothing_behind(flight: Flight, start_operator: StartOperator) -> None:
    start_operator()
    flight.apply(
        flight.runtime_manifest(), flight.model_manifest("ann"), flight.request_manifest("first", "ann")
    )
    flight.wait_for_state("avr", "first", "Succeeded")
    for kind, name in (("avr", "first"), ("avm", "ann"), ("avrt", flight.name)):
        flight.delete(kind, name)
        flight.wait_until_gone(kind, name)
    assert [key for key in flight.stored_keys() if not key.startswith("photos/")] == []
    assert flight.aws.client("sagemaker").list_endpoints(NameContains=flight.name)["Endpoints"] == []
