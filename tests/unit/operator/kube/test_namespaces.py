"""Labels of namespaces: read when a runtime wants to know them, remembered for a moment."""

from collections.abc import Mapping

from avatar_operator.kube.client import NotFoundError
from avatar_operator.kube.namespaces import NamespaceLabels
from builders.objects import a_runtime

SELECTING = a_runtime(spec={"tenancy": {"namespaceSelector": {}}})


class Cluster:
    """Namespaces and a clock, both in the test's hands."""

    def __init__(self) -> None:
        self.labels: dict[str, Mapping[str, str]] = {"team-a": {"stage": "test"}}
        self.read: list[str] = []
        self.time = 0.0
        self.namespaces = NamespaceLabels(self, monotonic=lambda: self.time)

    async def read_namespace_labels(self, name: str) -> Mapping[str, str]:
        self.read.append(name)
        if name not in self.labels:
            raise NotFoundError("gone", status=404)
        return self.labels[name]


async def test_who_does_not_ask_causes_no_call() -> None:
    cluster = Cluster()

    assert await cluster.namespaces.wanted_by(a_runtime(), "team-a") == {}
    assert await cluster.namespaces.wanted_by(None, "team-a") == {}
    assert cluster.read == []


async def test_labels_are_read_once_in_a_while_for_each_namespace() -> None:
    cluster = Cluster()
    for time in (0.0, 29.0, 30.0):
        cluster.time = time
        assert await cluster.namespaces.wanted_by(SELECTING, "team-a") == {"stage": "test"}

    assert cluster.read == ["team-a", "team-a"]


async def test_a_namespace_that_is_gone_has_no_labels() -> None:
    assert await Cluster().namespaces.wanted_by(SELECTING, "team-z") == {}
