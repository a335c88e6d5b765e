"""Kubernetes Events, told once.

The name of an Event is derived from what it says, so telling it again (after a crash, by a second replica) meets the
first one and changes nothing. That makes Events as repeatable as everything else a reconcile does.
"""

import hashlib
from typing import Any

import structlog

from avatar_api.group import API_VERSION
from avatar_operator.core.clock import Clock
from avatar_operator.core.decision import Notice
from avatar_operator.kube.client import KubeClient, KubeError, Object

logger = structlog.get_logger(__name__)

REPORTING_CONTROLLER = "avatars.dev/avatar-operator"
CLUSTER_EVENTS_NAMESPACE = "default"
NOTE_BYTES = 1024


def notice_id(uid: str, occasion: str, notice: Notice) -> str:
    """An id for one notice about one object: the same notice on the same occasion has the same id."""
    text = "\n".join((uid, occasion, notice.type, notice.reason, notice.message))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class EventRecorder:
    """Writes notices as Events beside the object they are about."""

    def __init__(self, client: KubeClient, clock: Clock, *, instance: str) -> None:
        self._client = client
        self._clock = clock
        self._instance = instance

    async def record(self, body: Object, notice: Notice, *, occasion: str) -> None:
        """Create the Event, unless it was told before.

        Args:
            body: the object that the notice is about.
            notice: what to tell.
            occasion: tells repetitions apart that are news (an attempt's number), and is equal for those that are not.

        Raises:
            KubeError: the API server did not answer.
        """
        metadata = body["metadata"]
        namespace = metadata.get("namespace", "") or CLUSTER_EVENTS_NAMESPACE
        event: dict[str, Any] = {
            "metadata": {
                "name": f"{metadata['name'][:200]}.{notice_id(metadata['uid'], occasion, notice)}",
                "namespace": namespace,
            },
            "eventTime": self._clock.now().strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "reportingController": REPORTING_CONTROLLER,
            "reportingInstance": self._instance[:128],
            "action": "Reconcile",
            "type": notice.type,
            "reason": notice.reason,
            "note": _within(NOTE_BYTES, notice.message),
            "regarding": {
                "apiVersion": API_VERSION,
                "kind": body["kind"],
                "name": metadata["name"],
                "namespace": metadata.get("namespace"),
                "uid": metadata["uid"],
                "resourceVersion": metadata["resourceVersion"],
            },
        }
        try:
            await self._client.create_event(namespace, event)
        except KubeError as error:
            if error.status not in (403, 404):
                raise
            # A namespace that is being deleted takes no new Events, and must not wait for ever because of that.
            logger.warning("an Event could not be told", reason=notice.reason, error=str(error))


def _within(limit: int, text: str) -> str:
    """A text cut to a number of bytes in UTF-8, which is what the API server counts, and never inside a letter."""
    encoded = text.encode()
    if len(encoded) <= limit:
        return text
    ellipsis = "…"
    return encoded[: limit - len(ellipsis.encode())].decode(errors="ignore") + ellipsis
