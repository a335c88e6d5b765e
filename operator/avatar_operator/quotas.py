"""Quotas of namespaces: which object may begin now, and who is told when there is room.

SageMaker's queue is first come, first served. So what is beyond a namespace's quota must not get there, and waits here
instead, in the status of its object. Who is at work is read from the cache, so a crash forgets nothing and whoever leads
next counts the same. Only what a pass has been promised and has not written yet is in memory (`core.places`).

Nobody polls. When an object stops its work, or leaves the line, the oldest one that waits is brought back, and each one
that begins brings back the next. A change of the runtime brings back everybody (`reconciling.scheduling`).

Who waits is read from the cache as well, until this process has looked at the object itself: then it is there as long as its
passes ask. One that has photos missing, or another obstacle, keeps its status and loses its place in the line: nobody
waits behind it. What nobody has looked at yet is presumed to wait, so that whoever begins to lead serves the oldest first,
too.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from avatar_api.avatar_runtime import AvatarRuntime
from avatar_api.endings import raw_active_attempt, raw_request_has_ended
from avatar_api.group import AVATAR_MODEL, AVATAR_REQUEST, Kind
from avatar_operator.core.places import WAITING_FOR_QUOTA, Applicant, Places
from avatar_operator.kube.cache import ObjectCache, ObjectKey
from avatar_operator.kube.client import Object
from avatar_operator.kube.lookup import runtime_name_of


@dataclass(frozen=True)
class Standing:
    """How an object stands to its namespace's quota.

    Attributes:
        wants: how much of the quota it takes while it is at work.
        at_work: whether it is.
        begins_anew: it is not, and its next pass will have it begin once more, or not at all.
        waits: by its status it waits, or nobody has looked at it yet.
    """

    wants: int
    at_work: bool
    begins_anew: bool
    waits: bool


_UNREADABLE = Standing(wants=1, at_work=False, begins_anew=False, waits=False)


@dataclass(frozen=True)
class _Account:
    """One namespace's quota with one runtime."""

    namespace: str
    runtime: str
    places: Places = field(default_factory=Places, compare=False)


class NamespaceQuotas:
    """The quotas of one kind's objects. Use from one event loop only.

    Args:
        cache: tells who is at work, and who waits.
        kind: of the objects.
        standing_of: reads an object as the API server has it. Pure.
        quota_of: how much one namespace may have under way with a runtime; None if as much as it likes. Pure.
        bring_back: has an object looked at that may begin now.
    """

    def __init__(
        self,
        cache: ObjectCache,
        kind: Kind,
        standing_of: Callable[[Object], Standing],
        quota_of: Callable[[AvatarRuntime], int | None],
        bring_back: Callable[[ObjectKey], None],
    ) -> None:
        self._cache = cache
        self._kind = kind
        self._standing_of = standing_of
        self._quota_of = quota_of
        self._bring_back = bring_back
        self._accounts: dict[tuple[str, str], _Account] = {}
        self._account_of: dict[str, _Account] = {}
        """By uid, of those who have a place or wait."""
        self._looked_at: set[str] = set()
        cache.subscribe(self._changed)

    def judge(self, body: Object, runtime: AvatarRuntime | None, needs_place: Callable[[], bool]) -> bool:
        """Whether the quota lets an object begin; asked at the end of each observation, right before the decision.

        A place that is given is taken at once. A later pass of the object that does not need it gives it back: there is one
        after whatever it wrote, or failed to write, and after every change of it or its runtime.

        Args:
            body: the object.
            runtime: whose quota it is; None if it is gone.
            needs_place: whether the object would begin, if it had a place and the runtime was ready.
        """
        quota = None if runtime is None else self._quota_of(runtime)
        uid = body["metadata"]["uid"]
        is_gone = self._cache.by_uid(uid) is None
        if is_gone or runtime is None or quota is None or not needs_place():
            self.stand_back(uid)
            return True
        self._looked_at.add(uid)
        account = self._account(uid, body, runtime.metadata.name)
        had_place = account.places.has_place(uid)
        may_begin = account.places.ask(self._applicant(body), quota)
        if may_begin or had_place:
            self._bring_back_oldest(account)
        return may_begin

    @contextmanager
    def standing_back_on_failure(self, body: Object) -> Iterator[None]:
        """An observation, at whose end the quota is asked. An object of which it fails waits for no place: behind it stand
        others, and they would wait with it.

        Args:
            body: the object.
        """
        try:
            yield
        except Exception:
            self.stand_back(body["metadata"]["uid"])
            raise

    def stand_back(self, uid: str) -> None:
        """A pass of an object asks for nothing: it is at work, has ended, or cannot begin whatever the quota."""
        if self._cache.by_uid(uid) is not None:
            self._looked_at.add(uid)
        account = self._account_of.get(uid)
        if account is None:
            return
        left = account.places.leave_line(uid)
        if not account.places.is_seen(uid):
            left = account.places.free(uid) or left
        if left:
            self._settle(uid, account)

    def waiting(self) -> int:
        """How many objects wait."""
        return sum(len(account.places.line) for account in self._accounts.values())

    def _changed(self, kind: Kind, key: ObjectKey, body: Object, deleted: bool) -> None:
        if kind != self._kind:
            return
        uid = body["metadata"]["uid"]
        if deleted:
            self._looked_at.discard(uid)
            self._forget(uid)
            return
        standing = self._read(body)
        if standing.at_work:
            self._account(uid, body, runtime_name_of(self._cache, body)).places.occupy(self._applicant(body))
            return
        account = self._account_of.get(uid)
        if account is not None and account.places.is_seen(uid):
            if standing.begins_anew and uid in self._looked_at:
                account.places.reserve_again(uid)
            else:
                self._forget(uid)
        if uid not in self._looked_at:
            self._follow(uid, body, waits=standing.waits)

    def _follow(self, uid: str, body: Object, *, waits: bool) -> None:
        """What is known of an object that this process has not looked at has changed."""
        runtime_name = runtime_name_of(self._cache, body)
        if waits and runtime_name:
            self._account(uid, body, runtime_name).places.wait(self._applicant(body))
        else:
            self._forget(uid)

    def _forget(self, uid: str) -> None:
        account = self._account_of.get(uid)
        if account is not None:
            account.places.free(uid)
            account.places.leave_line(uid)
            self._settle(uid, account)

    def _account(self, uid: str, body: Object, runtime_name: str) -> _Account:
        """The account that an object belongs to from now on."""
        namespace = body["metadata"]["namespace"]
        if uid in self._account_of and self._account_of[uid].runtime != runtime_name:
            self._forget(uid)
        account = self._accounts.setdefault((namespace, runtime_name), _Account(namespace, runtime_name))
        self._account_of[uid] = account
        return account

    def _settle(self, uid: str, account: _Account) -> None:
        """An object neither has a place nor waits any more: somebody else may come."""
        del self._account_of[uid]
        if account.places.is_empty:
            del self._accounts[account.namespace, account.runtime]
        else:
            self._bring_back_oldest(account)

    def _bring_back_oldest(self, account: _Account) -> None:
        if account.places.line:
            name = account.places.line[0].name
            self._bring_back(ObjectKey(self._kind.kind, account.namespace, name))

    def _applicant(self, body: Object) -> Applicant:
        metadata = body["metadata"]
        return Applicant(
            created=metadata["creationTimestamp"],
            name=metadata["name"],
            uid=metadata["uid"],
            wants=self._read(body).wants,
        )

    def _read(self, body: Object) -> Standing:
        try:
            return self._standing_of(body)
        except (AttributeError, KeyError, TypeError):
            # Another version wrote it, or somebody who should not.
            return _UNREADABLE


def standing_of_model(body: Object) -> Standing:
    """A model takes one place, from the plan of an attempt to its end."""
    status: dict[str, Any] = body.get("status", {})
    training = status.get("training") or {}
    at_work = raw_active_attempt(body) is not None
    is_next = bool(training) and training.get("inferenceId") is None and training.get("retryTime") is None
    going = _is_going(body)
    return Standing(
        wants=1,
        at_work=at_work,
        begins_anew=is_next and not going,
        waits=not going and _waits(status),
    )


def standing_of_request(body: Object) -> Standing:
    """A request takes a place for each of its pictures, from when it is told what to draw with until it has ended."""
    status: dict[str, Any] = body.get("status", {})
    going = _is_going(body)
    begun = status.get("model") is not None
    return Standing(
        wants=sum(prompt.get("numImages", 1) for prompt in body["spec"]["prompts"]),
        at_work=begun and not raw_request_has_ended(body) and not going,
        begins_anew=False,
        waits=not going and _waits(status),
    )


def model_quotas(cache: ObjectCache, bring_back: Callable[[ObjectKey], None]) -> NamespaceQuotas:
    """Of running trainings."""
    return NamespaceQuotas(
        cache,
        AVATAR_MODEL,
        standing_of_model,
        lambda runtime: runtime.spec.quotas.max_running_trainings,
        bring_back,
    )


def request_quotas(cache: ObjectCache, bring_back: Callable[[ObjectKey], None]) -> NamespaceQuotas:
    """Of waiting pictures."""
    return NamespaceQuotas(
        cache,
        AVATAR_REQUEST,
        standing_of_request,
        lambda runtime: runtime.spec.quotas.max_waiting_pictures,
        bring_back,
    )


def _waits(status: Mapping[str, Any]) -> bool:
    reasons = (condition.get("reason") for condition in status.get("conditions", ()))
    return "observedGeneration" not in status or WAITING_FOR_QUOTA in reasons


def _is_going(body: Object) -> bool:
    return "deletionTimestamp" in body["metadata"]
