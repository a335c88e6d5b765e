"""What has to be found out before an AvatarRequest can be decided on. Pure: asking costs, so it is asked only then."""

from dataclasses import replace

from avatar_operator.core.conditions import find_condition
from avatar_operator.core.places import WAITING_FOR_QUOTA
from avatar_operator.request_lifecycle.conditions import SUCCEEDED
from avatar_operator.request_lifecycle.lifecycle import decide
from avatar_operator.request_lifecycle.observation import RequestObservation
from avatar_operator.request_lifecycle.phases.acceptance import acceptance


def needs_place(observation: RequestObservation) -> bool:
    """Whether drawing would begin, if the namespace's quota left room for it."""
    draft = decide(replace(observation, has_place=False))
    succeeded = find_condition(draft.status.conditions, SUCCEEDED)
    return (
        draft.decided_by == acceptance.__name__
        and succeeded is not None
        and succeeded.reason == WAITING_FOR_QUOTA
    )
