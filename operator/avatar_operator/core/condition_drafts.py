"""Setting conditions and fields on a draft: the vocabulary that phases are written in."""

from datetime import datetime
from typing import Any, Protocol, TypeVar

from avatar_api.meta import ConditionStatus, ObservedStatus
from avatar_operator.core.conditions import with_condition
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


def update_status(draft: Draft[StatusT, ActionT], **changes: Any) -> Draft[StatusT, ActionT]:
    """The draft with some fields of its status replaced."""
    return draft.with_status(draft.status.model_copy(update=changes))
