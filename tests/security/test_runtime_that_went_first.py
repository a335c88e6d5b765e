"""A runtime that went first, by force, takes no likeness out of reach: its objects' data go with them all the same."""

from __future__ import annotations

from e2e.flight import Flight, OperatorProcess


def test_what_was_stored_by_a_runtime_that_went_first_goes_with_its_objects(
    flight: Flight, operator: OperatorProcess
) -> None:
    flight.apply(
        flight.runtime_manifest(), flight.model_manifest("ann"), flight.request_manifest("portraits", "ann")
    )
    flight.wait_for_state("avr", "portraits", "Succeeded")
    assert flight.stored_keys("artifacts/") != []
    assert flight.stored_keys("outputs/") != []
    other = flight.runtime_manifest(managementPolicy="Observe")
    other["metadata"]["name"] = f"{flight.name}-other"
    flight.apply(other)

    flight.remove_by_force("avrt", flight.name)
    flight.wait_until_gone("avrt", flight.name)
    for kind, name in (("avr", "portraits"), ("avm", "ann")):
        flight.delete(kind, name)
        flight.wait_until_gone(kind, name)

    assert [key for key in flight.stored_keys() if not key.startswith("photos/")] == []
