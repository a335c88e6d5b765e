"""How many objects wait for quotas, as a scrape sees it: by kind, and in no label by namespace."""

from prometheus_client import CollectorRegistry

from avatar_api.group import AVATAR_MODEL, AVATAR_REQUEST
from avatar_operator.telemetry.quota_metrics import QuotaCollector


def test_who_waits_is_counted_by_kind() -> None:
    registry = CollectorRegistry()
    registry.register(QuotaCollector({AVATAR_MODEL: lambda: 3, AVATAR_REQUEST: lambda: 0}))

    [family] = registry.collect()

    assert {sample.labels["kind"]: sample.value for sample in family.samples} == {
        "AvatarModel": 3,
        "AvatarRequest": 0,
    }
    assert {name for sample in family.samples for name in sample.labels} == {"kind"}
