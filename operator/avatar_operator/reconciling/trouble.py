"""What keeps an object from getting on: remembered from pass to pass, and told on the object once it lasts.

A failure that passes within a minute is nobody's concern, and a status write for each would be noise. One that lasts is
what a person looks for when an object stands still, so from then on the object's `Reconciling` condition says which
failure it is, also of an object that was Stalled by something else: that may long have been mended. Its message is that of the first such pass: messages carry request ids, and a write for each would be
noise again. Losing this memory with the process costs a minute.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeVar

from avatar_api.meta import Condition, ObservedStatus
from avatar_operator.core.clock import Clock
from avatar_operator.core.conditions import RECONCILING, STALLED, find_condition, with_condition
from avatar_operator.core.decision import Retry
from avatar_operator.kube.cache import ObjectKey

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

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._troubles: dict[ObjectKey, Trouble] = {}

    def told(
        self, key: ObjectKey, retry: Retry | None, status: StatusT, *, observed: StatusT, generation: int
    ) -> StatusT:
        """Remember how a pass ended; the status it would write is returned, with its trouble in it if that lasts.

        Args:
            key: the object.
            retry: why the pass has to be repeated, None if it has not.
            status: what the pass would write.
            observed: the status as the pass saw it.
            generation: of the object that the pass saw.
        """
        if retry is None:
            self._troubles.pop(key, None)
            return status
        now = self._clock.now()
        known = self._troubles.get(key)
        trouble = Trouble(since=now if known is None else known.since, retry=retry)
        self._troubles[key] = trouble
        if (now - trouble.since).total_seconds() < PATIENCE_SECONDS:
            return status
        stalled = find_condition(status.conditions, STALLED)
        if stalled is not None and stalled.status == "True" and stalled.reason == retry.reason:
            # It says already what is wrong, and that a person has to mend it: kstatus would read "in progress".
            return status
        told = find_condition(observed.conditions, RECONCILING)
        same = told is not None and told.status == "True" and told.reason == retry.reason
        message = told.message if told is not None and same else retry.message
        conditions = status.conditions
        troubled: tuple[tuple[str, Literal["True", "False"], str, str], ...] = (
            (RECONCILING, "True", retry.reason, message),
            # Whatever stalled it cannot be judged just now.
            (STALLED, "False", "InProgress", ""),
        )
        for condition_type, value, reason, words in troubled:
            standing = find_condition(observed.conditions, condition_type)
            conditions = with_condition(
                conditions if standing is None else _with(conditions, standing),
                condition_type,
                value,
                reason,
                words,
                now=now,
                generation=generation,
            )
        return status.model_copy(update={"conditions": conditions})

    def forget(self, key: ObjectKey) -> None:
        """The object is gone."""
        self._troubles.pop(key, None)


def _with(conditions: Sequence[Condition], standing: Condition) -> list[Condition]:
    """Conditions of which one is as it stands: whoever asks for the same once more changes nothing."""
    if find_condition(conditions, standing.type) is None:
        return [*conditions, standing]
    return [standing if condition.type == standing.type else condition for condition in conditions]
