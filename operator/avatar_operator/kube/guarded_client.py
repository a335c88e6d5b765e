"""The door to the API server, closed to whoever does not lead: another KubeClient, asked only while this process leads.

Reading is free. The Lease is free, too: it is how one comes to lead.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any

from avatar_api.group import Kind
from avatar_operator.kube.client import KubeClient, Object, Page


class GuardedClient:
    """Another client, guarded.

    Args:
        client: does the work.
        check: raises if nothing may be written at this moment.
    """

    def __init__(self, client: KubeClient, check: Callable[[], None]) -> None:
        self._client = client
        self._check = check

    def list_objects(self, kind: Kind, namespace: str = "") -> AsyncIterator[Page]:
        """See KubeClient."""
        return self._client.list_objects(kind, namespace)

    async def apply_status(self, kind: Kind, observed: Object, status: Mapping[str, Any]) -> Object:
        """See KubeClient."""
        self._check()
        return await self._client.apply_status(kind, observed, status)

    async def set_finalizers(self, kind: Kind, observed: Object, finalizers: Sequence[str]) -> Object:
        """See KubeClient."""
        self._check()
        return await self._client.set_finalizers(kind, observed, finalizers)

    async def delete(self, kind: Kind, observed: Object) -> None:
        """See KubeClient."""
        self._check()
        await self._client.delete(kind, observed)

    async def create_event(self, namespace: str, event: Object) -> bool:
        """See KubeClient."""
        self._check()
        return await self._client.create_event(namespace, event)

    async def read_namespace_labels(self, name: str) -> Mapping[str, str]:
        """See KubeClient."""
        return await self._client.read_namespace_labels(name)

    async def read_lease(self, namespace: str, name: str) -> Object:
        """See KubeClient."""
        return await self._client.read_lease(namespace, name)

    async def write_lease(self, lease: Object) -> Object:
        """See KubeClient."""
        return await self._client.write_lease(lease)
