"""A likeness does not outlive its model, whoever takes the model away, and however a worker ends."""

from __future__ import annotations

from datetime import timedelta

from avatar_api.group import AVATAR_MODEL, AVATAR_RUNTIME
from avatar_operator.left_behind.last_removal import LONGEST_ATTEMPT_SECONDS
from builders.clock import NOON
from builders.objects import MODEL_UID
from builders.world import World
from e2e.flight import Flight, Object, OperatorProcess, eventually


def test_a_training_whose_model_lost_its_finalizer_loses_its_claim_and_leaves_nothing(
    flight: Flight, operator: OperatorProcess
) -> None:
    flight.apply(flight.runtime_manifest(), flight.model_manifest("ann", token="slow"))
    uid = flight.wait_for_state("avm", "ann", "Preparing")["metadata"]["uid"]
    own = f"{flight.namespace}/{uid}/"

    _strip_and_delete(flight, operator, "ann")

    # Without a claim its worker stops (`test_claim.py`).
    eventually(lambda: flight.stored_keys(f"requests/{own}"), lambda keys: not keys, what="no claim")
    assert flight.stored_keys(f"artifacts/{own}") == []
    (entry,) = _left_behind(flight)
    assert entry["uid"] == uid, "and is removed once more"
    assert entry["mayGrowUntil"] > entry["since"]


def test_a_finished_likeness_goes_although_its_models_finalizer_was_stripped(
    flight: Flight, operator: OperatorProcess
) -> None:
    kept = flight.model_manifest("bob", deletionPolicy="Retain")
    flight.apply(flight.runtime_manifest(), flight.model_manifest("ann"), kept)
    ann, bob = (
        f"artifacts/{flight.namespace}/{flight.wait_for_state('avm', name, 'Ready')['metadata']['uid']}/"
        for name in ("ann", "bob")
    )

    _strip_and_delete(flight, operator, "ann", "bob")

    eventually(lambda: flight.stored_keys(ann), lambda keys: not keys, what="the end of what ann left")
    eventually(lambda: _left_behind(flight), lambda entries: not entries, what="an end of the removals")
    assert f"{bob}retained.json" in flight.stored_keys(bob), "what was to stay stays"
    assert f"{bob}r1-a1.tar.gz" in flight.stored_keys(bob)


async def test_what_a_worker_uploads_after_the_deletion_is_removed_when_it_cannot_be_alive_any_more() -> None:
    world = World()
    world.add_runtime()
    world.add_model()
    await world.settle(AVATAR_RUNTIME)
    await world.settle(AVATAR_MODEL)
    world.backend.script("claimed_since", *[NOON] * 100)
    world.kube.delete_as_user(AVATAR_MODEL, "ann")
    await world.settle(AVATAR_MODEL)
    world.clock.advance(61)

    for kind in (AVATAR_MODEL, AVATAR_RUNTIME, AVATAR_MODEL):
        await world.settle(kind)
    assert not world.kube.exists(AVATAR_MODEL, "ann")
    world.crash()
    world.clock.advance(LONGEST_ATTEMPT_SECONDS - 60)
    await world.settle(AVATAR_RUNTIME)
    assert world.backend.asked("delete_owned") == [], "nothing is called for before"
    world.clock.advance(60)
    await world.settle(AVATAR_RUNTIME)

    removed = world.backend.asked("delete_owned")
    assert f"s3://models/artifacts/team-a/{MODEL_UID}/" in [owner.location for owner in removed]
    assert len({owner.location for owner in removed}) == len(removed), "once"
    assert world.runtime.status.left_behind == []
    assert world.clock.now() - NOON < timedelta(hours=2)


def _strip_and_delete(flight: Flight, operator: OperatorProcess, *names: str) -> None:
    """So fast that the operator sees it only when there is no deletion to see to any more."""
    operator.freeze()
    for name in names:
        flight.remove_by_force("avm", name)
    operator.thaw()


def _left_behind(flight: Flight) -> list[Object]:
    runtime = flight.get("avrt", flight.name)
    assert runtime is not None
    entries: list[Object] = runtime["status"].get("leftBehind", [])
    return entries
