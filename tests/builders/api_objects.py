"""Objects in a real API server, handled as a cluster's admin would: for tests of what the server itself promises."""

import json
from collections.abc import Callable
from typing import Any, cast

from kubernetes import client, config
from kubernetes.client.exceptions import ApiException

from avatar_api.group import GROUP, KINDS, VERSION, Kind
from builders.manifests import Changes, Manifest
from local_cluster.access import Cluster

MERGE_PATCH = "application/merge-patch+json"


class Refused(Exception):
    """The API server said no; the text is its own."""


class ApiObjects:
    """Creates, changes and reads objects of our kinds. `dry_run` asks the server everything, and stores nothing."""

    def __init__(self, cluster: Cluster) -> None:
        self._client = config.new_client_from_config(  # type: ignore[no-untyped-call]
            config_file=str(cluster.admin_kubeconfig)
        )
        self._custom = client.CustomObjectsApi(self._client)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def create(self, manifest: Manifest, *, dry_run: bool = False) -> Manifest:
        """Create an object."""
        kind, namespace, _ = _place(manifest)
        options: dict[str, Any] = {"dry_run": "All"} if dry_run else {}
        if kind.namespaced:
            return self._call(
                self._custom.create_namespaced_custom_object,
                GROUP,
                VERSION,
                namespace,
                kind.plural,
                manifest,
                **options,
            )
        return self._call(
            self._custom.create_cluster_custom_object, GROUP, VERSION, kind.plural, manifest, **options
        )

    def change(self, manifest: Manifest, changes: Changes, *, dry_run: bool = False) -> Manifest:
        """Merge changes into an object; None takes a field away (RFC 7386)."""
        kind, namespace, name = _place(manifest)
        options: dict[str, Any] = {"_content_type": MERGE_PATCH} | ({"dry_run": "All"} if dry_run else {})
        if kind.namespaced:
            return self._call(
                self._custom.patch_namespaced_custom_object,
                GROUP,
                VERSION,
                namespace,
                kind.plural,
                name,
                changes,
                **options,
            )
        return self._call(
            self._custom.patch_cluster_custom_object, GROUP, VERSION, kind.plural, name, changes, **options
        )

    def change_status(self, manifest: Manifest, status: Changes) -> Manifest:
        """Merge changes into an object's status, through the status subresource."""
        kind, namespace, name = _place(manifest)
        body, options = {"status": status}, {"_content_type": MERGE_PATCH}
        if kind.namespaced:
            return self._call(
                self._custom.patch_namespaced_custom_object_status,
                GROUP,
                VERSION,
                namespace,
                kind.plural,
                name,
                body,
                **options,
            )
        return self._call(
            self._custom.patch_cluster_custom_object_status,
            GROUP,
            VERSION,
            kind.plural,
            name,
            body,
            **options,
        )

    def read(self, manifest: Manifest) -> Manifest:
        """The object as it stands."""
        kind, namespace, name = _place(manifest)
        if kind.namespaced:
            return self._call(
                self._custom.get_namespaced_custom_object, GROUP, VERSION, namespace, kind.plural, name
            )
        return self._call(self._custom.get_cluster_custom_object, GROUP, VERSION, kind.plural, name)

    def delete(self, manifest: Manifest) -> None:
        """Ask for the object's deletion."""
        kind, namespace, name = _place(manifest)
        if kind.namespaced:
            self._call(
                self._custom.delete_namespaced_custom_object, GROUP, VERSION, namespace, kind.plural, name
            )
        else:
            self._call(self._custom.delete_cluster_custom_object, GROUP, VERSION, kind.plural, name)

    @staticmethod
    def _call(call: Callable[..., Any], *arguments: Any, **options: Any) -> Manifest:
        try:
            return cast(Manifest, call(*arguments, **options))
        except ApiException as error:
            raise Refused(_message(error)) from error


def _place(manifest: Manifest) -> tuple[Kind, str, str]:
    kind = next(kind for kind in KINDS if kind.kind == manifest["kind"])
    return kind, manifest["metadata"].get("namespace", ""), manifest["metadata"]["name"]


def _message(error: ApiException) -> str:
    try:
        return str(json.loads(error.body or "")["message"])
    except (ValueError, KeyError, TypeError):
        return f"{error.status} {error.reason}"
