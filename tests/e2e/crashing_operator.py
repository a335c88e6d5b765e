"""The operator, with a trap: it can be told to die at any call it makes to AWS or to the API server.

Started like the operator, with three more variables. AVATAR_TEST_TRACE names a file that gets one line for every call,
as it begins; AVATAR_TEST_TOLD_AWS one that gets, as JSON, what AWS is told in each. AVATAR_TEST_CRASH_ORDER names a file;
while it holds `<call> <occurrence> before|after`, the process kills itself (SIGKILL: no clean-up, no answer) around that
occurrence of that call, counted from when the order was written, and takes the order away first, so that it dies once.

Calls are trapped where they leave the process, below everything that could hide one: botocore's single entry for API
calls, and the one method through which the client reaches the API server. The write of a status is called by the state
that it says, as in `kube:apply_status:AvatarModel:Ready`: how many writes come before it is for the clock to say.
"""

import json
import os
import signal
import threading
from collections import Counter
from collections.abc import Awaitable, Mapping
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from botocore.client import BaseClient

from avatar_api.group import Kind
from avatar_operator.kube.client import Object
from avatar_operator.kube.kubernetes_client import KubernetesClient
from avatar_operator.main import main

POLLING = frozenset({"aws:ReceiveMessage", "aws:DeleteMessageBatch"})
"""Calls that come by the clock, not by what happens."""


class Trap:
    """Watches calls, and dies as ordered."""

    def __init__(self, trace: Path, told_aws: Path, order: Path) -> None:
        self._trace = trace
        self._told_aws = told_aws
        self._order = order
        self._lock = threading.Lock()
        self._seen: Counter[str] = Counter()
        self._stamp = 0

    def begins(self, call: str) -> int:
        """A call is about to be made; its occurrence since the last order is returned."""
        with self._lock:
            with self._trace.open("a") as trace:
                trace.write(f"{call}\n")
            stamp = self._order.stat().st_mtime_ns if self._order.exists() else 0
            if stamp != self._stamp:
                self._stamp = stamp
                self._seen.clear()
            self._seen[call] += 1
            self._die_if_ordered(call, self._seen[call], "before")
            return self._seen[call]

    def tells(self, operation: str, parameters: dict[str, Any]) -> None:
        """AWS is about to be told something."""
        with self._lock, self._told_aws.open("a") as told:
            told.write(json.dumps([operation, parameters], default=str) + "\n")

    def ended(self, call: str, occurrence: int) -> None:
        """The answer to a call is there, and nobody has seen it yet."""
        with self._lock:
            self._die_if_ordered(call, occurrence, "after")

    def _die_if_ordered(self, call: str, occurrence: int, when: str) -> None:
        try:
            order = self._order.read_text().split()
        except FileNotFoundError:
            return
        if order == [call, str(occurrence), when]:
            self._order.unlink()
            os.kill(os.getpid(), signal.SIGKILL)


def set_trap(trap: Trap) -> None:
    """Put the trap around both ways out."""
    aws_client: Any = BaseClient
    kube_client: Any = KubernetesClient
    make_api_call, call_kube = aws_client._make_api_call, kube_client._call
    apply_status, written_state = kube_client.apply_status, ContextVar("written_state", default="")

    def trapped_api_call(client: Any, operation: str, parameters: dict[str, Any]) -> Any:
        call = f"aws:{operation}"
        if call in POLLING:
            return make_api_call(client, operation, parameters)
        trap.tells(operation, parameters)
        occurrence = trap.begins(call)
        answer = make_api_call(client, operation, parameters)
        trap.ended(call, occurrence)
        return answer

    async def trapped_kube_call(
        client: KubernetesClient, verb: str, kind: str, awaitable: Awaitable[Any]
    ) -> Any:
        call = f"kube:{verb}:{kind}" + (f":{written_state.get()}" if verb == "apply_status" else "")
        occurrence = trap.begins(call)
        answer = await call_kube(client, verb, kind, awaitable)
        trap.ended(call, occurrence)
        return answer

    async def named_apply_status(
        client: KubernetesClient, kind: Kind, observed: Object, status: Mapping[str, Any]
    ) -> Object:
        written_state.set(status.get("state", ""))
        answer: Object = await apply_status(client, kind, observed, status)
        return answer

    aws_client._make_api_call = trapped_api_call
    kube_client._call = trapped_kube_call
    kube_client.apply_status = named_apply_status


if __name__ == "__main__":
    files = ("AVATAR_TEST_TRACE", "AVATAR_TEST_TOLD_AWS", "AVATAR_TEST_CRASH_ORDER")
    set_trap(Trap(*(Path(os.environ[name]) for name in files)))
    main()
