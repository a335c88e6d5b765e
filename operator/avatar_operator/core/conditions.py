"""Conditions as values: set one, read one. Pure.

`lastTransitionTime` moves only when the status flips (api-conventions.md), so an unchanged condition stays equal to
itself and no write follows.
"""

from collections.abc import Sequence
from datetime import datetime

from avatar_api.meta import Condition, ConditionStatus

MESSAGE_LIMIT = 1024
RECONCILING = "Reconciling"
"""kstatus: True while the operator has something to do, or tries to."""
STALLED = "Stalled"
"""kstatus: True if nothing will happen until a person changes something."""


def find_condition(conditions: Sequence[Condition], condition_type: str) -> Condition | None:
    """The condition of a type, or None if it was never set."""
    return next((condition for condition in conditions if condition.type == condition_type), None)


def is_true(conditions: Sequence[Condition], condition_type: str) -> bool:
    """Whether a condition is set and True."""
    condition = find_condition(conditions, condition_type)
    return condition is not None and condition.status == "True"


def with_condition(
    conditions: Sequence[Condition],
    condition_type: str,
    status: ConditionStatus,
    reason: str,
    message: str,
    *,
    now: datetime,
    generation: int,
) -> list[Condition]:
    """The conditions with one of them set. The order of types stays as it was first seen."""
    previous = find_condition(conditions, condition_type)
    unchanged = previous is not None and previous.status == status
    condition = Condition(
        type=condition_type,
        status=status,
        reason=reason,
        message=shortened(message),
        last_transition_time=previous.last_transition_time if previous is not None and unchanged else now,
        observed_generation=generation,
    )
    if previous is None:
        return [*conditions, condition]
    return [condition if existing.type == condition_type else existing for existing in conditions]


def shortened(message: str, limit: int = MESSAGE_LIMIT) -> str:
    """A message cut to what Kubernetes takes."""
    return message if len(message) <= limit else f"{message[: limit - 1]}…"
