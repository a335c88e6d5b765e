"""How many objects there are, as a scrape sees it."""

import itertools

import pytest
from prometheus_client import CollectorRegistry

from avatar_api.group import AVATAR_MODEL, AVATAR_REQUEST, AVATAR_RUNTIME, Kind
from avatar_operator.kube.cache import ObjectCache
from avatar_operator.telemetry.object_counts import ObjectCounts
from builders.manifests import (
    SIMULATED,
    Changes,
    Manifest,
    merged,
    model_manifest,
    request_manifest,
    runtime_manifest,
)


class Counts:
    """The gauge over a cache."""

    def __init__(self) -> None:
        self.cache, self.registry = ObjectCache(), CollectorRegistry()
        self.registry.register(ObjectCounts(self.cache))
        self._uids = itertools.count()

    def add(self, kind: Kind, manifest: Manifest, status: Changes | None = None) -> None:
        metadata = {"uid": f"uid-{next(self._uids)}", "resourceVersion": "1"}
        self.cache.store(kind, merged(manifest, {"metadata": metadata, "status": status}))

    def of(self, kind: Kind, state: str, backend: str) -> float | None:
        labels = {"kind": kind.kind, "state": state, "backend": backend}
        return self.registry.get_sample_value("avatar_objects", labels)

    def in_namespace(self, namespace: str, kind: Kind, state: str) -> float | None:
        labels = {"namespace": namespace, "kind": kind.kind, "state": state}
        return self.registry.get_sample_value("avatar_namespace_objects", labels)


@pytest.fixture
def counts() -> Counts:
    """One runtime is simulated."""
    counts = Counts()
    counts.add(AVATAR_RUNTIME, runtime_manifest(name="standard", spec={"backend": SIMULATED}))
    return counts


def test_a_state_that_no_object_is_in_counts_zero(counts: Counts) -> None:
    for kind, state in ((AVATAR_MODEL, "Packaging"), (AVATAR_REQUEST, "Running"), (AVATAR_RUNTIME, "Failed")):
        assert [counts.of(kind, state, backend) for backend in ("sagemaker", "simulated")] == [0, 0]


def test_models_count_under_the_backend_of_the_runtime_that_they_name(counts: Counts) -> None:
    counts.add(AVATAR_RUNTIME, runtime_manifest(name="aws"))
    for name, runtime, state in (
        ("ann", "aws", "Ready"),
        ("bob", "aws", "Ready"),
        ("eve", "standard", "Failed"),
    ):
        spec = {"runtimeRef": {"name": runtime}}
        counts.add(AVATAR_MODEL, model_manifest(name=name, spec=spec), {"state": state})

    assert counts.of(AVATAR_MODEL, "Ready", "sagemaker") == 2
    assert counts.of(AVATAR_MODEL, "Failed", "simulated") == 1


def test_a_request_counts_where_its_model_is_and_where_it_began_once_it_has_begun(counts: Counts) -> None:
    counts.add(AVATAR_RUNTIME, runtime_manifest(name="aws"))
    counts.add(AVATAR_MODEL, model_manifest(name="ann"))
    counts.add(AVATAR_REQUEST, request_manifest(name="waits"), {"state": "Pending"})
    counts.add(AVATAR_REQUEST, request_manifest(name="draws"), {"state": "Running", "runtimeName": "aws"})

    assert counts.of(AVATAR_REQUEST, "Pending", "simulated") == 1
    assert counts.of(AVATAR_REQUEST, "Running", "sagemaker") == 1


def test_what_has_no_runtime_that_this_version_knows_has_an_unknown_backend(counts: Counts) -> None:
    newer = runtime_manifest(name="newer", spec={"backend": {"sagemaker": None, "kubernetes": {}}})
    counts.add(AVATAR_RUNTIME, newer, {"state": "Failed"})
    counts.add(AVATAR_MODEL, model_manifest(spec={"runtimeRef": {"name": "missing"}}), {"state": "Pending"})
    counts.add(AVATAR_REQUEST, request_manifest(spec={"modelRef": {"name": "nobody"}}), {"state": "Pending"})

    assert counts.of(AVATAR_RUNTIME, "Failed", "unknown") == 1
    assert counts.of(AVATAR_MODEL, "Pending", "unknown") == 1
    assert counts.of(AVATAR_REQUEST, "Pending", "unknown") == 1


def test_what_was_not_looked_at_yet_has_an_unknown_state(counts: Counts) -> None:
    assert counts.of(AVATAR_RUNTIME, "Unknown", "simulated") == 1


def test_objects_count_in_their_namespaces_and_a_namespace_that_has_none_has_no_series(
    counts: Counts,
) -> None:
    for name, namespace, state in (
        ("ann", "team-a", "Ready"),
        ("bob", "team-a", "Ready"),
        ("eve", "team-b", "Failed"),
    ):
        model = merged(model_manifest(name=name), {"metadata": {"namespace": namespace}})
        counts.add(AVATAR_MODEL, model, {"state": state})

    assert counts.in_namespace("team-a", AVATAR_MODEL, "Ready") == 2
    assert counts.in_namespace("team-b", AVATAR_MODEL, "Ready") == 0
    assert counts.in_namespace("team-b", AVATAR_MODEL, "Failed") == 1
    assert counts.in_namespace("team-b", AVATAR_REQUEST, "Pending") is None
