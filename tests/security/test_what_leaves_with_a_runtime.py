"""Item 6: a runtime that is deleted waits for whoever owns data that only it can remove, and for nobody else."""

from __future__ import annotations

import pytest

from e2e.flight import Flight, Object, OperatorProcess, eventually
from local_cluster.access import Cluster

LIMITS = {"training": {"maxSteps": 1000}, "inference": {"maxPictures": 6}}
TOO_LONG = {"steps": 1001}


@pytest.fixture
def tenant(flight: Flight, operator: OperatorProcess) -> Flight:
    """A tenant with a ready model, whose runtime takes nothing that is larger than usual."""
    flight.apply(flight.runtime_manifest(limits=LIMITS), flight.model_manifest("ann"))
    flight.wait_for_state("avm", "ann", "Ready")
    return flight


def test_what_a_runtime_refused_does_not_keep_it_from_going(tenant: Flight, cluster: Cluster) -> None:
    stranger = Flight(cluster, f"{tenant.namespace}-d", tenant.aws)
    cluster.create_namespace(stranger.namespace)
    stranger.apply(stranger.model_manifest("eve", runtimeRef={"name": tenant.name}))
    many = [{"prompt": "a photo of sks person", "numImages": 7}]
    tenant.apply(
        tenant.model_manifest("greedy", training=TOO_LONG),
        tenant.model_manifest("faceless", photos={"s3Prefix": f"{tenant.photos_prefix}none/"}),
        tenant.model_manifest("thief", photos={"s3Prefix": f"s3://{tenant.bucket}/photos/other/ann/"}),
        tenant.request_manifest("hopeful", "greedy"),
        tenant.request_manifest("many", "ann", prompts=many),
    )
    refused = [(stranger, "eve"), (tenant, "greedy"), (tenant, "faceless"), (tenant, "thief")]
    for owner, name in refused:
        _wait_until_refused(owner, "avm", name)
    _wait_until_refused(tenant, "avr", "many")
    tenant.wait_for_state("avr", "hopeful", "Pending")
    tenant.delete("avm", "ann")
    tenant.wait_until_gone("avm", "ann")

    tenant.delete("avrt", tenant.name)

    tenant.wait_until_gone("avrt", tenant.name)
    for owner, kind, name in [
        *((owner, "avm", name) for owner, name in refused),
        (tenant, "avr", "many"),
        (tenant, "avr", "hopeful"),
    ]:
        assert owner.get(kind, name) is not None, f"{name} is its owner's to delete"
        owner.delete(kind, name)
        owner.wait_until_gone(kind, name)
    assert tenant.told_about("CleanupImpossible") | stranger.told_about("CleanupImpossible") == set()


def test_what_was_admitted_once_and_is_refused_now_is_waited_for_while_it_owns_a_likeness(
    tenant: Flight,
) -> None:
    tenant.apply(tenant.request_manifest("portraits", "ann"))
    tenant.wait_for_state("avr", "portraits", "Succeeded")
    tenant.apply(tenant.model_manifest("ann", revision=2, training=TOO_LONG))
    _wait_until_refused(tenant, "avm", "ann")

    tenant.delete("avrt", tenant.name)

    _wait_until_in_use(
        tenant, f"1 AvatarModel and 1 AvatarRequest, such as AvatarModel {tenant.namespace}/ann"
    )
    tenant.delete("avm", "ann")
    tenant.wait_until_gone("avm", "ann")
    assert tenant.stored_keys("artifacts/") == []
    _wait_until_in_use(tenant, f"1 AvatarRequest, such as AvatarRequest {tenant.namespace}/portraits")
    assert tenant.stored_keys("outputs/") != []
    tenant.delete("avr", "portraits")
    tenant.wait_until_gone("avr", "portraits")
    assert tenant.stored_keys("outputs/") == []
    tenant.wait_until_gone("avrt", tenant.name)


def _wait_until_refused(owner: Flight, kind: str, name: str) -> None:
    eventually(
        lambda: _condition(owner.get(kind, name), "Accepted"),
        lambda accepted: accepted.get("status") == "False",
        what=f"the refusal of {name}",
    )


def _wait_until_in_use(tenant: Flight, users: str) -> None:
    eventually(
        lambda: _condition(tenant.get("avrt", tenant.name), "Ready"),
        lambda ready: ready.get("reason") == "InUse" and users in ready["message"],
        what=f"a runtime that waits for {users}",
    )


def _condition(body: Object | None, condition_type: str) -> Object:
    conditions = [] if body is None else body.get("status", {}).get("conditions", [])
    return next((found for found in conditions if found["type"] == condition_type), {})
