"""What an AvatarRuntime's status says that is worth telling. Pure: the same status gives the same news."""

from avatar_api.avatar_runtime import AvatarRuntimeStatus
from avatar_operator.core.conditions import STALLED, find_condition
from avatar_operator.core.decision import Notice
from avatar_operator.core.news import News
from avatar_operator.kube.client import Object
from avatar_operator.runtime_readiness import ENDPOINTS_READY


def runtime_news(body: Object) -> tuple[News, ...]:
    """The news in an AvatarRuntime.

    Args:
        body: the object; its status is read.
    """
    status = AvatarRuntimeStatus.model_validate(body["status"])
    news = []
    ready, failed = (
        find_condition(status.conditions, ENDPOINTS_READY),
        find_condition(status.conditions, STALLED),
    )
    if ready is not None and ready.status == "True":
        notice = Notice("Normal", "EndpointsReady", ready.message or "Every endpoint is in service.")
        time = ready.last_transition_time
        news.append(News(notice, occasion=time.isoformat(), time=time))
    if failed is not None and failed.status == "True":
        notice = Notice("Warning", failed.reason, failed.message)
        time = failed.last_transition_time
        news.append(News(notice, occasion=time.isoformat(), time=time))
    return tuple(news)
