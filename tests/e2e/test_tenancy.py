"""Promise 6: tenants are apart."""

from __future__ import annotations

import pytest

from e2e.conftest import StartOperator
from e2e.flight import Flight, Object
from local_cluster.access import Cluster


@pytest.fixture
def tenant(flight: Flight, start_operator: StartOperator) -> Flight:
    """A tenant with a ready model."""
    start_operator()
    flight.apply(flight.runtime_manifest(), flight.model_manifest("ann"))
    flight.wait_for_state("avm", "ann", "Ready")
    return flight


def _condition(body: Object, condition_type: str) -> Object:
    found: Object = next(c for c in body["status"]["conditions"] if c["type"] == condition_type)
    return found


def test_a_request_does_not_reach_a_model_of_another_namespace(tenant: Flight, cluster: Cluster) -> None:
    neighbour = Flight(cluster, f"{tenant.namespace}-b", tenant.aws)
    cluster.create_namespace(neighbour.namespace)
    neighbour.apply(neighbour.request_manifest("theft", "ann"))
    request = neighbour.wait_for_state("avr", "theft", "Pending")
    resolved = _condition(request, "ModelResolved")
    assert (resolved["status"], resolved["reason"]) == ("False", "ModelNotFound")
    assert "reaches only models in its own namespace" in resolved["message"]


def test_a_namespace_that_the_runtime_does_not_admit_is_refused(tenant: Flight, cluster: Cluster) -> None:
    stranger = Flight(cluster, f"{tenant.namespace}-c", tenant.aws)
    cluster.create_namespace(stranger.namespace)
    stranger.apply(stranger.model_manifest("eve", runtimeRef={"name": tenant.name}))
    model = stranger.wait_for_state("avm", "eve", "Failed")
    assert _condition(model, "Accepted")["reason"] == "NamespaceNotAllowed"


def test_photos_outside_the_allowed_prefixes_are_refused(tenant: Flight) -> None:
    elsewhere = f"s3://{tenant.bucket}/photos/somebody-else/ann/"
    tenant.apply(tenant.model_manifest("thief", photos={"s3Prefix": elsewhere}))
    model = tenant.wait_for_state("avm", "thief", "Failed")
    accepted = _condition(model, "Accepted")
    assert accepted["reason"] == "PhotosNotAllowed"
    assert elsewhere in accepted["message"]
    assert tenant.submissions(model["metadata"]["uid"]) == []


def test_outputs_outside_the_allowed_prefixes_are_refused(tenant: Flight) -> None:
    elsewhere = f"s3://{tenant.bucket}/shared/somebody-else/"
    tenant.apply(tenant.request_manifest("leak", "ann", output={"prefix": elsewhere}))
    request = tenant.wait_for_state("avr", "leak", "Failed")
    assert _condition(request, "Succeeded")["reason"] == "OutputNotAllowed"
    assert tenant.stored_keys("shared/") == []


def test_outputs_inside_the_allowed_prefixes_are_drawn_there(tenant: Flight) -> None:
    own = f"s3://{tenant.bucket}/shared/{tenant.namespace}/"
    tenant.apply(tenant.request_manifest("own", "ann", output={"prefix": own}))
    request = tenant.wait_for_state("avr", "own", "Succeeded")
    assert all(image["uri"].startswith(own) for image in request["status"]["images"])


def test_the_operator_may_do_no_more_than_its_role_says(tenant: Flight, cluster: Cluster) -> None:
    account = "system:serviceaccount:avatar-system:avatar-operator"
    listing = cluster.kubectl("auth", "can-i", "--list", f"--as={account}", "--no-headers")
    granted = {line.split()[0] for line in listing.splitlines() if line and not line.startswith(" ")}
    ours = {resource for resource in granted if "avatars.dev" in resource}
    assert ours == {
        f"avatar{kind}.avatars.dev{part}"
        for kind in ("models", "requests", "runtimes")
        for part in ("", "/status")
    }
    assert not {"secrets", "pods", "configmaps", "*.*"} & granted
