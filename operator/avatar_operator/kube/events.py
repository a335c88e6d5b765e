"""Kubernetes Events, told once.

The name of an Event is derived from what it says, so telling it again (after a crash, by a second replica) meets the
first one and changes nothing. That makes Events as repeatable as everything else a reconcile does.
"""

import hashlib
from typing import Any

from avatar_api.group import API_VERSION
from avatar_operator.core.clock import Clock
from avatar_operator.core.conditions import shortened
from avatar_operator.core.decision import Notice
from avatar_operator.kube.client import KubeClient, Object

REPORTING_CONTROLLER = "avatars.dev/avatar-operator"
CLUSTER_EVENTS_NAMESPACE = "default"


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
            "note": shortened(notice.message),
            "regarding": {
                "apiVersion": API_VERSION,
                "kind": body["kind"],
                "name": metadata["name"],
                "namespace": metadata.get("namespace"),
                "uid": metadata["uid"],
                "resourceVersion": metadata["resourceVersion"],
            },
        }
        await self._client.create_event(namespace, event)
