"""What clients did to the API server, read from its audit log.

The operator promises how seldom it writes; the only witness that cannot be fooled is the API server itself. The
policy records the metadata of every read and write (who, what, how it ended), never contents, so no secret is
written to disk. Only finished requests count: a watch counts when it ends.

Format: https://kubernetes.io/docs/reference/config-api/apiserver-audit.v1/
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

__all__ = ["AUDIT_POLICY", "AuditEvent", "AuditLog", "WrittenObject", "count_writes"]

AUDIT_POLICY: dict[str, Any] = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived", "ResponseStarted"],
    "omitManagedFields": True,
    "rules": [
        {"level": "None", "nonResourceURLs": ["/livez*", "/readyz*", "/healthz*", "/metrics"]},
        # The API server's own loop-back client would be most of the log.
        {"level": "None", "users": ["system:apiserver"]},
        {"level": "Metadata"},
    ],
}

_WRITE_VERBS = frozenset({"create", "update", "patch", "delete", "deletecollection"})


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """One finished request to the API server.

    Empty strings stand for what a request does not have, such as a namespace or a subresource. `code` is the HTTP
    status, `user` for a service account is `system:serviceaccount:NAMESPACE:NAME`.
    """

    time: datetime
    user: str
    user_agent: str
    verb: str
    api_group: str
    resource: str
    subresource: str
    namespace: str
    name: str
    code: int
    request_uri: str

    @property
    def is_write(self) -> bool:
        """Whether it was meant to change something, successful or not."""
        return self.verb in _WRITE_VERBS

    @property
    def succeeded(self) -> bool:
        """Whether the API server did what was asked."""
        return 200 <= self.code < 300

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> AuditEvent:
        """Read an `audit.k8s.io/v1` Event.

        Raises:
            KeyError: a field that every event has is missing.
        """
        target: dict[str, str] = document.get("objectRef") or {}
        return cls(
            time=datetime.fromisoformat(document["stageTimestamp"]),
            user=document["user"]["username"],
            user_agent=document.get("userAgent", ""),
            verb=document["verb"],
            api_group=target.get("apiGroup", ""),
            resource=target.get("resource", ""),
            subresource=target.get("subresource", ""),
            namespace=target.get("namespace", ""),
            name=target.get("name", ""),
            code=int((document.get("responseStatus") or {}).get("code", 0)),
            request_uri=document["requestURI"],
        )


class WrittenObject(NamedTuple):
    """Who wrote to which object, or to which of its subresources."""

    user: str
    api_group: str
    resource: str
    subresource: str
    namespace: str
    name: str


def count_writes(events: Iterable[AuditEvent]) -> Counter[WrittenObject]:
    """Count the writes among `events` by user and object, failed ones included: they cost the server as much."""
    return Counter(
        WrittenObject(
            event.user, event.api_group, event.resource, event.subresource, event.namespace, event.name
        )
        for event in events
        if event.is_write
    )


@dataclass(frozen=True)
class AuditLog:
    """The API server's audit log file, one JSON event a line."""

    path: Path

    def position(self) -> int:
        """Where the log ends now; give it to `events` to read only what comes later."""
        try:
            return self.path.stat().st_size
        except FileNotFoundError:
            return 0

    def events(self, since: int = 0) -> list[AuditEvent]:
        """The events after position `since`, oldest first.

        A last line that is still being written is left for the next call.
        """
        try:
            with self.path.open("rb") as file:
                file.seek(since)
                written = file.read()
        except FileNotFoundError:
            return []
        complete, _newline, _unfinished = written.rpartition(b"\n")
        return [AuditEvent.from_document(json.loads(line)) for line in complete.splitlines()]
