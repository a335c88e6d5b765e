"""The one reconcile loop: observe, decide, act, tell, write the status once.

What differs between the kinds is a `Lifecycle`; what is the same for all of them is here, in this order:

1. The finalizer is there before anything happens in the outside world that deletion would have to undo.
2. Actions run. Each folds what it learned into the draft, so the status that is written tells the truth.
3. Notices are told before the status is written. Telling is idempotent, so a crash in between tells them again and
   changes nothing; the other order would lose them.
4. The status is written, if it changed, against the exact version that was observed. If somebody was faster the
   write is refused, and the key is looked at again.
"""

from dataclasses import dataclass
from typing import Any, Generic, Literal, Protocol, TypeVar

from avatar_api.group import FINALIZER, Kind
from avatar_api.schema_base import ApiModel
from avatar_operator.core.decision import Draft, Notice
from avatar_operator.kube.cache import ObjectCache, ObjectKey, key_of
from avatar_operator.kube.client import ConflictError, KubeClient, NotFoundError, Object

ObservationT = TypeVar("ObservationT")
StatusT = TypeVar("StatusT", bound=ApiModel)
ActionT = TypeVar("ActionT")


class Teller(Protocol):
    """Tells people what happened, idempotently."""

    async def tell(self, body: Object, notice: Notice, *, occasion: str) -> None:
        """Tell one notice about one object; telling it again changes nothing."""
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

    async def act(self, observation: ObservationT, draft: Draft[StatusT, ActionT]) -> Draft[StatusT, ActionT]:
        """Carry out the actions and fold in what they told."""
        ...

    def summarise(self, observation: ObservationT, draft: Draft[StatusT, ActionT]) -> Draft[StatusT, ActionT]:
        """Derive the summary from the details. Pure."""
        ...

    def observed_status(self, observation: ObservationT) -> StatusT:
        """The status as it was observed."""
        ...

    def occasion(self, status: StatusT) -> str:
        """What tells a repeated notice that is news from one that is not."""
        ...

    def written(self, observation: ObservationT, status: StatusT) -> None:
        """The status stands in the API server now."""
        ...

    def forget(self, key: ObjectKey) -> None:
        """The object is gone: drop what is remembered of it."""
        ...


@dataclass(frozen=True)
class Reconciled:
    """How a reconcile ended.

    Attributes:
        result: a word for metrics.
        requeue_after: seconds after which to look again, or None.
        retry_at_least: set if something failed that may work later: seconds to wait at least.
    """

    result: Literal["gone", "unchanged", "changed", "conflict"]
    requeue_after: float | None = None
    retry_at_least: float | None = None


class Reconciler(Generic[ObservationT, StatusT, ActionT]):
    """Reconciles the objects of one kind."""

    def __init__(
        self,
        lifecycle: Lifecycle[ObservationT, StatusT, ActionT],
        client: KubeClient,
        cache: ObjectCache,
        teller: Teller,
    ) -> None:
        self._lifecycle = lifecycle
        self._client = client
        self._cache = cache
        self._teller = teller

    @property
    def kind(self) -> Kind:
        """The kind that is reconciled."""
        return self._lifecycle.kind

    async def reconcile(self, key: ObjectKey) -> Reconciled:
        """Bring one object one step nearer to what its spec says.

        Raises:
            RetryLaterError: something is not possible right now.
            KubeError: the API server did not answer, or refused.
        """
        body = self._cache.get(key)
        if body is None:
            self._lifecycle.forget(key)
            return Reconciled("gone")
        observation = await self._lifecycle.observe(body)
        draft = self._lifecycle.decide(observation)
        try:
            return await self._carry_out(body, observation, draft)
        except ConflictError:
            # The watch brings the newer version, and with it another pass; this timer is for a watch that is late.
            return Reconciled("conflict", requeue_after=1.0)
        except NotFoundError:
            self._cache.remove(self.kind, key, body["metadata"]["uid"])
            return Reconciled("gone")

    async def _carry_out(
        self, body: Object, observation: ObservationT, draft: Draft[StatusT, ActionT]
    ) -> Reconciled:
        if draft.finalizer == "Add":
            body = await self._store(body, finalizers=[*body["metadata"].get("finalizers", []), FINALIZER])
        draft = self._lifecycle.summarise(observation, await self._lifecycle.act(observation, draft))
        for notice in draft.notices:
            await self._teller.tell(body, notice, occasion=self._lifecycle.occasion(draft.status))
        if draft.finalizer == "Remove":
            await self._store(
                body,
                finalizers=[name for name in body["metadata"].get("finalizers", []) if name != FINALIZER],
            )
            return Reconciled("changed")
        if draft.delete_object:
            await self._client.delete(self.kind, body)
            return Reconciled("changed")
        if draft.status == self._lifecycle.observed_status(observation):
            return Reconciled("unchanged", draft.requeue_after, draft.retry_at_least)
        written = await self._client.apply_status(self.kind, body, draft.status.to_wire())
        self._cache.store(self.kind, written)
        self._lifecycle.written(observation, draft.status)
        return Reconciled("changed", draft.requeue_after, draft.retry_at_least)

    async def _store(self, body: Object, *, finalizers: list[str]) -> Object:
        written: dict[str, Any] = await self._client.set_finalizers(self.kind, body, finalizers)
        if written["metadata"].get("deletionTimestamp") and not written["metadata"].get("finalizers"):
            self._cache.remove(self.kind, key_of(self.kind, body), body["metadata"]["uid"])
        else:
            self._cache.store(self.kind, written)
        return written
