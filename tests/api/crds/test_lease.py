"""The Lease on a real API server: what is written is accepted, and of two that write one is refused."""

from datetime import UTC, datetime

import pytest

from avatar_operator.kube.client import ConflictError, NotFoundError
from avatar_operator.kube.kubernetes_client import KubernetesClient
from avatar_operator.kube.lease import held, new_lease, read_lease, released

NOON = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)


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
