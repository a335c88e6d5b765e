"""Labels of namespaces, for runtimes that choose their tenants by label. Read when somebody asks, remembered for a moment.

Nothing is watched: most runtimes name their tenants. A label that changes is noticed at the next pass over an object of
that namespace, at the sweep at the latest.
"""

import time
from collections.abc import Callable, Mapping
from typing import Protocol

from avatar_api.avatar_runtime import AvatarRuntime
from avatar_operator.kube.client import NotFoundError

REMEMBERED_SECONDS = 30.0
NO_LABELS: Mapping[str, str] = {}


class LabelReader(Protocol):
    """Reads namespaces."""

    async def read_namespace_labels(self, name: str) -> Mapping[str, str]:
        """The labels of a namespace."""
        ...


class NamespaceLabels:
    """Labels by namespace.

    Args:
        client: reads them.
        monotonic: seconds on a clock that never goes back.
    """

    def __init__(self, client: LabelReader, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._monotonic = monotonic
        self._known: dict[str, tuple[float, Mapping[str, str]]] = {}

    async def wanted_by(self, runtime: AvatarRuntime | None, namespace: str) -> Mapping[str, str]:
        """The labels of a namespace if a runtime wants to know them; else none.

        Raises:
            KubeError: the API server did not answer, or refused.
        """
        if runtime is None or runtime.spec.tenancy.namespace_selector is None:
            return NO_LABELS
        now = self._monotonic()
        self._known = {
            name: known for name, known in self._known.items() if now - known[0] < REMEMBERED_SECONDS
        }
        if namespace not in self._known:
            self._known[namespace] = (now, await self._read(namespace))
        return self._known[namespace][1]

    async def _read(self, namespace: str) -> Mapping[str, str]:
        try:
            return await self._client.read_namespace_labels(namespace)
        except NotFoundError:
            return NO_LABELS
