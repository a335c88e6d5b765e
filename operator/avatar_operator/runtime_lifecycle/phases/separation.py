"""Separation: whether tenants are apart in what they may name. Nothing waits for it; it is only said here."""

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
    return set_condition(observation, draft, TENANTS_APART, "True", "Apart", "")
