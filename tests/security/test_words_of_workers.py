"""What a worker quotes of its container reaches no object of the tenant's, and what it says of the photos does."""

from __future__ import annotations

import json

from e2e.conftest import StartOperator
from e2e.flight import Flight
from security.container_secrets import KNOWN_TO_A_CONTAINER


def test_no_object_of_a_tenants_says_what_a_workers_container_knows(
    flight: Flight, start_operator: StartOperator
) -> None:
    operator = start_operator()
    flight.apply(flight.runtime_manifest(), flight.model_manifest("ann", token="gossip"))
    model = flight.wait_for_state("avm", "ann", "Failed")
    flight.reasons("ann", until={"TooFewUsablePhotos"})
    told = flight.told(model["metadata"]["uid"], until={"dev.avatars.model.failed.v1alpha1"})

    read = json.dumps([model, told, flight.events("ann")])
    assert [secret for secret in KNOWN_TO_A_CONTAINER if secret in read] == []
    assert "is blurred; (withheld) and (withheld)" in model["status"]["lastFailure"]["message"]
    rejected = model["status"]["photos"]["rejected"]
    assert [photo["reason"] for photo in rejected] == ["Blurred: is blurred; (withheld) knows why"] * len(
        KNOWN_TO_A_CONTAINER
    )
    log = operator.log.read_text()
    assert [secret for secret in KNOWN_TO_A_CONTAINER if secret not in log] == []
