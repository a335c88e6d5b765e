"""Gauges about runtimes."""

from prometheus_client import CollectorRegistry

from avatar_api.avatar_model import AvatarModelStatus
from avatar_api.avatar_runtime import AvatarRuntimeStatus, EndpointStatus, Orphans
from avatar_api.group import AVATAR_MODEL, AVATAR_RUNTIME
from avatar_api.meta import ConditionStatus
from avatar_operator.kube.cache import ObjectCache
from avatar_operator.left_behind.entries import left_by_model, left_by_request
from avatar_operator.runtime_lifecycle.metrics import RuntimeCollector
from builders import model_stages
from builders.clock import NOON
from builders.manifests import merged, model_manifest, runtime_manifest
from builders.objects import a_condition, a_model, a_request, a_runtime


def test_what_was_left_behind_is_counted_over_all_runtimes_and_zero_is_told_too() -> None:
    cache, registry = ObjectCache(), CollectorRegistry()
    registry.register(RuntimeCollector(cache))
    assert registry.get_sample_value("avatar_left_behind", {"kind": "AvatarModel"}) == 0
    entries = [left_by_model(a_runtime(), a_model(), NOON), left_by_request(a_runtime(), a_request(), NOON)]
    for number, left_behind in enumerate((entries, entries[:1])):
        status = AvatarRuntimeStatus(left_behind=left_behind).to_wire()
        metadata = {"uid": f"uid-{number}", "resourceVersion": "1"}
        manifest = runtime_manifest(name=f"runtime-{number}")
        cache.store(AVATAR_RUNTIME, merged(manifest, {"metadata": metadata, "status": status}))

    assert registry.get_sample_value("avatar_left_behind", {"kind": "AvatarModel"}) == 2
    assert registry.get_sample_value("avatar_left_behind", {"kind": "AvatarRequest"}) == 1


def test_instances_idle_time_and_orphans_are_summed_over_all_runtimes() -> None:
    cache, registry = ObjectCache(), CollectorRegistry()
    registry.register(RuntimeCollector(cache))
    for number, instances in enumerate((1, 2)):
        endpoints = [
            EndpointStatus(name="t", role="Training", state="InService", instances=instances),
            EndpointStatus(name="i", role="Inference", state="InService", instances=4),
        ]
        status = AvatarRuntimeStatus(
            endpoints=endpoints,
            idle_seconds=100,
            orphans=Orphans(found=3, removed=1, last_checked_time=NOON),
        )
        metadata = {"uid": f"uid-{number}", "resourceVersion": "1"}
        manifest = runtime_manifest(name=f"runtime-{number}")
        cache.store(AVATAR_RUNTIME, merged(manifest, {"metadata": metadata, "status": status.to_wire()}))

    assert registry.get_sample_value("avatar_endpoint_instances", {"role": "Training"}) == 3
    assert registry.get_sample_value("avatar_endpoint_instances", {"role": "Inference"}) == 8
    assert registry.get_sample_value("avatar_idle_instance_seconds") == 200
    assert registry.get_sample_value("avatar_orphans_found") == 6


def test_attempts_that_no_worker_has_begun_are_the_backlog() -> None:
    cache, registry = ObjectCache(), CollectorRegistry()
    registry.register(RuntimeCollector(cache))
    statuses: list[AvatarModelStatus] = [
        model_stages.waiting(),
        model_stages.planned(),
        model_stages.submitted(),
        model_stages.submitted(attempt=2),
        model_stages.working(since=NOON),
        model_stages.failed(),
        model_stages.hosted(),
    ]
    for number, status in enumerate(statuses):
        metadata = {"name": f"m{number}", "uid": f"uid-{number}", "resourceVersion": "1"}
        cache.store(
            AVATAR_MODEL, merged(model_manifest(), {"metadata": metadata, "status": status.to_wire()})
        )

    assert registry.get_sample_value("avatar_endpoint_backlog") == 2


def test_runtimes_whose_tenants_are_not_apart_are_counted() -> None:
    cache, registry = ObjectCache(), CollectorRegistry()
    registry.register(RuntimeCollector(cache))
    statuses: list[ConditionStatus] = ["True", "False", "False"]
    for number, apart in enumerate(statuses):
        conditions = [a_condition("TenantsApart", apart), a_condition("Ready", "False")]
        status = AvatarRuntimeStatus(conditions=conditions).to_wire()
        metadata = {"uid": f"uid-{number}", "resourceVersion": "1"}
        manifest = runtime_manifest(name=f"runtime-{number}")
        cache.store(AVATAR_RUNTIME, merged(manifest, {"metadata": metadata, "status": status}))

    assert registry.get_sample_value("avatar_runtimes_unsafe") == 2
