"""The Lease on a real API server: what is written is accepted, of two that write one is refused, and one that is deleted
comes back.
"""

import asyncio
from datetime import UTC, datetime

import pytest
from kubernetes.aio.client import ApiClient

from avatar_operator.core.clock import SystemClock
from avatar_operator.kube.client import ConflictError, NotFoundError
from avatar_operator.kube.election import LEASE_NAME, Elector
from avatar_operator.kube.kubernetes_client import KubernetesClient
from avatar_operator.kube.leadership import Leadership
from avatar_operator.kube.lease import held, new_lease, read_lease, released
from local_cluster.access import Cluster

NOON = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)
LEASE_SECONDS = 6
PATIENCE_SECONDS = 30.0


class Candidate:
    """A replica that has an elector and nothing else."""

    def __init__(self, client: KubernetesClient, namespace: str, name: str) -> None:
        self.leadership = Leadership(LEASE_SECONDS)
        self.elector = Elector(
            client,
            self.leadership,
            SystemClock(),
            namespace=namespace,
            identity=name,
            lease_seconds=LEASE_SECONDS,
            annotations=dict,
        )

    async def lead(self) -> None:
        """Come to lead, and renew."""
        await self.elector.acquire(asyncio.Event())
        await self.elector.hold()


async def test_a_lease_goes_from_hand_to_hand(client: KubernetesClient, namespace: str) -> None:
    with pytest.raises(NotFoundError):
        await client.read_lease(namespace, "l")

    taken = await client.write_lease(held(new_lease(namespace, "l"), "ann", 15, {}, NOON))
    renewed = await client.write_lease(held(taken, "ann", 15, {"avatars.dev/told-avatarmodels": "7"}, NOON))
    let_go = await client.write_lease(released(renewed, {}, NOON))
    await client.write_lease(held(let_go, "bob", 15, {}, NOON))

    lease = await client.read_lease(namespace, "l")
    assert read_lease(lease).holder == "bob"
    assert read_lease(lease).annotations == {"avatars.dev/told-avatarmodels": "7"}
    assert lease["spec"]["leaseTransitions"] == 1
    assert lease["spec"]["renewTime"] == "2026-11-22T12:00:00.000000Z"


async def test_of_two_that_take_a_lease_one_is_refused(client: KubernetesClient, namespace: str) -> None:
    free = await client.write_lease(released(new_lease(namespace, "l"), {}, NOON))
    await client.write_lease(held(free, "ann", 15, {}, NOON))

    with pytest.raises(ConflictError):
        await client.write_lease(held(free, "bob", 15, {}, NOON))


async def test_of_two_that_create_a_lease_one_is_refused(client: KubernetesClient, namespace: str) -> None:
    await client.write_lease(held(new_lease(namespace, "l"), "ann", 15, {}, NOON))

    with pytest.raises(ConflictError):
        await client.write_lease(held(new_lease(namespace, "l"), "bob", 15, {}, NOON))


async def test_a_lease_that_is_deleted_is_made_anew_by_its_leader_and_two_never_lead(
    api_client: ApiClient, installed: Cluster, namespace: str
) -> None:
    looked = asyncio.Event()
    client = KubernetesClient(api_client)
    watched = KubernetesClient(api_client, count_request=lambda verb, kind, code: looked.set())
    first, second = Candidate(client, namespace, "first"), Candidate(watched, namespace, "second")

    async def until_it_is_held(other_than: str) -> str:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                assert not (first.leadership.leads() and second.leadership.leads())
                try:
                    lease = await client.read_lease(namespace, LEASE_NAME)
                except NotFoundError:
                    continue
                if lease["metadata"]["uid"] != other_than:
                    assert read_lease(lease).holder == "first"
                    return str(lease["metadata"]["uid"])

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(first.lead())]
        uid = await until_it_is_held(other_than="")
        tasks.append(group.create_task(second.lead()))
        await looked.wait()
        for _ in range(2):
            await asyncio.to_thread(
                installed.kubectl, "delete", "lease", LEASE_NAME, f"--namespace={namespace}"
            )
            uid = await until_it_is_held(other_than=uid)
            assert first.leadership.leads()
        for task in tasks:
            task.cancel()
