"""Separation: whether tenants are apart in what they may name. Nothing that works waits for it; it is only said here.

Of two runtimes that overlap, what works goes on: a platform team breaks nobody by creating another. One that has not begun
does not begin beside it (`acceptance`).
"""

from avatar_operator.core.condition_drafts import set_condition
from avatar_operator.runtime_lifecycle.actions import RuntimeDraft
from avatar_operator.runtime_lifecycle.conditions import TENANTS_APART
from avatar_operator.runtime_lifecycle.dangers import danger
from avatar_operator.runtime_lifecycle.observation import RuntimeObservation


def separation(observation: RuntimeObservation, draft: RuntimeDraft) -> RuntimeDraft:
    """Set TenantsApart."""
    found = danger(observation.runtime)
    if found is not None:
        return set_condition(observation, draft, TENANTS_APART, "False", *found)
    if observation.overlap is not None:
        message = observation.overlap.message
        return set_condition(observation, draft, TENANTS_APART, "False", "RuntimesOverlap", message)
    return set_condition(observation, draft, TENANTS_APART, "True", "Apart", "")
