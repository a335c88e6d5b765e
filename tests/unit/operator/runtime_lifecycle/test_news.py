"""What an AvatarRuntime's status says that is worth telling."""

import pytest

from avatar_api.avatar_runtime import AvatarRuntimeStatus
from avatar_api.meta import Condition
from avatar_operator.runtime_lifecycle.news import runtime_news
from builders.clock import NOON
from builders.objects import a_condition


@pytest.mark.parametrize(
    ("condition", "told"),
    [
        (a_condition("EndpointsReady", "True", "InService", "All serve."), ("Normal", "EndpointsReady")),
        (a_condition("Stalled", "True", "UnsupportedBackend"), ("Warning", "UnsupportedBackend")),
        (
            a_condition("NotificationsDelivered", "False", "TopicNotFound"),
            ("Warning", "NotificationsFailing"),
        ),
        (a_condition("TenantsApart", "False", "PrefixShared"), ("Warning", "PrefixShared")),
    ],
)
def test_what_has_come_to_pass_is_told_as_of_its_time(condition: Condition, told: tuple[str, str]) -> None:
    (news,) = runtime_news({"status": AvatarRuntimeStatus(conditions=[condition]).to_wire()})

    assert (news.notice.type, news.notice.reason) == told
    assert (news.notice.message, news.time) == (condition.message, NOON)


def test_nothing_is_told_of_what_is_well_or_under_way() -> None:
    conditions = [
        a_condition("EndpointsReady", "False", "Creating"),
        a_condition("Stalled", "False", "InProgress"),
        a_condition("NotificationsDelivered", "True", "Delivered"),
        a_condition("TenantsApart", "True", "Apart"),
    ]

    assert runtime_news({"status": AvatarRuntimeStatus(conditions=conditions).to_wire()}) == ()
