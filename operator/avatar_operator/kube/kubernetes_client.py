"""The port to the API server on `kubernetes.aio`.

Status is written by server-side apply with one field manager, and with the uid and resourceVersion that the decision was
made on: a decision on a stale object is refused by the API server (409) instead of overwriting what it never saw. Apply leaves
alone what another manager has written, so what somebody forged is taken away by a merge patch after it. Not by that alone: what a
patch sets belongs to nobody's apply, and a former version could not take it away after a rollback.

Lists come in pages, and each page is decoded by json alone: the official client's own decoding walks every value of
every object in Python, which held the event loop for seconds at some thousand objects. (A thread would not help: json
holds the interpreter's lock while it decodes, so the size of a page is what bounds a pause.)
"""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any, cast

import aiohttp
from kubernetes.aio import client as kubernetes_client
from kubernetes.aio.client.exceptions import ApiException

from avatar_api.group import API_VERSION, GROUP, VERSION, Kind
from avatar_operator.kube.client import ConflictError, ExpiredError, KubeError, NotFoundError, Object, Page
from avatar_operator.kube.merge_patch import merge_patch

FIELD_MANAGER = "avatar-operator"
UNPROCESSABLE = 422
PAGE_SIZE = 100
"""Objects. A page of them is decoded and stored in some ten milliseconds, in which nothing else is done."""
RESTARTS_OF_A_LIST = 3
_LEASES = ("coordination.k8s.io", "v1", "leases")


class KubernetesClient:
    """The port KubeClient on the official client. Use within one event loop; close it at the end."""

    def __init__(
        self,
        api_client: kubernetes_client.ApiClient,
        *,
        count_request: Callable[[str, str, int], None] = lambda verb, kind, code: None,
        request_timeout: float = 30.0,
        page_size: int = PAGE_SIZE,
    ) -> None:
        self._count_request = count_request
        self._api_client = api_client
        self._custom_objects = kubernetes_client.CustomObjectsApi(api_client)
        self._request_timeout = request_timeout
        self._page_size = page_size

    async def aclose(self) -> None:
        """Close the connections."""
        await self._api_client.close()  # type: ignore[no-untyped-call]

    async def list_objects(self, kind: Kind, namespace: str = "") -> AsyncIterator[Page]:
        """Every object of a kind, in one namespace or in all, a page at a time.

        A list that takes too long is begun again, so an object may come twice.

        Args:
            kind: of the objects.
            namespace: where they are; empty for everywhere.
        """
        token, restarts = "", 0
        while True:
            try:
                answer = await self._call("list", kind.kind, self._page(kind, namespace, token))
            except ExpiredError:
                restarts += 1
                if restarts > RESTARTS_OF_A_LIST:
                    raise
                token = ""
                continue
            # Items of a list carry neither apiVersion nor kind.
            objects = [{**item, "apiVersion": API_VERSION, "kind": kind.kind} for item in answer["items"]]
            yield Page(objects, answer["metadata"]["resourceVersion"])
            token = answer["metadata"].get("continue", "")
            if not token:
                return

    async def _page(self, kind: Kind, namespace: str, token: str) -> Object:
        options: dict[str, Any] = {
            "limit": self._page_size,
            "_continue": token or None,
            "_request_timeout": self._request_timeout,
        }
        if namespace:
            response = await self._custom_objects.list_namespaced_custom_object_without_preload_content(
                GROUP, VERSION, namespace, kind.plural, **options
            )
        else:
            response = await self._custom_objects.list_cluster_custom_object_without_preload_content(
                GROUP, VERSION, kind.plural, **options
            )
        return await _decoded(response)

    async def apply_status(self, kind: Kind, observed: Object, status: Mapping[str, Any]) -> Object:
        """Make `status` the object's whole status; refused if the object is not the observed one any more."""
        applied = {"apiVersion": API_VERSION, "kind": kind.kind, "status": status}
        content_type = "application/apply-patch+yaml"
        try:
            written = await self._patch_status(kind, observed, applied, content_type, force=True)
        except KubeError as error:
            # What is left of somebody else's may make the whole invalid.
            if error.status != UNPROCESSABLE:
                raise
            written = observed
        left = merge_patch(written.get("status", {}), status)
        if not left:
            return written
        return await self._patch_status(kind, written, {"status": left}, "application/merge-patch+json")

    async def _patch_status(
        self, kind: Kind, observed: Object, body: Object, content_type: str, **options: Any
    ) -> Object:
        metadata = observed["metadata"]
        identity = {
            key: metadata[key] for key in ("name", "namespace", "uid", "resourceVersion") if key in metadata
        }
        call_options: dict[str, Any] = {
            "field_manager": FIELD_MANAGER,
            "_content_type": content_type,
            "_request_timeout": self._request_timeout,
            **options,
        }
        patch = {**body, "metadata": identity}
        if kind.namespaced:
            call = self._custom_objects.patch_namespaced_custom_object_status(
                GROUP, VERSION, metadata["namespace"], kind.plural, metadata["name"], patch, **call_options
            )
        else:
            call = self._custom_objects.patch_cluster_custom_object_status(
                GROUP, VERSION, kind.plural, metadata["name"], patch, **call_options
            )
        return cast(Object, await self._call("apply_status", kind.kind, call))

    async def set_finalizers(self, kind: Kind, observed: Object, finalizers: Sequence[str]) -> Object:
        """Replace the list of finalizers; refused if the object is not the observed one any more."""
        metadata = observed["metadata"]
        body = {
            "metadata": {
                "uid": metadata["uid"],
                "resourceVersion": metadata["resourceVersion"],
                "finalizers": list(finalizers),
            }
        }
        options: dict[str, Any] = {
            "field_manager": FIELD_MANAGER,
            "_content_type": "application/merge-patch+json",
            "_request_timeout": self._request_timeout,
        }
        if kind.namespaced:
            call = self._custom_objects.patch_namespaced_custom_object(
                GROUP, VERSION, metadata["namespace"], kind.plural, metadata["name"], body, **options
            )
        else:
            call = self._custom_objects.patch_cluster_custom_object(
                GROUP, VERSION, kind.plural, metadata["name"], body, **options
            )
        return cast(Object, await self._call("set_finalizers", kind.kind, call))

    async def delete(self, kind: Kind, observed: Object) -> None:
        """Delete exactly this object. One that is gone already is no error."""
        metadata = observed["metadata"]
        options: dict[str, Any] = {
            "body": kubernetes_client.V1DeleteOptions(
                preconditions=kubernetes_client.V1Preconditions(uid=metadata["uid"]),
                propagation_policy="Background",
            ),
            "_request_timeout": self._request_timeout,
        }
        if kind.namespaced:
            call = self._custom_objects.delete_namespaced_custom_object(
                GROUP, VERSION, metadata["namespace"], kind.plural, metadata["name"], **options
            )
        else:
            call = self._custom_objects.delete_cluster_custom_object(
                GROUP, VERSION, kind.plural, metadata["name"], **options
            )
        try:
            await self._call("delete", kind.kind, call)
        except (NotFoundError, ConflictError):
            # Gone, or another object of the same name by now: either way this one is deleted.
            return

    async def create_event(self, namespace: str, event: Object) -> bool:
        """Create an Event; False if one of that name exists."""
        try:
            await self._call(
                "create",
                "Event",
                # The typed EventsV1Api writes times without their fraction where it is zero, which is refused.
                self._custom_objects.create_namespaced_custom_object(
                    "events.k8s.io", "v1", namespace, "events", event, _request_timeout=self._request_timeout
                ),
            )
        except ConflictError:
            return False
        return True

    async def read_namespace_labels(self, name: str) -> Mapping[str, str]:
        """The labels of a namespace."""
        namespace = await self._call("get", "Namespace", self._namespace(name))
        labels: Mapping[str, str] = namespace["metadata"].get("labels") or {}
        return labels

    async def _namespace(self, name: str) -> Object:
        # CoreV1Api would do the same, and bring along 240 modules: 25 MiB, and a second of every start.
        request = await self._api_client.param_serialize(
            "GET",
            "/api/v1/namespaces/{name}",
            path_params={"name": name},
            header_params={"Accept": "application/json"},
            auth_settings=["BearerToken"],
        )
        return await _decoded(
            await self._api_client.call_api(*request, _request_timeout=self._request_timeout)
        )

    async def read_lease(self, namespace: str, name: str) -> Object:
        """The Lease of a name."""
        group, version, plural = _LEASES
        call = self._custom_objects.get_namespaced_custom_object(
            group, version, namespace, plural, name, _request_timeout=self._request_timeout
        )
        return cast(Object, await self._call("get", "Lease", call))

    async def write_lease(self, lease: Object) -> Object:
        """Replace a Lease that was read, or create one that was not; refused if somebody was faster."""
        metadata = lease["metadata"]
        group, version, plural = _LEASES
        if "resourceVersion" in metadata:
            call = self._custom_objects.replace_namespaced_custom_object(
                group,
                version,
                metadata["namespace"],
                plural,
                metadata["name"],
                lease,
                _request_timeout=self._request_timeout,
            )
            return cast(Object, await self._call("replace", "Lease", call))
        call = self._custom_objects.create_namespaced_custom_object(
            group, version, metadata["namespace"], plural, lease, _request_timeout=self._request_timeout
        )
        return cast(Object, await self._call("create", "Lease", call))

    async def _call(self, verb: str, kind: str, awaitable: Awaitable[Any]) -> Any:
        try:
            answer = await awaitable
        except ApiException as error:
            message = f"{error.status} {error.reason}: {_status_message(error.body)}"
            status = int(error.status or 0)
            self._count_request(verb, kind, status)
            if status == 404:
                raise NotFoundError(message, status=status) from error
            if status == 409:
                raise ConflictError(message, status=status) from error
            if status == 410:
                raise ExpiredError(message, status=status) from error
            raise KubeError(message, status=status) from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            self._count_request(verb, kind, 0)
            raise KubeError(
                f"no answer from the API server: {error or type(error).__name__}", status=0
            ) from error
        self._count_request(verb, kind, 200)
        return answer


async def _decoded(response: Any) -> Object:
    """The answer's JSON.

    Raises:
        ApiException: it is none of success.
    """
    body = await response.read()
    if response.status != 200:
        raise ApiException(status=response.status, reason=response.reason, body=body.decode(errors="replace"))
    return cast(Object, json.loads(body))


def _status_message(body: Any) -> str:
    text = body.decode(errors="replace") if isinstance(body, bytes) else str(body or "")
    try:
        return str(json.loads(text)["message"])
    except (ValueError, KeyError, TypeError):
        return text[:500]
