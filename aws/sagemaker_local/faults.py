"""Faults on demand.

A client's handling of throttling, lost answers, failing storage, dying containers and unreliable notifications can only be
tested when these happen at a chosen moment. A fault is a rule with a budget (`times`): the next so many matching events are hit,
then it is used up. With `every`, only each so-many-th matching event is hit. This module keeps the rules; those who are hit ask
for them.

    {"kind": "api", "api": "InvokeEndpointAsync", "error": "ThrottlingException", "status": 400, "times": 2}
    {"kind": "api", "api": "InvokeEndpointAsync", "when": "after", "error": "ServiceUnavailable", "status": 503}
    {"kind": "api", "api": "InvokeEndpoint", "error": null, "seconds": 3}
    {"kind": "notification", "action": "drop" | "duplicate" | "delay" | "reorder", "seconds": 2, "topic": "arn:...", "times": 1}
    {"kind": "delivery", "action": "drop" | "duplicate" | "delay" | "reorder", "seconds": 2, "queue": "q-*", "body": "*",
        "times": 1}
    {"kind": "s3", "action": "slow" | "missing" | "failing", "bucket": "b", "key": "in/*", "operation": "GetObject", "times": 1}
    {"kind": "instance", "action": "crash" | "hang" | "out_of_memory", "endpoint": "e", "times": 1}

`when: after` carries the call out and loses the answer, which is how duplicate work comes about in real life.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Literal, TypeVar, get_args

MAX_FAULTS = 1_000
MAX_TIMES = 1_000_000
MAX_DELAY_SECONDS = 3_600.0
MAX_PATTERN = 2_048

When = Literal["before", "after"]
Action = Literal["drop", "duplicate", "delay", "reorder"]
S3Action = Literal["slow", "missing", "failing"]
InstanceAction = Literal["crash", "hang", "out_of_memory"]
Caller = Literal["any", "platform", "client"]

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fifo-queues.html
_NEVER_IN_FIFO_QUEUES: tuple[Action, ...] = ("duplicate", "reorder")


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
    every: int = 1
    kind: Literal["api"] = "api"


@dataclass
class NotificationFault:
    """The next `times` notifications of asynchronous invocations do not arrive as they should.

    Attributes:
        inference_id: of the invocations that are told of.
        seconds: how long to `delay`, or to wait at most for the next notification of the topic, which `reorder` sends first.
    """

    action: Action
    topic: str = "*"
    inference_id: str = "*"
    seconds: float = 0.0
    times: int = 1
    every: int = 1
    kind: Literal["notification"] = "notification"


@dataclass
class DeliveryFault:
    """The next `times` messages do not arrive in their SQS queues as they should, whoever sent them: clients, SNS, or S3.

    `duplicate` and `reorder` pass FIFO queues by, which AWS promises to do neither.

    Attributes:
        queue, body: patterns for the queue's name and the message's text.
        seconds: how long to `delay`, or to wait at most for the next message of the queue, which `reorder` puts first.
    """

    action: Action
    queue: str = "*"
    body: str = "*"
    seconds: float = 0.0
    times: int = 1
    every: int = 1
    kind: Literal["delivery"] = "delivery"


@dataclass
class S3Fault:
    """The next `times` requests to S3 are late, find nothing (404 NoSuchKey), or fail (503 SlowDown or 500 InternalError).

    Attributes:
        bucket, key, operation: patterns; an operation is named as in the API, for example `GetObject`.
        caller: whose requests: SageMaker's own (`platform`), those of everybody else, containers included (`client`), or `any`.
        status: of `failing`: 500 or 503.
        seconds: how long to wait before answering.
    """

    action: S3Action
    bucket: str = "*"
    key: str = "*"
    operation: str = "*"
    caller: Caller = "any"
    status: int = 503
    seconds: float = 0.0
    times: int = 1
    every: int = 1
    kind: Literal["s3"] = "s3"


@dataclass
class InstanceFault:
    """The next `times` invocations that a container is given meet a container that breaks.

    `crash` and `out_of_memory` kill it (SIGKILL, exit code 137) when it has received the request, `hang` stops it (SIGSTOP)
    before.

    Attributes:
        endpoint, instance: patterns for the endpoint's name and the instance's id.
        seconds: how long a container hangs; 0 for until it is replaced or the faults are cleared.
    """

    action: InstanceAction
    endpoint: str = "*"
    instance: str = "*"
    seconds: float = 0.0
    times: int = 1
    every: int = 1
    kind: Literal["instance"] = "instance"


Fault = ApiFault | NotificationFault | DeliveryFault | S3Fault | InstanceFault
F = TypeVar("F", ApiFault, NotificationFault, DeliveryFault, S3Fault, InstanceFault)


@dataclass
class FaultBoard:
    """The rules that are waiting for their calls."""

    _faults: list[Fault] = field(default_factory=list)
    _seen: dict[int, int] = field(default_factory=dict)
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
            self._seen.clear()

    def listing(self) -> list[dict[str, Any]]:
        """The rules that have not been used up."""
        with self._lock:
            return [asdict(fault) for fault in self._faults]

    def has(self, kind: type[Fault]) -> bool:
        """Whether any rule of a kind waits. Cheap."""
        return any(isinstance(fault, kind) for fault in list(self._faults))

    def take_api(self, api: str) -> ApiFault | None:
        """The rule for this call, its budget reduced by one."""
        return self._take(ApiFault, lambda fault: fnmatchcase(api, fault.api))

    def take_notification(self, topic: str, inference_id: str = "") -> NotificationFault | None:
        """The rule for a notification to this topic, its budget reduced by one."""
        return self._take(
            NotificationFault,
            lambda fault: fnmatchcase(topic, fault.topic) and fnmatchcase(inference_id, fault.inference_id),
        )

    def take_delivery(self, queue: str, body: str, fifo: bool) -> DeliveryFault | None:
        """The rule for a message that arrives in this queue, its budget reduced by one."""
        return self._take(
            DeliveryFault,
            lambda fault: (
                not (fifo and fault.action in _NEVER_IN_FIFO_QUEUES)
                and fnmatchcase(queue, fault.queue)
                and fnmatchcase(body, fault.body)
            ),
        )

    def take_s3(self, operation: str, bucket: str, key: str, caller: str) -> S3Fault | None:
        """The rule for this request to S3, its budget reduced by one."""
        return self._take(
            S3Fault,
            lambda fault: (
                fnmatchcase(operation, fault.operation)
                and fnmatchcase(bucket, fault.bucket)
                and fnmatchcase(key, fault.key)
                and fault.caller in ("any", caller)
            ),
        )

    def take_instance(self, endpoint: str, instance: str) -> InstanceFault | None:
        """The rule for an invocation on this instance, its budget reduced by one."""
        return self._take(
            InstanceFault,
            lambda fault: fnmatchcase(endpoint, fault.endpoint) and fnmatchcase(instance, fault.instance),
        )

    def _take(self, kind: type[F], matches: Callable[[F], bool]) -> F | None:
        with self._lock:
            for fault in self._faults:
                if not isinstance(fault, kind) or not matches(fault):
                    continue
                seen = self._seen[id(fault)] = self._seen.get(id(fault), 0) + 1
                if seen % fault.every:
                    continue
                fault.times -= 1
                if fault.times <= 0:
                    self._faults.remove(fault)
                    del self._seen[id(fault)]
                return fault
        return None


def _read_fault(description: Mapping[str, Any]) -> Fault:
    kinds: dict[str, type[Fault]] = {
        "api": ApiFault,
        "notification": NotificationFault,
        "delivery": DeliveryFault,
        "s3": S3Fault,
        "instance": InstanceFault,
    }
    kind = kinds.get(str(description.get("kind")))
    if kind is None:
        raise ValueError(f"a fault's kind must be one of {sorted(kinds)}, not {description.get('kind')!r}")
    try:
        fault = kind(**description)
    except TypeError as error:
        raise ValueError(f"a fault of kind {description['kind']!r}: {error}") from error
    for name, value in (("times", fault.times), ("every", fault.every)):
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MAX_TIMES:
            raise ValueError(f"{name} must be a whole number from 1 to {MAX_TIMES}, not {value!r}")
    if not isinstance(fault.seconds, int | float) or not 0 <= fault.seconds <= MAX_DELAY_SECONDS:
        raise ValueError(f"seconds must be from 0 to {MAX_DELAY_SECONDS:g}, not {fault.seconds!r}")
    _require_patterns(fault)
    if isinstance(fault, ApiFault):
        _require_one_of("when", fault.when, get_args(When))
        if not isinstance(fault.status, int) or not 400 <= fault.status <= 599:
            raise ValueError(f"status must be from 400 to 599, not {fault.status!r}")
    elif isinstance(fault, NotificationFault):
        _require_one_of("action", fault.action, get_args(Action))
        if fault.action == "reorder" and not fault.seconds:
            raise ValueError("reorder needs seconds: how long to wait at most for the next notification")
    elif isinstance(fault, DeliveryFault):
        _require_one_of("action", fault.action, get_args(Action))
        if fault.action in ("delay", "reorder") and not fault.seconds:
            raise ValueError(f"{fault.action} needs seconds: how long to hold a message back (at most)")
        if fault.action in _NEVER_IN_FIFO_QUEUES and fault.queue.endswith(".fifo"):
            raise ValueError(f"a FIFO queue promises not to {fault.action}: order it for a standard queue")
    elif isinstance(fault, S3Fault):
        _require_one_of("action", fault.action, get_args(S3Action))
        _require_one_of("caller", fault.caller, get_args(Caller))
        _require_one_of("status", fault.status, (500, 503))
        if fault.action == "slow" and not fault.seconds:
            raise ValueError("slow needs seconds: how long to wait")
    else:
        _require_one_of("action", fault.action, get_args(InstanceAction))
    return fault


def _require_patterns(fault: Fault) -> None:
    for name in (
        "api",
        "topic",
        "inference_id",
        "queue",
        "body",
        "bucket",
        "key",
        "operation",
        "endpoint",
        "instance",
    ):
        value = getattr(fault, name, "*")
        if not isinstance(value, str) or not 1 <= len(value) <= MAX_PATTERN:
            raise ValueError(f"{name} must be a text of 1 to {MAX_PATTERN} characters, not {value!r}")


def _require_one_of(name: str, value: object, allowed: tuple[object, ...]) -> None:
    if value not in allowed:
        raise ValueError(f"{name} must be one of {allowed}, not {value!r}")
