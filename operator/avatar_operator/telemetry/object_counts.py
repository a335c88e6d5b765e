"""How many objects there are, by kind, by the state that their column shows, and by the backend that serves them; and by namespace.

Computed when scraped, from the cache, so that the numbers cannot drift and nothing is left behind when an object goes. A
state that no object is in counts 0: what comes and goes has no history that a graph could show. Backend and namespace are in two
metrics and not in one, which would have a series for each pair of them. A namespace without objects has no series.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import get_args

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from avatar_api.avatar_model import ModelState
from avatar_api.avatar_request import RequestState
from avatar_api.avatar_runtime import RuntimeState
from avatar_api.group import AVATAR_MODEL, AVATAR_REQUEST, AVATAR_RUNTIME
from avatar_api.runtime_backend import Backend
from avatar_operator.backends.selection import UNKNOWN
from avatar_operator.kube.cache import ObjectCache
from avatar_operator.kube.client import Object
from avatar_operator.kube.lookup import runtime_name_of

STATES = {
    AVATAR_MODEL: get_args(ModelState),
    AVATAR_REQUEST: get_args(RequestState),
    AVATAR_RUNTIME: get_args(RuntimeState),
}
NOT_LOOKED_AT = "Unknown"
"""The state of an object that has no status yet."""


class ObjectCounts(Collector):
    """The number of objects.

    Args:
        cache: the objects.
    """

    def __init__(self, cache: ObjectCache) -> None:
        self._cache = cache

    def describe(self) -> Iterable[Metric]:
        """Nothing: registration must not need a filled cache."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """The gauges, as Prometheus' registry asks for them."""
        yield from (self._by_backend(), self._by_namespace())

    def _by_backend(self) -> Metric:
        objects = GaugeMetricFamily(
            "avatar_objects",
            "Objects, by state and backend; unknown: the runtime is not there, or has a backend that this version does not know.",
            labels=("kind", "state", "backend"),
        )
        backends = {
            body["metadata"]["name"]: _backend_of(body) for body in self._cache.objects(AVATAR_RUNTIME)
        }
        for kind, states in STATES.items():
            counts = {(state, backend): 0 for state in states for backend in Backend.model_fields}
            seen = Counter(
                (
                    body.get("status", {}).get("state", NOT_LOOKED_AT),
                    backends.get(runtime_name_of(self._cache, body), UNKNOWN),
                )
                for body in self._cache.objects(kind)
            )
            for (state, backend), count in {**counts, **seen}.items():
                objects.add_metric((kind.kind, state, backend), count)
        return objects

    def _by_namespace(self) -> Metric:
        objects = GaugeMetricFamily(
            "avatar_namespace_objects",
            "Objects of a namespace, by state; a namespace that has none of a kind has no series of it.",
            labels=("namespace", "kind", "state"),
        )
        for kind in (AVATAR_MODEL, AVATAR_REQUEST):
            seen = Counter(
                (body["metadata"]["namespace"], body.get("status", {}).get("state", NOT_LOOKED_AT))
                for body in self._cache.objects(kind)
            )
            counts = {(namespace, state): 0 for namespace, _ in seen for state in STATES[kind]}
            for (namespace, state), count in {**counts, **seen}.items():
                objects.add_metric((namespace, kind.kind, state), count)
        return objects


def _backend_of(runtime: Object) -> str:
    members = runtime.get("spec", {}).get("backend", {})
    return next((name for name in Backend.model_fields if name in members), UNKNOWN)
