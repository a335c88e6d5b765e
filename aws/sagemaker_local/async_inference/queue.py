"""The queue of one asynchronous endpoint.

First in, first out. Whenever a request arrives, an instance has room, or an instance comes into service, the head of the queue
is handed to an instance as long as one has room: nothing polls. A request that has waited longer than its RequestTTLSeconds
fails. The queue survives updates of the endpoint and ends with it; what was queued then is forgotten, as on AWS.

A request whose container dies fails: it is not run again, since it may have had effects. One that its container never received,
because the connection was refused, goes back to its place at the head of the queue, with what is left of its time to live.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from itertools import takewhile

from sagemaker_local.async_inference.execution import execute
from sagemaker_local.async_inference.invocation import Failure, Invocation, Outcome
from sagemaker_local.clock import Clock, Scheduled, Scheduler
from sagemaker_local.control_plane.endpoint import Endpoint
from sagemaker_local.errors import AwsError
from sagemaker_local.instances.container_http import ContainerRefused
from sagemaker_local.instances.instance import Instance
from sagemaker_local.s3_objects import S3Objects

logger = logging.getLogger(__name__)

MAX_QUEUED = 100_000


@dataclass
class _Queued:
    """An invocation and its place in the queue: lower tickets go first.

    Attributes:
        deadline: when it expires, on the monotonic clock.
    """

    ticket: int
    invocation: Invocation
    deadline: float
    expiry: Scheduled


class InvocationQueue:
    """Queue and dispatch for one endpoint.

    Arguments:
        finish: writes the outcome to S3 and notifies; called once per invocation, on a thread of its own.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        objects: S3Objects,
        clock: Clock,
        scheduler: Scheduler,
        finish: Callable[[Invocation, Outcome], None],
    ) -> None:
        self._endpoint = endpoint
        self._objects = objects
        self._clock = clock
        self._scheduler = scheduler
        self._finish = finish
        self._lock = threading.Lock()
        self._waiting: OrderedDict[int, _Queued] = OrderedDict()
        self._ticket = 0
        self._closed = False

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, invocation: Invocation) -> None:
        """Queue an invocation.

        Raises:
            AwsError: ServiceUnavailable when the queue is full.
        """
        with self._lock:
            if len(self._waiting) >= MAX_QUEUED:
                raise AwsError("ServiceUnavailable", f"the queue holds {MAX_QUEUED} requests", 503)
            self._ticket += 1
            ticket = self._ticket
            ttl = self._clock.real(invocation.ttl_seconds)
            expiry = self._scheduler.after(ttl, lambda: self._expire(ticket))
            self._waiting[ticket] = _Queued(ticket, invocation, time.monotonic() + ttl, expiry)
        self.dispatch()

    def dispatch(self) -> None:
        """Hand waiting invocations to instances as long as there is room."""
        while True:
            with self._lock:
                if self._closed or not self._waiting or self._endpoint.spec.asynchronous is None:
                    return
                instance = self._endpoint.acquire_instance(self._endpoint.spec.asynchronous.concurrency)
                if instance is None:
                    return
                queued = self._waiting.popitem(last=False)[1]
                queued.expiry.cancel()
            threading.Thread(
                target=self._run,
                args=(queued, instance),
                name=f"invocation-{queued.invocation.inference_id}",
                daemon=True,
            ).start()

    def close(self) -> None:
        """Forget what is waiting."""
        with self._lock:
            self._closed = True
            for queued in self._waiting.values():
                queued.expiry.cancel()
            self._waiting.clear()

    def _run(self, queued: _Queued, instance: Instance) -> None:
        invocation = queued.invocation
        try:
            outcome = execute(invocation, instance, self._objects, self._clock)
        except ContainerRefused:
            self._put_back(queued)
            return
        except Exception as error:
            logger.exception("invocation %s failed inside sagemaker-local", invocation.inference_id)
            outcome = Failure.without_answer(f"InternalFailure: {error}")
        finally:
            instance.release()
        self._finish(invocation, outcome)

    def _put_back(self, queued: _Queued) -> None:
        """Wait again, behind earlier tickets only."""
        with self._lock:
            if self._closed:
                return
            remaining = max(queued.deadline - time.monotonic(), 0.0)
            queued.expiry = self._scheduler.after(remaining, lambda: self._expire(queued.ticket))
            earlier = list(takewhile(lambda ticket: ticket < queued.ticket, self._waiting))
            self._waiting[queued.ticket] = queued
            for ticket in (queued.ticket, *reversed(earlier)):
                self._waiting.move_to_end(ticket, last=False)

    def _expire(self, ticket: int) -> None:
        with self._lock:
            queued = self._waiting.pop(ticket, None)
        if queued is None:
            return
        invocation = queued.invocation
        reason = f"ClientError: The request expired after {invocation.ttl_seconds} seconds in the queue."
        threading.Thread(
            target=self._finish,
            args=(invocation, Failure.without_answer(reason)),
            name="expired-invocation",
            daemon=True,
        ).start()
