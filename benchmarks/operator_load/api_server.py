"""The API server as a crowd of users sees it: many objects made and deleted at once, and a watch over all of them.

kubectl does one request after the other, at a rate that it limits itself; five thousand objects would take minutes each
way, and its own time-outs end it before.
"""

from __future__ import annotations

import base64
import json
import ssl
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import httpx
import yaml

CLIENTS = 8
Object = dict[str, Any]
_GROUP = "/apis/avatars.dev/v1alpha1"


class ApiServer:
    """The API server, as its admin.

    Args:
        kubeconfig: the admin's, with a client certificate.
    """

    def __init__(self, kubeconfig: Path) -> None:
        access = yaml.safe_load(kubeconfig.read_text())
        server, user = access["clusters"][0]["cluster"], access["users"][0]["user"]
        self._client = httpx.Client(
            base_url=server["server"], verify=_tls(server, user), trust_env=False, timeout=60
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def create(self, plural: str, *bodies: Object) -> None:
        """Create objects, some at a time."""
        self._side_by_side(lambda body: self._send("POST", _path(plural, body, ""), body), bodies)

    def delete(self, plural: str, bodies: Sequence[Object]) -> None:
        """Ask for the deletion of objects, some at a time."""
        self._side_by_side(lambda body: self._send("DELETE", _path(plural, body)), bodies)

    def patch_status(self, plural: str, body: Object, status: Object) -> None:
        """Merge into one object's status."""
        answer = self._client.patch(
            f"{_path(plural, body)}/status",
            content=json.dumps({"status": status}),
            headers={"Content-Type": "application/merge-patch+json"},
        )
        answer.raise_for_status()

    def count(self, plural: str) -> int:
        """How many objects of a kind there are."""
        page = self._get(f"{_GROUP}/{plural}", limit="1")
        return len(page["items"]) + int(page["metadata"].get("remainingItemCount", 0))

    def all_in_state(self, plural: str, state: str) -> bool:
        """Whether no object of a kind is in any other state. Cheap: one object at most is sent."""
        return not self._get(f"{_GROUP}/{plural}", limit="1", fieldSelector=f"status.state!={state}")["items"]

    def objects(self, plural: str) -> list[Object]:
        """Every object of a kind."""
        return list(self._get(f"{_GROUP}/{plural}")["items"])

    def lease_holder(self, namespace: str, name: str) -> str:
        """Who holds a Lease; empty if nobody does or there is none."""
        answer = self._client.get(f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases/{name}")
        if answer.status_code == 404:
            return ""
        answer.raise_for_status()
        return str(answer.json()["spec"].get("holderIdentity") or "")

    @contextmanager
    def watched(self, plural: str, seen: Callable[[Object], None]) -> Iterator[None]:
        """Have `seen` called, in a thread, with every version of every object of a kind, from now on."""
        version = self._get(f"{_GROUP}/{plural}", limit="1")["metadata"]["resourceVersion"]
        ended = threading.Event()

        def watch() -> None:
            for event in self._events(plural, version, ended):
                seen(event["object"])

        thread = threading.Thread(target=watch, name=f"watch-{plural}", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join(timeout=30)

    def _events(self, plural: str, version: str, ended: threading.Event) -> Iterator[Object]:
        # The API server ends a watch after the seconds that it is told; short ones let this thread end, too.
        while not ended.is_set():
            parameters = {"watch": "1", "resourceVersion": version, "timeoutSeconds": "5"}
            with self._client.stream("GET", f"{_GROUP}/{plural}", params=parameters) as answer:
                answer.raise_for_status()
                for line in answer.iter_lines():
                    event: Object = json.loads(line)
                    if event["type"] == "ERROR":
                        raise RuntimeError(f"the watch over {plural} broke: {event['object']}")
                    version = event["object"]["metadata"]["resourceVersion"]
                    yield event

    def _get(self, path: str, **parameters: str) -> Object:
        answer = self._client.get(path, params=parameters)
        answer.raise_for_status()
        return dict(answer.json())

    def _send(self, method: str, path: str, body: Object | None = None) -> None:
        self._client.request(method, path, json=body).raise_for_status()

    def _side_by_side(self, call: Callable[[Object], None], bodies: Iterable[Object]) -> None:
        with ThreadPoolExecutor(CLIENTS) as clients:
            list(clients.map(call, bodies))


def _path(plural: str, body: Object, name: str | None = None) -> str:
    """The path of an object, or with an empty name that of the collection that it belongs to."""
    metadata = body["metadata"]
    scope = f"/namespaces/{metadata['namespace']}" if "namespace" in metadata else ""
    return f"{_GROUP}{scope}/{plural}/{metadata['name'] if name is None else name}".rstrip("/")


def _tls(server: Object, user: Object) -> ssl.SSLContext:
    context = ssl.create_default_context(
        cadata=base64.b64decode(server["certificate-authority-data"]).decode()
    )
    with tempfile.NamedTemporaryFile("wb", suffix=".pem") as pair:
        pair.write(
            base64.b64decode(user["client-certificate-data"]) + base64.b64decode(user["client-key-data"])
        )
        pair.flush()
        context.load_cert_chain(pair.name)
    return context
