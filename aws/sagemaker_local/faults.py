"""Faults on demand.

A client's handling of throttling, lost answers and unreliable notifications can only be tested when these happen at a chosen
moment. A fault is a rule with a budget (`times`): the next so many matching calls or notifications are hit, then it is used up.

    {"kind": "api", "api": "InvokeEndpointAsync", "error": "ThrottlingException", "status": 400, "times": 2}
    {"kind": "api", "api": "InvokeEndpointAsync", "when": "after", "error": "ServiceUnavailable", "status": 503}
    {"kind": "api", "api": "InvokeEndpoint", "error": null, "seconds": 3}
    {"kind": "notification", "action": "drop" | "duplicate" | "delay", "seconds": 2, "topic": "arn:...", "times": 1}

`when: after` carries the call out and loses the answer, which is how duplicate work comes about in real life.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Literal, get_args

MAX_FAULTS = 1_000
MAX_TIMES = 1_000_000
MAX_DELAY_SECONDS = 3_600.0

When = Literal["before", "after"]
Action = Literal["drop", "duplicate", "delay"]


@dataclass
class ApiFault:
    """The next `times` calls of an API are answered with an error, or late.

    Attributes:
        api: an operation's name; `*` and `?` match as in file names.
        error: the error's code; None for no error, when only `seconds` is wanted.
        when: `before` the call is carried out, or `after` (it is carried out and its answer is lost).
        seconds: how long to wait before answering.
    """

    api: str
    error: str | None = "ThrottlingException"
    status: int = 400
    message: str = "Rate exceeded"
    when: When = "before"
    seconds: float = 0.0
    times: int = 1
    kind: Literal["api"] = "api"


@dataclass
class NotificationFault:
    """The next `times` notifications of asynchronous invocations do not arrive as they should."""

    action: Action
    topic: str = "*"
    seconds: float = 0.0
    times: int = 1
    kind: Literal["notification"] = "notification"


@dataclass
class FaultBoard:
    """The rules that are waiting for their calls."""

    _faults: list[ApiFault | NotificationFault] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, description: Mapping[str, Any]) -> None:
        """Add a rule.

        Raises:
            ValueError: with one sentence that says what is wrong with it.
        """
        fault = _read_fault(description)
        with self._lock:
            if len(self._faults) >= MAX_FAULTS:
                raise ValueError(f"at most {MAX_FAULTS} faults can wait at a time")
            self._faults.append(fault)

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()

    def listing(self) -> list[dict[str, Any]]:
        """The rules that have not been used up."""
        with self._lock:
            return [asdict(fault) for fault in self._faults]

    def take_api(self, api: str) -> ApiFault | None:
        """The rule for this call, its budget reduced by one."""
        with self._lock:
            for fault in self._faults:
                if isinstance(fault, ApiFault) and fnmatchcase(api, fault.api):
                    self._use(fault)
                    return fault
        return None

    def take_notification(self, topic: str) -> NotificationFault | None:
        """The rule for a notification to this topic, its budget reduced by one."""
        with self._lock:
            for fault in self._faults:
                if isinstance(fault, NotificationFault) and fnmatchcase(topic, fault.topic):
                    self._use(fault)
                    return fault
        return None

    def _use(self, fault: ApiFault | NotificationFault) -> None:
        fault.times -= 1
        if fault.times <= 0:
            self._faults.remove(fault)


def _read_fault(description: Mapping[str, Any]) -> ApiFault | NotificationFault:
    kinds: dict[str, type[ApiFault] | type[NotificationFault]] = {
        "api": ApiFault,
        "notification": NotificationFault,
    }
    kind = kinds.get(str(description.get("kind")))
    if kind is None:
        raise ValueError(f"a fault's kind must be one of {sorted(kinds)}, not {description.get('kind')!r}")
    try:
        fault = kind(**description)
    except TypeError as error:
        raise ValueError(f"a fault of kind {description['kind']!r}: {error}") from error
    if not isinstance(fault.times, int) or not 1 <= fault.times <= MAX_TIMES:
        raise ValueError(f"times must be a whole number from 1 to {MAX_TIMES}, not {fault.times!r}")
    if not isinstance(fault.seconds, int | float) or not 0 <= fault.seconds <= MAX_DELAY_SECONDS:
        raise ValueError(f"seconds must be from 0 to {MAX_DELAY_SECONDS:g}, not {fault.seconds!r}")
    if isinstance(fault, ApiFault):
        if fault.when not in get_args(When):
            raise ValueError(f"when must be one of {get_args(When)}, not {fault.when!r}")
        if not isinstance(fault.status, int) or not 400 <= fault.status <= 599:
            raise ValueError(f"status must be from 400 to 599, not {fault.status!r}")
    elif fault.action not in get_args(Action):
        raise ValueError(f"action must be one of {get_args(Action)}, not {fault.action!r}")
    return fault
