"""The queue of one asynchronous endpoint.

First in, first out. Whenever a request arrives, an instance has room, or an instance comes into service, the head of the queue
is handed to an instance as long as one has room: nothing polls. A request that has waited longer than its RequestTTLSeconds
fails. The queue survives updates of the endpoint and ends with it; what was queued then is forgotten, as on AWS. AWS does not
say what becomes of a queue whose endpoint is updated to a real-time one: here what waits fails as soon as the new instances
serve.

A request that its container never received, because the connection was refused, goes back to its place at the head of the queue
with what is left of its time to live. One whose container died while it ran fails, or goes back too, with a new time to live
(`redelivery.py`).

An invocation has a thread from its dispatch to its notification. Those that are past their container and only have to be written
and told do not occupy an instance, so their number is bounded here: dispatch waits when there are too many.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import takewhile

from sagemaker_local.async_inference.backlog_metrics import Backlog, BacklogMetrics
from sagemaker_local.async_inference.execution import execute, lost_container
from sagemaker_local.async_inference.invocation import Failure, Invocation, Outcome
from sagemaker_local.async_inference.redelivery import Redelivery
from sagemaker_local.async_inference.variant_metrics import VariantMetrics
from sagemaker_local.clock import Clock, Scheduled, Scheduler
from sagemaker_local.control_plane.endpoint import Endpoint
from sagemaker_local.errors import AwsError
from sagemaker_local.instances.container_http import ContainerRefused, ContainerUnreachable
from sagemaker_local.instances.instance import Instance
from sagemaker_local.metric_publishing import MetricPublisher
from sagemaker_local.persistence.invocation_journal import NOTHING_KEPT, InvocationJournal
from sagemaker_local.s3_objects import S3Objects

logger = logging.getLogger(__name__)

MAX_QUEUED = 100_000
MAX_FINISHING = 32


@dataclass
class _Queued:
    """An invocation and its place in the queue: lower tickets go first.

    Attributes:
        accepted, queued, dispatched, deadline: when it was accepted, when it began to wait, when it was handed to an instance,
            and when it expires, on the monotonic clock.
        lost: how often its container died while it ran.
    """

    ticket: int
    invocation: Invocation
    accepted: float
    queued: float
    deadline: float
    expiry: Scheduled
    dispatched: float = 0.0
    lost: int = 0


class InvocationQueue:
    """Queue and dispatch for one endpoint.

    Arguments:
        variant_metrics: those of a variant, or of the endpoint's first one for what never reached a variant.
        finish: writes the outcome to S3 and notifies; called once per invocation, on a thread of its own.
        journal: is told what an instance is given, before it is, and what waits again.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        objects: S3Objects,
        clock: Clock,
        scheduler: Scheduler,
        metrics: MetricPublisher,
        redelivery: Redelivery,
        variant_metrics: Callable[[str | None], VariantMetrics],
        finish: Callable[[Invocation, Outcome, VariantMetrics], None],
        journal: InvocationJournal = NOTHING_KEPT,
    ) -> None:
        self._endpoint = endpoint
        self._objects = objects
        self._clock = clock
        self._scheduler = scheduler
        self.metrics = BacklogMetrics(endpoint, metrics, clock, scheduler, self.backlog)
        self._redelivery = redelivery
        self._journal = journal
        self._variant_metrics = variant_metrics
        self._finish = finish
        self._lock = threading.Lock()
        self._waiting: OrderedDict[int, _Queued] = OrderedDict()
        self._in_process = 0
        self._finishing = 0
        self._ticket = 0
        self._closed = False

    def __len__(self) -> int:
        return len(self._waiting)

    def backlog(self) -> Backlog:
        """What there is to do now. Cheap."""
        with self._lock:
            oldest = next(iter(self._waiting.values()), None)
            waiting, in_process = len(self._waiting), self._in_process
        age = 0.0 if oldest is None else (time.monotonic() - oldest.accepted) * self._clock.speed
        instances = sum(len(variant.fleet.in_service()) for variant in self._endpoint.serving_variants())
        return Backlog(waiting, in_process, age, instances)

    def put(self, invocation: Invocation, waited: float = 0.0) -> None:
        """Queue an invocation.

        Arguments:
            waited: the real seconds that it has waited already, in an earlier run of the server.

        Raises:
            AwsError: ServiceUnavailable when the queue is full.
        """
        with self._lock:
            if len(self._waiting) >= MAX_QUEUED:
                raise AwsError("ServiceUnavailable", f"the queue holds {MAX_QUEUED} requests", 503)
            self._ticket += 1
            ticket = self._ticket
            ttl = max(self._clock.real(invocation.ttl_seconds) - waited, 0.0)
            expiry = self._scheduler.after(ttl, lambda: self._expire(ticket))
            now = time.monotonic()
            since = now - waited
            self._waiting[ticket] = _Queued(ticket, invocation, since, since, now + ttl, expiry)
        self.dispatch()
        self.metrics.changed()

    def dispatch(self) -> None:
        """Hand waiting invocations to instances as long as there is room."""
        if self._endpoint.spec.asynchronous is None:
            self._abandon()
            return
        while True:
            with self._lock:
                asynchronous = self._endpoint.spec.asynchronous
                if self._closed or not self._waiting or asynchronous is None:
                    return
                if self._finishing >= MAX_FINISHING:
                    return
                instance = self._endpoint.acquire_instance(asynchronous.concurrency)
                if instance is None:
                    return
                queued = self._waiting.popitem(last=False)[1]
                queued.expiry.cancel()
                queued.dispatched = time.monotonic()
                self._in_process += 1
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
        self.metrics.close()

    def _abandon(self) -> None:
        """Fail what waits: no instance will ever take it."""
        with self._lock:
            abandoned = list(self._waiting.values())
            self._waiting.clear()
            for queued in abandoned:
                queued.expiry.cancel()
        if not abandoned:
            return
        reason = "ClientError: The endpoint has been updated to one that does not support asynchronous invocations."
        self._finish_unserved([queued.invocation for queued in abandoned], reason)

    def _run(self, queued: _Queued, instance: Instance) -> None:
        metrics = self._variant_metrics(instance.placement.variant)
        try:
            outcome = self._execute(queued, instance, metrics)
            if outcome is not None:
                with self._lock:
                    self._finishing += 1
        finally:
            instance.release()
        try:
            if outcome is not None:
                self._conclude(queued, outcome, metrics)
        finally:
            with self._lock:
                self._in_process -= 1
                self._finishing -= outcome is not None
            self.metrics.changed()
            self.dispatch()

    def _execute(self, queued: _Queued, instance: Instance, metrics: VariantMetrics) -> Outcome | None:
        """The outcome, or None when the invocation waits again."""
        invocation = queued.invocation
        self._journal.started(invocation)
        try:
            return execute(invocation, instance, self._objects, self._clock, metrics)
        except ContainerRefused:
            self._put_back(queued, queued.deadline)
            return None
        except ContainerUnreachable as error:
            logger.warning("invocation %s lost its container: %s", invocation.inference_id, error)
            queued.lost += 1
            if queued.lost <= self._redelivery.most and self._endpoint.invocable:
                queued.queued = time.monotonic()
                self._put_back(queued, queued.queued + self._clock.real(invocation.ttl_seconds))
                return None
            return lost_container(invocation)
        except Exception as error:
            logger.exception("invocation %s failed inside sagemaker-local", invocation.inference_id)
            return Failure.without_answer(f"InternalFailure: {error}")

    def _conclude(self, queued: _Queued, outcome: Outcome, metrics: VariantMetrics) -> None:
        self._tell(queued.invocation, outcome, metrics)
        metrics.processed(
            isinstance(outcome, Failure),
            waited=queued.dispatched - queued.queued,
            total=time.monotonic() - queued.accepted,
        )

    def _put_back(self, queued: _Queued, deadline: float) -> None:
        """Wait again until the deadline, behind earlier tickets only."""
        with self._lock:
            if self._closed:
                return
            self._journal.put_back(queued.invocation)
            queued.deadline = deadline
            remaining = max(deadline - time.monotonic(), 0.0)
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
        self._finish_unserved([invocation], reason)
        self._variant_metrics(None).expired()

    def _finish_unserved(self, invocations: Sequence[Invocation], reason: str) -> None:
        """End invocations that have left the queue for no instance. Returns at once."""
        outcome, metrics = Failure.without_answer(reason), self._variant_metrics(None)

        def finish() -> None:
            for invocation in invocations:
                self._tell(invocation, outcome, metrics)

        threading.Thread(target=finish, name="unserved-invocations", daemon=True).start()
        self.metrics.changed()

    def _tell(self, invocation: Invocation, outcome: Outcome, metrics: VariantMetrics) -> None:
        try:
            self._finish(invocation, outcome, metrics)
        except Exception:
            logger.exception("the outcome of invocation %s was not told", invocation.inference_id)
