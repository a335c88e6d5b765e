"""Notifications: whether the status topic hears what it is told."""

from avatar_api.meta import Condition
from avatar_operator.announcements.place_troubles import PlaceTrouble
from avatar_operator.core.conditions import find_condition
from avatar_operator.runtime_lifecycle.phases.notifications import notifications
from builders.objects import a_runtime
from builders.observations import observed_runtime, runtime_draft

TOPIC = "arn:aws:sns:eu-central-1:123456789012:avatars"
WITH_TOPIC = {"notifications": {"statusTopicARN": TOPIC}}
GONE = PlaceTrouble("TopicNotFound", "There is no such topic.", lost=False)
LOST = PlaceTrouble("AnnouncementRefused", "Message too long.", lost=True)


def _said(trouble: PlaceTrouble | None) -> Condition:
    observation = observed_runtime(a_runtime(spec=WITH_TOPIC), topic_trouble=trouble)
    condition = find_condition(
        notifications(observation, runtime_draft(observation)).status.conditions, "NotificationsDelivered"
    )
    assert condition is not None
    return condition


def test_a_topic_that_cannot_be_told_is_named_with_the_reason() -> None:
    condition = _said(GONE)

    assert (condition.status, condition.reason) == ("False", "TopicNotFound")
    assert TOPIC in condition.message
    assert GONE.message in condition.message


def test_news_that_were_given_up_are_said_to_be_lost_and_not_to_wait() -> None:
    condition = _said(LOST)

    assert (condition.status, condition.reason) == ("False", "AnnouncementRefused")
    assert "given up" in condition.message
    assert LOST.message in condition.message
    assert "wait" not in condition.message


def test_a_topic_that_hears_is_good() -> None:
    assert _said(None).status == "True"


def test_without_a_topic_nothing_is_said() -> None:
    observation = observed_runtime(a_runtime())

    assert notifications(observation, runtime_draft(observation)) == runtime_draft(observation)


def test_a_topic_that_was_taken_away_troubles_nobody_any_more() -> None:
    observation = observed_runtime(a_runtime(spec=WITH_TOPIC), topic_trouble=GONE)
    failing = notifications(observation, runtime_draft(observation))

    draft = notifications(observed_runtime(a_runtime()), failing)

    condition = find_condition(draft.status.conditions, "NotificationsDelivered")
    assert condition is not None
    assert (condition.status, condition.reason) == ("True", "NoTopic")
