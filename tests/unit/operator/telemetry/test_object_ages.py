"""How long the slowest objects have been under way, as a scrape sees it."""

from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from avatar_api.group import AVATAR_MODEL, AVATAR_REQUEST
from avatar_operator.kube.cache import ObjectCache
from avatar_operator.telemetry.object_ages import ObjectAges
from builders.clock import NOON, FakeClock
from builders.manifests import merged, model_manifest, request_manifest

TRAINING = "avatar_oldest_unfinished_training_seconds"
DELETION = "avatar_oldest_deletion_seconds"


class Ages:
    """The gauges over a cache, five minutes after noon."""

    def __init__(self) -> None:
        self.cache, clock, self.registry = ObjectCache(), FakeClock(), CollectorRegistry()
        clock.advance(300)
        self.registry.register(ObjectAges(self.cache, clock))

    def add_model(self, name: str, **parts: Any) -> None:
        metadata = {"name": name, "uid": name, "resourceVersion": "1", **parts.pop("metadata", {})}
        self.cache.store(AVATAR_MODEL, merged(model_manifest(), {"metadata": metadata, **parts}))

    def of(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(name, labels)


@pytest.fixture
def ages() -> Ages:
    """Nothing is known."""
    return Ages()


def planned(seconds: int, **more: object) -> dict[str, object]:
    """A status with an attempt that was planned so many seconds after noon."""
    time = f"{NOON:%Y-%m-%dT%H:}{seconds // 60:02}:{seconds % 60:02}Z"
    return {"training": {"inferenceId": "avm", "plannedTime": time, **more}}


def test_where_nothing_is_under_way_the_ages_are_zero(ages: Ages) -> None:
    ages.add_model("idle")
    assert ages.of(TRAINING) == 0
    assert [ages.of(DELETION, kind=kind) for kind in ("AvatarModel", "AvatarRequest", "AvatarRuntime")] == [
        0
    ] * 3


def test_the_oldest_unfinished_training_counts(ages: Ages) -> None:
    ages.add_model("younger", status=planned(120))
    ages.add_model("older", status=planned(60))
    ages.add_model("ended", status=planned(1, completionTime="2026-01-01T00:00:00Z"))
    ages.add_model("withdrawn", status={"training": {"plannedTime": "2026-01-01T00:00:00Z"}})
    assert ages.of(TRAINING) == 240


def test_the_oldest_deletion_counts_for_its_own_kind(ages: Ages) -> None:
    ages.add_model("going", metadata={"deletionTimestamp": f"{NOON:%Y-%m-%dT%H:%M:%SZ}"})
    request = {"metadata": {"uid": "r", "resourceVersion": "1"}}
    ages.cache.store(AVATAR_REQUEST, merged(request_manifest(), request))
    assert ages.of(DELETION, kind="AvatarModel") == 300
    assert ages.of(DELETION, kind="AvatarRequest") == 0
