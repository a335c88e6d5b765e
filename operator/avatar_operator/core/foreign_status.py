"""What is said of a status that names what the operator cannot have written. Pure, and the same for every kind.

It is said once: in a condition, which stays as a reminder that somebody else writes statuses, and in an Event.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from avatar_api.meta import ObservedStatus
from avatar_operator.core.condition_drafts import Observation, set_condition
from avatar_operator.core.conditions import find_condition
from avatar_operator.core.decision import Draft, Notice
from avatar_operator.core.news import News

StatusT = TypeVar("StatusT", bound=ObservedStatus)
ActionT = TypeVar("ActionT")

STATUS_TRUSTED = "StatusTrusted"
"""False once something was found in the status that the operator did not write."""
STATUS_FOREIGN = "StatusForeign"
AHEAD_SECONDS = 3600
"""So far may a time be ahead: another replica wrote it, by another clock."""


@dataclass(frozen=True)
class Belief(Generic[StatusT]):
    """What is believed of a status.

    Attributes:
        status: the status without what cannot be the operator's.
        foreign: the fields that were left out, or are derived instead, as they are spelled in YAML.
    """

    status: StatusT
    foreign: tuple[str, ...] = ()


def say_foreign(
    observation: Observation, draft: Draft[StatusT, ActionT], fields: Sequence[str]
) -> Draft[StatusT, ActionT]:
    """The draft that says which fields of a status are not used; unchanged if there are none.

    Args:
        observation: the instant and the generation.
        draft: the draft.
        fields: as they are spelled in YAML.
    """
    if not fields:
        return draft
    message = f"Not used, because the operator cannot have written it: {', '.join(fields)}. Find out who may write statuses."
    return set_condition(observation, draft, STATUS_TRUSTED, "False", STATUS_FOREIGN, message)


def news_of_foreign(status: ObservedStatus) -> tuple[News, ...]:
    """The news in a status that names what is not its object's own."""
    told = find_condition(status.conditions, STATUS_TRUSTED)
    if told is None or told.status != "False":
        return ()
    notice = Notice("Warning", STATUS_FOREIGN, told.message)
    return (News(notice, occasion=told.message, time=told.last_transition_time),)
