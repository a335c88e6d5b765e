"""Item 5: nobody may name through one runtime what another one keeps, and nobody is broken by a runtime that comes later."""

from __future__ import annotations

from e2e.conftest import StartOperator
from e2e.flight import Flight, Object, eventually
from local_cluster.access import Cluster


def test_a_runtime_that_comes_later_shows_nobody_what_another_keeps_and_breaks_nothing(
    flight: Flight, cluster: Cluster, start_operator: StartOperator
) -> None:
    start_operator()
    flight.apply(flight.runtime_manifest())
    flight.wait_for_runtime()
    newcomer = Flight(cluster, f"{flight.namespace}-d", flight.aws)
    cluster.create_namespace(newcomer.namespace)
    spec = newcomer.runtime_manifest()["spec"]
    wide = {**spec["storage"]["allowed"], "photos": [f"s3://{flight.bucket}/{{namespace}}/"]}

    newcomer.apply(newcomer.runtime_manifest(storage={**spec["storage"], "allowed": wide}))

    told = _wait_until(newcomer, "Accepted", "RuntimesOverlap")
    assert flight.name in told["message"]
    assert f"s3://{flight.bucket}/requests/" in told["message"]
    assert newcomer.name in _wait_until(flight, "TenantsApart", "RuntimesOverlap")["message"]
    flight.apply(flight.model_manifest("ann"))
    flight.wait_for_state("avm", "ann", "Ready")

    newcomer.apply(newcomer.runtime_manifest())

    newcomer.wait_for_runtime()
    _wait_until(flight, "TenantsApart", "Apart")
    newcomer.delete("avrt", newcomer.name)
    newcomer.wait_until_gone("avrt", newcomer.name)


def _wait_until(owner: Flight, condition: str, reason: str) -> Object:
    return eventually(
        lambda: _condition(owner.get("avrt", owner.name), condition),
        lambda found: found.get("reason") == reason,
        what=f"{condition} {reason} of {owner.name}",
    )


def _condition(body: Object | None, condition_type: str) -> Object:
    conditions = [] if body is None else body.get("status", {}).get("conditions", [])
    return next((found for found in conditions if found["type"] == condition_type), {})
