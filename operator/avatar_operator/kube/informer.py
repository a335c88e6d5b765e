"""kopf as the informer: it watches our kinds and calls one function with whatever it sees. Nothing more.

kopf's create, update and delete handlers, its timers and its indexes are not used: they keep progress in annotations
(two writes per retry), pin a task per object, or take quadratic time at start. `on.event` writes nothing and costs half
a millisecond. The measurements are in docs/decisions/0002-kopf-as-informer.md.

Watches are given explicit time-outs: a watch that died silently is the oldest complaint about kopf operators.
"""

import asyncio
import time
from collections.abc import Mapping
from typing import Any, Protocol

import kopf

from avatar_api.group import GROUP, KINDS, VERSION, Kind
from avatar_operator.kube.client import Object


class Seen(Protocol):
    """Called with every object the watch shows; `deleted` if it was the last sight of it."""

    def __call__(self, kind: Kind, body: Object, *, deleted: bool) -> None: ...


class Informer:
    """Watches our kinds for ever."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen
        self._last_event: dict[str, float] = {}
        self._watching = asyncio.Event()

    def event_ages(self) -> Mapping[str, float]:
        """Seconds since each kind's watch last showed an object."""
        now = time.monotonic()
        return {plural: now - last for plural, last in self._last_event.items()}

    async def wait_until_watching(self) -> None:
        """Wait until kopf's operator is up."""
        await self._watching.wait()

    async def run(self) -> None:
        """Watch until cancelled."""
        await kopf.operator(
            registry=self._registry(),
            settings=_settings(),
            clusterwide=True,
            standalone=True,
            ready_flag=self._watching,
        )

    def _registry(self) -> kopf.OperatorRegistry:
        registry = kopf.OperatorRegistry()

        @kopf.on.login(registry=registry)
        def log_in(**kwargs: Any) -> kopf.ConnectionInfo | None:
            return kopf.login_with_service_account(**kwargs) or kopf.login_with_kubeconfig(**kwargs)

        for kind in KINDS:
            self._watch(registry, kind)
        return registry

    def _watch(self, registry: kopf.OperatorRegistry, kind: Kind) -> None:
        @kopf.on.event(GROUP, VERSION, kind.plural, registry=registry, id=f"seen-{kind.plural}")
        async def see(event: kopf.RawEvent, **_: Any) -> None:
            self._last_event[kind.plural] = time.monotonic()
            self._seen(kind, dict(event["object"]), deleted=event["type"] == "DELETED")


def _settings() -> kopf.OperatorSettings:
    settings = kopf.OperatorSettings()
    settings.posting.enabled = False
    settings.scanning.disabled = True
    settings.watching.server_timeout = 270
    settings.watching.client_timeout = 300
    settings.watching.connect_timeout = 10
    settings.watching.reconnect_backoff = 1
    settings.networking.request_timeout = 30
    settings.networking.connect_timeout = 5
    settings.queueing.idle_timeout = 2
    return settings
