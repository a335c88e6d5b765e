"""The queue of one asynchronous endpoint.

First in, first out. Whenever a request arrives, an instance has room, or an instance comes into service, the head of the queue
is handed to an instance as long as one has room: nothing polls. A request that has waited longer than its RequestTTLSeconds
fails. The queue survives updates of the endpoint and ends with it; what was queued then is forgotten, as on AWS.

A request whose container dies fails: it is not run again, since it may have had effects.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable

from sagemaker_local.async_inference.execution import execute
from sagemaker_local.async_inference.invocation import Failure, Invocation, Outcome
from sagemaker_local.clock import Clock, Scheduled, Scheduler
from sagemaker_local.control_plane.endpoint import Endpoint
from sagemaker_local.errors import AwsError
from sagemaker_local.instances.instance import Instance
from sagemaker_local.s3_objects import S3Objects

logger = logging.getLogger(__name__)

MAX_QUEUED = 100_000


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
        self._waiting: OrderedDict[int, tuple[Invocation, Scheduled]] = OrderedDict()
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
            expiry = self._scheduler.after(
                self._clock.real(invocation.ttl_seconds), lambda: self._expire(ticket)
            )
            self._waiting[ticket] = (invocation, expiry)
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
                invocation, expiry = self._waiting.popitem(last=False)[1]
                expiry.cancel()
            threading.Thread(
                target=self._run,
                args=(invocation, instance),
                name=f"invocation-{invocation.inference_id}",
                daemon=True,
            ).start()

    def close(self) -> None:
        """Forget what is waiting."""
        with self._lock:
            self._closed = True
            for _, expiry in self._waiting.values():
                expiry.cancel()
            self._waiting.clear()

    def _run(self, invocation: Invocation, instance: Instance) -> None:
        try:
            outcome = execute(invocation, instance, self._objects, self._clock)
        except Exception as error:
            logger.exception("invocation %s failed inside sagemaker-local", invocation.inference_id)
            outcome = Failure.without_answer(f"InternalFailure: {error}")
        finally:
            instance.release()
        self._finish(invocation, outcome)

    def _expire(self, ticket: int) -> None:
        with self._lock:
            entry = self._waiting.pop(ticket, None)
        if entry is None:
            return
        invocation = entry[0]
        reason = f"ClientError: The request expired after {invocation.ttl_seconds} seconds in the queue."
        threading.Thread(
            target=self._finish,
            args=(invocation, Failure.without_answer(reason)),
            name="expired-invocation",
            daemon=True,
        ).start()
