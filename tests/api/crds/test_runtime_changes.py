"""What of an AvatarRuntime may change while objects live below it, and what never does."""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from builders.api_objects import ApiObjects, Refused
from builders.manifests import SIMULATED, Changes, Manifest, covers, runtime_manifest


def _sagemaker(**changes: Any) -> Changes:
    return {"backend": {"sagemaker": changes}}


@pytest.fixture
def runtime(api: ApiObjects) -> Iterator[Manifest]:
    """A runtime that stands in the API server."""
    manifest = runtime_manifest(name=f"test-{uuid.uuid4().hex[:12]}")
    api.create(manifest)
    yield manifest
    api.delete(manifest)


def test_the_kind_of_backend_never_changes(api: ApiObjects, runtime: Manifest) -> None:
    with pytest.raises(Refused, match=r"spec\.backend cannot change its kind: create another AvatarRuntime"):
        api.change(runtime, {"spec": {"backend": SIMULATED}}, dry_run=True)


IDENTITY: dict[str, tuple[Changes, str]] = {
    "requests": (
        {"storage": {"requests": "s3://elsewhere/"}},
        "spec.storage.requests, artifacts and outputs",
    ),
    "artifacts": (
        {"storage": {"artifacts": "s3://elsewhere/"}},
        "spec.storage.requests, artifacts and outputs",
    ),
    "outputs": ({"storage": {"outputs": "s3://elsewhere/"}}, "spec.storage.requests, artifacts and outputs"),
    "region": (_sagemaker(region="us-east-1"), "spec.backend.sagemaker.region"),
}


@pytest.mark.parametrize(("spec", "what"), IDENTITY.values(), ids=IDENTITY.keys())
def test_where_things_are_never_changes(api: ApiObjects, runtime: Manifest, spec: Changes, what: str) -> None:
    with pytest.raises(Refused, match=rf"{what} (is|are) immutable.*create another AvatarRuntime"):
        api.change(runtime, {"spec": spec}, dry_run=True)


@pytest.mark.parametrize(
    "spec",
    [
        _sagemaker(training={"image": "registry.example/workers:2"}),
        _sagemaker(inference={"instanceCount": 3}),
        {"limits": {"training": {"maxSteps": 50}}},
        {"managementPolicy": "Observe"},
        {"tenancy": {"allowedNamespaces": ["team-a"]}},
        {"baseModel": {"source": "s3://models/other/", "sha256": "c" * 64}},
        _sagemaker(training={"endpointName": "training-2"}),
        {"storage": {"allowed": {"photos": ["s3://elsewhere/{namespace}/"]}}},
        _sagemaker(training={"scaling": {"maxInstances": 3}}),
        {"prices": {"perHour": [{"instanceType": "ml.g5.xlarge", "amount": "1.5"}]}},
    ],
    ids=[
        "image",
        "instances",
        "limits",
        "policy",
        "tenancy",
        "base model",
        "endpoint",
        "allowed locations",
        "scaling",
        "prices",
    ],
)
def test_what_a_runtime_offers_may_change(api: ApiObjects, runtime: Manifest, spec: Changes) -> None:
    assert covers(api.change(runtime, {"spec": spec}, dry_run=True)["spec"], spec)
