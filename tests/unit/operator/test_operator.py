"""The operator as it is put together: whatever of it writes to the API server asks first whether this process may act."""

import asyncio

from avatar_api.group import AVATAR_MODEL, AVATAR_RUNTIME
from builders import model_stages
from builders.backend import ScriptedBackend, backends_of
from builders.manifests import SIMULATED, model_manifest, runtime_manifest
from builders.whole_operator import LoopClock, Surroundings, in_virtual_time, until


def test_a_process_that_slept_through_its_lease_writes_nothing_when_it_wakes() -> None:
    async def story() -> None:
        around = Surroundings(backends_of(ScriptedBackend()), LoopClock())
        async with around.with_replicas(1) as (replica,):
            around.kube.create(AVATAR_RUNTIME, runtime_manifest(spec={"backend": SIMULATED}))
            around.kube.create(AVATAR_MODEL, model_manifest())
            await until(lambda: "TrainingSubmitted" in around.kube.reasons(), within=10)
            await asyncio.sleep(1)
            registry, awake = replica.registry, replica.leadership.now
            replica.leadership.now = lambda: awake() + 60
            writes, events = around.kube.writes.copy(), around.kube.events.copy()

            around.kube.create(AVATAR_MODEL, model_manifest(name="bob"))
            around.kube.force_status(AVATAR_MODEL, "ann", model_stages.hosted().to_wire())
            await until(lambda: bool(replica.ends), within=10)

            assert (around.kube.writes, around.kube.events) == (writes, events)
            fenced = {"kind": "AvatarModel", "result": "fenced"}
            assert registry.get_sample_value("avatar_reconcile_total", fenced), (
                "passes were begun, and broken off"
            )

    in_virtual_time(story())
