"""Kubernetes Events, told once.

The name of an Event is derived from the id of what it says, so telling it again (after a crash, by a second replica)
meets the first one and changes nothing.

An Event is never worth more than what it tells about: every part of it is cut to what the API server takes, so that no
name that a user can choose makes an Event that is refused.
"""

from typing import Any

from avatar_api.group import API_VERSION
from avatar_operator.core.clock import Clock
from avatar_operator.core.decision import Notice
from avatar_operator.kube.client import KubeClient, Object

REPORTING_CONTROLLER = "avatars.dev/avatar-operator"
CLUSTER_EVENTS_NAMESPACE = "default"
NAME_LETTERS = 200
NOTE_BYTES = 1024
WORD_LETTERS = 128


class EventRecorder:
    """Writes notices as Events beside the object they are about."""

    def __init__(self, client: KubeClient, clock: Clock, *, instance: str) -> None:
        self._client = client
        self._clock = clock
        self._instance = instance

    async def record(self, body: Object, notice: Notice, *, notice_id: str) -> None:
        """Create the Event, unless it was told before.

        Args:
            body: the object that the notice is about; its kind and metadata are enough.
            notice: what to tell.
            notice_id: the same for the same news, of letters and digits.

        Raises:
            KubeError: the API server did not answer, or refused.
        """
        metadata = body["metadata"]
        namespace = metadata.get("namespace", "") or CLUSTER_EVENTS_NAMESPACE
        # A name that is cut must not end where only letters and digits may.
        name = metadata["name"][:NAME_LETTERS].rstrip("-.")
        event: dict[str, Any] = {
            "metadata": {"name": f"{name}.{notice_id}", "namespace": namespace},
            "eventTime": self._clock.now().strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "reportingController": REPORTING_CONTROLLER,
            "reportingInstance": self._instance[:WORD_LETTERS],
            "action": "Reconcile",
            "type": notice.type,
            "reason": notice.reason[:WORD_LETTERS],
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
        await self._client.create_event(namespace, event)


def _within(limit: int, text: str) -> str:
    """A text cut to a number of bytes in UTF-8, which is what the API server counts, and never inside a letter."""
    encoded = text.encode()
    if len(encoded) <= limit:
        return text
    ellipsis = "…"
    return encoded[: limit - len(ellipsis.encode())].decode(errors="ignore") + ellipsis
