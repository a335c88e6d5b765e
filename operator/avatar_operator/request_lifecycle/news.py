"""What an AvatarRequest's status says that is worth telling. Pure: the same status gives the same news."""

from avatar_api.avatar_request import AvatarRequestStatus
from avatar_operator.core.conditions import find_condition
from avatar_operator.core.decision import Notice
from avatar_operator.core.foreign_status import news_of_foreign
from avatar_operator.core.news import News
from avatar_operator.kube.client import Object
from avatar_operator.request_lifecycle.conditions import SUCCEEDED

REQUEST_SUCCEEDED = "dev.avatars.request.succeeded.v1alpha1"
REQUEST_FAILED = "dev.avatars.request.failed.v1alpha1"


def request_news(body: Object) -> tuple[News, ...]:
    """The news in an AvatarRequest.

    Args:
        body: the object; its status is read.
    """
    status = AvatarRequestStatus.model_validate(body["status"])
    news = []
    succeeded = find_condition(status.conditions, SUCCEEDED)
    if succeeded is not None and succeeded.status == "True":
        notice = Notice("Normal", "PicturesDrawn", succeeded.message, announce=REQUEST_SUCCEEDED)
        news.append(News(notice, occasion="", time=succeeded.last_transition_time))
    if status.last_failure is not None:
        failure = status.last_failure
        notice = Notice("Warning", failure.reason, failure.message, announce=REQUEST_FAILED)
        news.append(News(notice, occasion="", time=failure.time))
    if status.start_time is not None:
        news += [
            News(Notice("Warning", warning.reason, warning.message), occasion="", time=status.start_time)
            for warning in status.warnings
        ]
    return (*news, *news_of_foreign(status))
