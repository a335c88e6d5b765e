"""Setting conditions and fields on a draft: the vocabulary that phases are written in."""

from datetime import datetime
from typing import Any, Protocol, TypeVar

from avatar_api.meta import ConditionStatus, ObservedStatus
from avatar_operator.core.conditions import find_condition, with_condition
from avatar_operator.core.decision import Draft

StatusT = TypeVar("StatusT", bound=ObservedStatus)
ActionT = TypeVar("ActionT")


class Observation(Protocol):
    """What every observation knows."""

    @property
    def now(self) -> datetime:
        """The instant of the observation."""
        ...

    @property
    def generation(self) -> int:
        """The generation of the observed object's spec."""
        ...


def set_condition(
    observation: Observation,
    draft: Draft[StatusT, ActionT],
    condition_type: str,
    status: ConditionStatus,
    reason: str,
    message: str,
) -> Draft[StatusT, ActionT]:
    """The draft with one condition set."""
    conditions = with_condition(
        draft.status.conditions,
        condition_type,
        status,
        reason,
        message,
        now=observation.now,
        generation=observation.generation,
    )
    return update_status(draft, conditions=conditions)


def set_lasting_condition(
    observation: Observation,
    draft: Draft[StatusT, ActionT],
    condition_type: str,
    status: ConditionStatus,
    reason: str,
    message: str,
    *,
    beginning: str = "",
) -> Draft[StatusT, ActionT]:
    """The draft with one condition set that tells of a failure, which may come again and again.

    While it is the same failure the message stays that of the first time: the others differ by the id of a request, and
    each would be a write.

    Args:
        observation: the instant and the generation.
        draft: the draft.
        condition_type: which condition.
        status: what it says.
        reason: why, in a word.
        message: why, for a person.
        beginning: what the message begins with, as far as it tells one failure from another beside the reason.
    """
    known = find_condition(draft.status.conditions, condition_type)
    if known is not None and (known.status, known.reason) == (status, reason):
        message = known.message if known.message.startswith(beginning) else message
    return set_condition(observation, draft, condition_type, status, reason, message)


def update_status(draft: Draft[StatusT, ActionT], **changes: Any) -> Draft[StatusT, ActionT]:
    """The draft with some fields of its status replaced."""
    return draft.with_status(draft.status.model_copy(update=changes))
