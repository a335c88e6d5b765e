"""Objects as the API server has them, read over one connection.

A test that waits looks ten times a second. Each look through kubectl would be a process that works as hard as the operator that
is waited for.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kubernetes import client, config
from kubernetes.client.exceptions import ApiException

from avatar_api.group import AVATAR_MODEL, AVATAR_REQUEST, AVATAR_RUNTIME, GROUP, KINDS, VERSION
from local_cluster.access import Cluster

Object = dict[str, Any]
NOT_FOUND = 404
WITHOUT_FINALIZERS = {"metadata": {"finalizers": None}}
MERGE_PATCH = "application/merge-patch+json"


class LiveObjects:
    """Reads and removes as the cluster's admin."""

    def __init__(self, cluster: Cluster) -> None:
        self._client = config.new_client_from_config(  # type: ignore[no-untyped-call]
            config_file=str(cluster.admin_kubeconfig)
        )
        self._objects: Any = client.CustomObjectsApi(self._client)

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def find(self, short_name: str, namespace: str, name: str) -> Object | None:
        """The object of one of our kinds, or None; a runtime has no namespace, whatever is given."""
        kind = next(kind for kind in KINDS if kind.short_name == short_name)
        found: Object | None = None
        with _unless_gone():
            if kind.namespaced:
                found = self._objects.get_namespaced_custom_object(
                    GROUP, VERSION, namespace, kind.plural, name
                )
            else:
                found = self._objects.get_cluster_custom_object(GROUP, VERSION, kind.plural, name)
        return found

    def events(self, namespace: str) -> list[Object]:
        """Every Event of a namespace."""
        events: list[Object] = self._objects.list_namespaced_custom_object(
            "events.k8s.io", "v1", namespace, "events"
        )["items"]
        return events

    def remove_by_force(self, short_name: str, namespace: str, name: str) -> None:
        """Delete an object and strip its finalizers, in an instant: what a person in a hurry does, or a restored backup."""
        kind = next(kind for kind in KINDS if kind.short_name == short_name)
        where = (GROUP, VERSION, *((namespace,) if kind.namespaced else ()), kind.plural, name)
        scope = "namespaced" if kind.namespaced else "cluster"
        getattr(self._objects, f"delete_{scope}_custom_object")(*where)
        with _unless_gone():
            strip = getattr(self._objects, f"patch_{scope}_custom_object")
            strip(*where, WITHOUT_FINALIZERS, _content_type=MERGE_PATCH)

    def remove_all(self) -> None:
        """Take every object of our kinds away, whatever its finalizers say."""
        for kind in (AVATAR_REQUEST, AVATAR_MODEL, AVATAR_RUNTIME):
            for item in self._objects.list_cluster_custom_object(GROUP, VERSION, kind.plural)["items"]:
                metadata = item["metadata"]
                with _unless_gone():
                    self._remove(kind.plural, metadata.get("namespace"), metadata["name"])

    def _remove(self, plural: str, namespace: str | None, name: str) -> None:
        merged = {"_content_type": MERGE_PATCH}
        if namespace is None:
            place = (GROUP, VERSION, plural, name)
            self._objects.patch_cluster_custom_object(*place, WITHOUT_FINALIZERS, **merged)
            self._objects.delete_cluster_custom_object(*place)
        else:
            placed = (GROUP, VERSION, namespace, plural, name)
            self._objects.patch_namespaced_custom_object(*placed, WITHOUT_FINALIZERS, **merged)
            self._objects.delete_namespaced_custom_object(*placed)


@contextmanager
def _unless_gone() -> Iterator[None]:
    try:
        yield
    except ApiException as error:
        if error.status != NOT_FOUND:
            raise
