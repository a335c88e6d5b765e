"""Workers that keep reconciling: each takes a key from a kind's queue, reconciles it, and says when to look again.

Each kind has its own queue and its own workers, so that a batch of pictures being drawn never keeps a training waiting. Which
namespace a worker works for next is the queue's business. A pass that draws calls the endpoint once, for
`limits.inference.picturesPerInvocation` pictures at most, and hands its worker on: its key comes again in its turn.
Whatever a reconcile raises is a reason to try again like any other, for that one key: in the log, in the metric, and on the
object once it lasts. Nothing stops a worker but the end of the process.
"""

import asyncio
import time
from typing import Any

import structlog

from avatar_operator.core.decision import NO_PHASE, Retry
from avatar_operator.core.tenant import on_behalf_of
from avatar_operator.core.workqueue import WorkQueue
from avatar_operator.kube.cache import ObjectKey
from avatar_operator.kube.client import KubeError
from avatar_operator.kube.leadership import LeadershipLostError
from avatar_operator.reconciling.interruptions import StatusNotWrittenError, why_interrupted
from avatar_operator.reconciling.reconciler import Reconciled, Reconciler
from avatar_operator.telemetry.metrics import OperatorMetrics, ReconcileResult

logger = structlog.get_logger(__name__)


class ReconcileWorkers:
    """The workers of one kind."""

    def __init__(
        self,
        reconciler: Reconciler[Any, Any, Any],
        queue: WorkQueue[ObjectKey],
        metrics: OperatorMetrics,
        *,
        count: int,
    ) -> None:
        self._reconciler = reconciler
        self._queue = queue
        self._metrics = metrics
        self._count = count
        self._working = 0
        self._draining = False
        self._drained = asyncio.Event()

    async def run(self) -> None:
        """Reconcile until cancelled."""
        async with asyncio.TaskGroup() as group:
            for number in range(self._count):
                group.create_task(self._work(), name=f"reconcile-{self._reconciler.kind.singular}-{number}")

    async def drain(self) -> None:
        """Begin no more passes, and return when those under way have ended."""
        self._draining = True
        if self._working:
            self._drained.clear()
            await self._drained.wait()

    async def _work(self) -> None:
        while True:
            key = await self._queue.get()
            if self._draining:
                # Whoever leads next looks at everything anyway.
                self._queue.done(key)
                continue
            self._working += 1
            try:
                await self._reconcile(key)
            finally:
                self._queue.done(key)
                self._working -= 1
                if not self._working:
                    self._drained.set()
            # A pass that had to wait for nothing has held the loop; the next one must not go on holding it.
            await asyncio.sleep(0)

    async def _reconcile(self, key: ObjectKey) -> None:
        started = time.monotonic()
        result: ReconcileResult
        decided_by = NO_PHASE
        with (
            structlog.contextvars.bound_contextvars(kind=key.kind, namespace=key.namespace, name=key.name),
            on_behalf_of(key.namespace),
        ):
            log = logger.bind(kind=key.kind, namespace=key.namespace, name=key.name)
            try:
                reconciled = await self._pass(key, log)
                result, decided_by = reconciled.result, reconciled.decided_by
                self._schedule(key, reconciled, log)
            except LeadershipLostError as error:
                # What the pass had begun is judged by whoever leads; the elector ends this process.
                result = "fenced"
                self._queue.add_backed_off(key)
                log.info("the pass is broken off", why=str(error))
        self._metrics.reconciled(key.kind, decided_by, result, time.monotonic() - started)

    async def _pass(self, key: ObjectKey, log: structlog.stdlib.BoundLogger) -> Reconciled:
        """One pass. How it was broken off is an answer, too.

        Raises:
            LeadershipLostError: this process must not act any more.
        """
        try:
            return await self._reconciler.reconcile(key)
        except LeadershipLostError:
            raise
        except KubeError as error:
            log.warning("the API server refused or did not answer", error=str(error))
            retry = why_interrupted(error)
            if not isinstance(error, StatusNotWrittenError):
                await self._tell(key, retry, log)
            return Reconciled("kube_error", retrying=retry)
        except Exception as error:
            # A defect in one object's handling must not take the others down; it is counted, logged and alerted on.
            log.exception("reconcile failed")
            retry = why_interrupted(error)
            await self._tell(key, retry, log)
            return Reconciled("error", retrying=retry)

    async def _tell(self, key: ObjectKey, retry: Retry, log: structlog.stdlib.BoundLogger) -> None:
        try:
            await self._reconciler.tell(key, retry)
        except LeadershipLostError:
            raise
        except Exception:
            log.exception("the object cannot be told what is wrong", reason=retry.reason)

    def _schedule(self, key: ObjectKey, reconciled: Reconciled, log: structlog.stdlib.BoundLogger) -> None:
        retry = reconciled.retrying
        if retry is not None:
            delay = self._queue.add_backed_off(key, at_least=retry.at_least)
            self._metrics.retried(key.kind, retry.reason)
            log.debug("tried again", reason=retry.reason, why=retry.message, in_seconds=round(delay, 1))
        else:
            self._queue.forget(key)
            if reconciled.result == "changed":
                # What a pass changed may allow the next step; one that finds nothing to do comes to rest.
                self._queue.add(key)
        if reconciled.requeue_after is not None:
            self._queue.add_after(key, reconciled.requeue_after)
