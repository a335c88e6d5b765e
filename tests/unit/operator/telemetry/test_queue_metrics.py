"""How the work queues are doing, as a scrape sees it."""

import asyncio

from prometheus_client import CollectorRegistry

from avatar_api.group import AVATAR_MODEL, AVATAR_REQUEST, AVATAR_RUNTIME, KINDS, Kind
from avatar_operator.core.workqueue import WorkQueue
from avatar_operator.kube.cache import ObjectKey
from avatar_operator.telemetry.queue_metrics import QueueCollector
from builders.virtual_time import VirtualTimeLoop


def test_queues_are_told_of_by_kind() -> None:
    registry = CollectorRegistry()
    queues: dict[Kind, WorkQueue[ObjectKey]] = {
        kind: WorkQueue(party_of=lambda key: key.namespace) for kind in KINDS
    }
    ann, bob = (ObjectKey("AvatarModel", "team-a", name) for name in ("ann", "bob"))

    async def story() -> None:
        registry.register(QueueCollector(queues))
        queue = queues[AVATAR_MODEL]
        queue.add(ann)
        await queue.get()
        await asyncio.sleep(3)
        queue.add(bob)
        await asyncio.sleep(4)
        queue.add_backed_off(ann)

        def value(name: str, kind: Kind = AVATAR_MODEL) -> float | None:
            return registry.get_sample_value(f"avatar_workqueue_{name}", {"kind": kind.kind})

        assert (value("depth"), value("depth", AVATAR_REQUEST)) == (1, 0)
        assert (value("adds_total"), value("adds_total", AVATAR_REQUEST)) == (2, 0)
        assert (value("retries_total"), value("retries_total", AVATAR_RUNTIME)) == (1, 0)
        assert (value("oldest_age_seconds"), value("oldest_age_seconds", AVATAR_REQUEST)) == (4, 0)
        assert (value("namespaces"), value("namespaces", AVATAR_REQUEST)) == (1, 0)
        assert (value("longest_running_seconds"), value("longest_running_seconds", AVATAR_REQUEST)) == (7, 0)

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(story())
