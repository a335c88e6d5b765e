"""What keeps an object from getting on: remembered from pass to pass, and told on the object once it lasts.

A failure that passes within a minute is nobody's concern, and a status write for each would be noise. One that lasts is
what a person looks for when an object stands still, so from then on the object's `Reconciling` condition says which
failure it is, also of an object that was Stalled by something else: that may long have been mended. Its message is that of
the first such pass: messages carry request ids, and a write for each would be noise again. Losing this memory with the
process costs a minute.

A pass that was broken off has no status to write: it could not read the object, or not get through to the end. Then the
trouble is added to the status as it stands in the API server, of which not a word more than that is understood or changed.
"""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeVar

from pydantic import ValidationError

from avatar_api.meta import Condition, ObservedStatus
from avatar_operator.core.clock import Clock
from avatar_operator.core.conditions import RECONCILING, STALLED, find_condition, with_condition
from avatar_operator.core.decision import Retry
from avatar_operator.kube.cache import ObjectCache
from avatar_operator.kube.client import Object
from avatar_operator.kube.memory import Memory

StatusT = TypeVar("StatusT", bound=ObservedStatus)
PATIENCE_SECONDS = 60.0


@dataclass(frozen=True)
class Trouble:
    """Passes in a row that ended in a retry.

    Attributes:
        since: when the first of them ended.
        retry: what the last of them said.
    """

    since: datetime
    retry: Retry


class Troubles:
    """The troubles of one kind's objects."""

    def __init__(self, cache: ObjectCache, clock: Clock) -> None:
        self._clock = clock
        self._memory: Memory[Trouble | None] = Memory(cache, None)

    def told(
        self, uid: str, retry: Retry | None, status: StatusT, *, observed: StatusT, generation: int
    ) -> StatusT:
        """Remember how a pass ended; the status it would write is returned, with its trouble in it if that lasts.

        Args:
            uid: of the object.
            retry: why the pass has to be repeated, None if it has not.
            status: what the pass would write.
            observed: the status as the pass saw it.
            generation: of the object that the pass saw.
        """
        if retry is None:
            self._memory.note(uid, None)
            return status
        if not self._lasts(uid, retry):
            return status
        stalled = find_condition(status.conditions, STALLED)
        if stalled is not None and stalled.status == "True" and stalled.reason == retry.reason:
            # It says already what is wrong, and that a person has to mend it: kstatus would read "in progress".
            return status
        conditions = with_trouble(
            status.conditions, observed.conditions, retry, now=self._clock.now(), generation=generation
        )
        return status.model_copy(update={"conditions": conditions})

    def told_as_it_stands(self, retry: Retry, body: Object) -> Object | None:
        """Remember that a pass was broken off; the status is returned that tells of it, or None if nothing is to be written.

        Args:
            retry: why the pass has to be repeated.
            body: the object as it stands, whoever wrote it.
        """
        if not self._lasts(body["metadata"]["uid"], retry):
            return None
        status = body.get("status", {})
        standing = status.get("conditions", [])
        understood = _understood(standing)
        told = with_trouble(
            understood,
            understood,
            retry,
            now=self._clock.now(),
            generation=body["metadata"]["generation"],
        )
        of_ours = {one.type: one.to_wire() for one in told if one.type in (RECONCILING, STALLED)}
        conditions = [of_ours.pop(one.get("type"), one) for one in standing]
        conditions += of_ours.values()
        return None if conditions == standing else {**status, "conditions": conditions}

    def _lasts(self, uid: str, retry: Retry) -> bool:
        """Remember a pass that has to be repeated; whether that has been so for long enough to be told."""
        now = self._clock.now()
        known = self._memory.of(uid)
        trouble = Trouble(since=now if known is None else known.since, retry=retry)
        self._memory.note(uid, trouble)
        return (now - trouble.since).total_seconds() >= PATIENCE_SECONDS


def with_trouble(
    conditions: Sequence[Condition],
    observed: Sequence[Condition],
    retry: Retry,
    *,
    now: datetime,
    generation: int,
) -> list[Condition]:
    """Conditions that tell of a trouble. Pure.

    Args:
        conditions: without it.
        observed: those that stand in the API server: what says the same already stays as it is.
        retry: the trouble.
        now: the instant.
        generation: of the object.
    """
    told = find_condition(observed, RECONCILING)
    same = told is not None and told.status == "True" and told.reason == retry.reason
    message = told.message if told is not None and same else retry.message
    troubled: tuple[tuple[str, Literal["True", "False"], str, str], ...] = (
        (RECONCILING, "True", retry.reason, message),
        # Whatever stalled it cannot be judged just now.
        (STALLED, "False", "InProgress", ""),
    )
    for condition_type, value, reason, words in troubled:
        standing = find_condition(observed, condition_type)
        conditions = with_condition(
            conditions if standing is None else _with(conditions, standing),
            condition_type,
            value,
            reason,
            words,
            now=now,
            generation=generation,
        )
    return list(conditions)


def _understood(conditions: Sequence[Object]) -> list[Condition]:
    """Those that this version can read."""
    understood = []
    for condition in conditions:
        with contextlib.suppress(ValidationError):
            understood.append(Condition.model_validate(condition))
    return understood


def _with(conditions: Sequence[Condition], standing: Condition) -> list[Condition]:
    """Conditions of which one is as it stands: whoever asks for the same once more changes nothing."""
    if find_condition(conditions, standing.type) is None:
        return [*conditions, standing]
    return [standing if condition.type == standing.type else condition for condition in conditions]
