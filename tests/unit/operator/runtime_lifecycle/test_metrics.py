"""Gauges about runtimes."""

from prometheus_client import CollectorRegistry

from avatar_api.avatar_runtime import AvatarRuntimeStatus
from avatar_api.group import AVATAR_RUNTIME
from avatar_operator.kube.cache import ObjectCache
from avatar_operator.left_behind import left_by_model, left_by_request
from avatar_operator.runtime_lifecycle.metrics import RuntimeCollector
from builders.clock import NOON
from builders.manifests import merged, runtime_manifest
from builders.objects import a_model, a_request, a_runtime


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
