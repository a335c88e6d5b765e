"""The one reconcile loop: observe, decide, act, write the status once. The news follows from what was written.

What differs between the kinds is a `Lifecycle`; what is the same for all of them is here, in this order:

1. The finalizer is there before anything happens in the outside world that deletion would have to undo.
2. Actions run. What each of them learned is a fact, and is folded into the draft by a pure function, so the status that
   is written tells the truth. A failure is a fact, too. Once one says "try again", the rest of the actions waits.
3. The status is written, if it changed, against the exact version that was observed. If somebody was faster the write
   is refused, and the key is looked at again.
4. News is nobody's business here: the outbox derives it from the status that stands. So an unreachable topic or a
   refused Event can neither delay a write nor lose one. Only farewells are handed to it, before the object is let go:
   afterwards there is no status to read.
"""

from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any, Generic, Literal, Protocol, TypeVar

import structlog
from pydantic import ValidationError

from avatar_api.group import FINALIZER, Kind
from avatar_api.meta import ObservedStatus
from avatar_operator.backends.failures import BackendError
from avatar_operator.core.decision import NO_PHASE, ActionFailed, Draft, Notice, Retry
from avatar_operator.kube.cache import ObjectCache, ObjectKey, key_of
from avatar_operator.kube.client import ConflictError, KubeClient, KubeError, NotFoundError, Object
from avatar_operator.reconciling.interruptions import NOT_UNDERSTOOD_SECONDS, StatusNotWrittenError
from avatar_operator.reconciling.steps import StepLog
from avatar_operator.reconciling.trouble import Troubles

logger = structlog.get_logger(__name__)

LATE_WATCH_SECONDS = 1.0
"""The watch brings the newer version, and with it another pass; this timer is for a watch that is late."""
ObservationT = TypeVar("ObservationT")
StatusT = TypeVar("StatusT", bound=ObservedStatus)
ActionT = TypeVar("ActionT")


class Teller(Protocol):
    """Tells people what statuses say, and takes leave of objects that are about to go."""

    def writing(self, kind: Kind, uid: str) -> AbstractContextManager[None]:
        """Around the write of a status, and what shows it to the cache."""
        ...

    async def farewell(self, body: Object, notice: Notice) -> None:
        """Take one notice to be told; never raises, never waits long."""
        ...


class Lifecycle(Protocol[ObservationT, StatusT, ActionT]):
    """What makes a kind's reconcile its own."""

    kind: Kind

    async def observe(self, body: Object) -> ObservationT:
        """Gather everything a decision needs, once."""
        ...

    def decide(self, observation: ObservationT) -> Draft[StatusT, ActionT]:
        """What to do. Pure."""
        ...

    async def perform(self, observation: ObservationT, action: ActionT) -> object:
        """Carry out one action; what it learned is returned.

        Raises:
            BackendError: it failed.
        """
        ...

    def fold(
        self, observation: ObservationT, draft: Draft[StatusT, ActionT], fact: Any
    ) -> Draft[StatusT, ActionT]:
        """The draft with what an action learned, or with what its failure means. Pure."""
        ...

    def summarise(self, observation: ObservationT, draft: Draft[StatusT, ActionT]) -> Draft[StatusT, ActionT]:
        """Derive the summary from the details. Pure."""
        ...

    def observed_status(self, observation: ObservationT) -> StatusT:
        """The status as it was observed."""
        ...

    def written(self, observation: ObservationT, status: StatusT) -> None:
        """The status stands in the API server now."""
        ...

    def log_fields(self, status: StatusT) -> dict[str, object]:
        """What the log says beside the object's name: the words that the worker's log has, too."""
        ...


@dataclass(frozen=True)
class Reconciled:
    """How a reconcile ended.

    Attributes:
        result: a word for metrics.
        requeue_after: seconds after which to look again, or None.
        retrying: set if something failed that may work later.
        decided_by: the phase that decided, for metrics.
    """

    result: Literal["gone", "unchanged", "changed", "deleted", "conflict", "kube_error", "error"]
    requeue_after: float | None = None
    retrying: Retry | None = None
    decided_by: str = NO_PHASE


class Reconciler(Generic[ObservationT, StatusT, ActionT]):
    """Reconciles the objects of one kind."""

    def __init__(
        self,
        lifecycle: Lifecycle[ObservationT, StatusT, ActionT],
        client: KubeClient,
        cache: ObjectCache,
        teller: Teller,
        troubles: Troubles,
    ) -> None:
        self._lifecycle = lifecycle
        self._client = client
        self._cache = cache
        self._teller = teller
        self._troubles = troubles
        self._steps = StepLog(lifecycle.kind)

    @property
    def kind(self) -> Kind:
        """The kind that is reconciled."""
        return self._lifecycle.kind

    async def reconcile(self, key: ObjectKey) -> Reconciled:
        """Bring one object one step nearer to what its spec says.

        Raises:
            KubeError: the API server did not answer, or refused.
            LeadershipLostError: this process must not act any more.
        """
        body = self._cache.get(key)
        if body is None:
            return Reconciled("gone")
        # What is logged on the way is found by the object that a tenant sees.
        with structlog.contextvars.bound_contextvars(uid=body["metadata"]["uid"]):
            return await self._pass(key, body)

    async def _pass(self, key: ObjectKey, body: Object) -> Reconciled:
        try:
            observation = await self._lifecycle.observe(body)
        except ValidationError as error:
            # Written by another version, and alive: it waits for one that understands it.
            problem = error.errors()[0]
            where = ".".join(str(part) for part in problem["loc"])
            message = f"This version of the operator does not understand {where}: {problem['msg']}."
            retry = Retry("NotUnderstood", message, NOT_UNDERSTOOD_SECONDS)
            await self.tell(key, retry)
            return Reconciled("unchanged", retrying=retry)
        draft = self._lifecycle.decide(observation)
        try:
            reconciled = await self._carry_out(body, observation, draft)
        except ConflictError:
            reconciled = Reconciled("conflict", requeue_after=LATE_WATCH_SECONDS)
        except NotFoundError:
            self._cache.remove(self.kind, key, body["metadata"]["uid"])
            reconciled = Reconciled("gone")
        return replace(reconciled, decided_by=draft.decided_by)

    async def tell(self, key: ObjectKey, retry: Retry) -> None:
        """A pass was broken off and has written no status: say why on the object, once that lasts.

        Raises:
            LeadershipLostError: this process must not act any more.
        """
        body = self._cache.get(key)
        status = None if body is None else self._troubles.told_as_it_stands(retry, body)
        if body is None or status is None:
            return
        try:
            written = await self._client.apply_status(self.kind, body, status)
        except KubeError as error:
            logger.debug("the object cannot be told what is wrong", reason=retry.reason, error=str(error))
        else:
            self._cache.store(self.kind, written, own_write=True)

    async def _carry_out(
        self, body: Object, observation: ObservationT, draft: Draft[StatusT, ActionT]
    ) -> Reconciled:
        if draft.finalizer == "Add":
            body = await self._store(body, finalizers=[*body["metadata"].get("finalizers", []), FINALIZER])
        draft = await self._act(observation, draft)
        draft = self._lifecycle.summarise(observation, draft)
        if draft.retrying is not None:
            draft = replace(draft, finalizer="Keep", delete_object=False, farewells=())
        for notice in draft.farewells:
            await self._teller.farewell(body, notice)
        if draft.finalizer == "Remove":
            self._cache.note_let_go(body["metadata"]["uid"])
            await self._store(
                body,
                finalizers=[name for name in body["metadata"].get("finalizers", []) if name != FINALIZER],
            )
            self._steps.log_end(
                body, self._lifecycle.log_fields(self._lifecycle.observed_status(observation))
            )
            return Reconciled("changed")
        if draft.delete_object:
            await self._client.delete(self.kind, body)
            return Reconciled("deleted", requeue_after=LATE_WATCH_SECONDS)
        observed, generation = self._lifecycle.observed_status(observation), body["metadata"]["generation"]
        status = self._troubles.told(
            body["metadata"]["uid"], draft.retrying, draft.status, observed=observed, generation=generation
        )
        if status == observed:
            return Reconciled("unchanged", draft.requeue_after, draft.retrying)
        with self._teller.writing(self.kind, body["metadata"]["uid"]):
            written = await self._write_status(body, status)
            self._cache.store(self.kind, written, own_write=True)
        self._lifecycle.written(observation, status)
        self._steps.log(body, observed, status, self._lifecycle.log_fields(status))
        return Reconciled("changed", draft.requeue_after, draft.retrying)

    async def _act(
        self, observation: ObservationT, draft: Draft[StatusT, ActionT]
    ) -> Draft[StatusT, ActionT]:
        # That the pass has to be repeated anyway is no reason to leave out what was decided: the status rests on it.
        decided, draft = draft.retrying, replace(draft, retrying=None)
        done = 0
        # What one action learned may call for another, so the list may grow.
        while done < len(draft.actions) and draft.retrying is None:
            action = draft.actions[done]
            draft = self._lifecycle.fold(observation, draft, await self._perform(observation, action))
            done += 1
        return draft if draft.retrying is not None else replace(draft, retrying=decided)

    async def _perform(self, observation: ObservationT, action: ActionT) -> object:
        try:
            return await self._lifecycle.perform(observation, action)
        except BackendError as error:
            return ActionFailed(
                action, error.reason, error.message, error.retryable, error.retry_after, error.said
            )

    async def _write_status(self, body: Object, status: StatusT) -> Object:
        try:
            return await self._client.apply_status(self.kind, body, status.to_wire())
        except (ConflictError, NotFoundError):
            raise
        except KubeError as error:
            raise StatusNotWrittenError(str(error), status=error.status) from error

    async def _store(self, body: Object, *, finalizers: list[str]) -> Object:
        written: dict[str, Any] = await self._client.set_finalizers(self.kind, body, finalizers)
        if written["metadata"].get("deletionTimestamp") and not written["metadata"].get("finalizers"):
            self._cache.remove(self.kind, key_of(self.kind, body), body["metadata"]["uid"])
        else:
            self._cache.store(self.kind, written, own_write=True)
        return written
