"""Notifications: whether the status topic hears what it is told. Nothing waits for it; it is only said here."""

from avatar_operator.core.condition_drafts import set_condition
from avatar_operator.core.conditions import find_condition
from avatar_operator.runtime_lifecycle.actions import RuntimeDraft
from avatar_operator.runtime_lifecycle.conditions import NOTIFICATIONS_DELIVERED
from avatar_operator.runtime_lifecycle.observation import RuntimeObservation


def notifications(observation: RuntimeObservation, draft: RuntimeDraft) -> RuntimeDraft:
    """Set NotificationsDelivered."""
    trouble, spec = observation.topic_trouble, observation.runtime.spec.notifications
    topic = None if spec is None else spec.status_topic_arn
    if topic is None:
        if find_condition(draft.status.conditions, NOTIFICATIONS_DELIVERED) is None:
            return draft
        message = "spec.notifications names no status topic."
        return set_condition(observation, draft, NOTIFICATIONS_DELIVERED, "True", "NoTopic", message)
    if trouble is None:
        return set_condition(observation, draft, NOTIFICATIONS_DELIVERED, "True", "Delivered", "")
    if trouble.lost:
        message = f"News for the status topic {topic} were given up: {trouble.message} Whatever comes after them is told."
    else:
        message = (
            f"The status topic {topic} cannot be told: {trouble.message} News wait and are tried again for an hour;"
            " nothing else waits for them."
        )
    return set_condition(observation, draft, NOTIFICATIONS_DELIVERED, "False", trouble.reason, message)
