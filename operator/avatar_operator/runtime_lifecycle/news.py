"""What an AvatarRuntime's status says that is worth telling. Pure: the same status gives the same news."""

from collections.abc import Iterator
from typing import Literal

from avatar_api.avatar_runtime import AvatarRuntimeStatus, LeftBehind, Orphans
from avatar_api.meta import Condition
from avatar_operator.core.conditions import STALLED, find_condition
from avatar_operator.core.decision import Notice
from avatar_operator.core.foreign_status import news_of_foreign
from avatar_operator.core.news import News
from avatar_operator.core.words import counted
from avatar_operator.kube.client import Object
from avatar_operator.runtime_lifecycle.conditions import NOTIFICATIONS_DELIVERED, TENANTS_APART
from avatar_operator.runtime_readiness import ENDPOINTS_READY


def runtime_news(body: Object) -> tuple[News, ...]:
    """The news in an AvatarRuntime.

    Args:
        body: the object; its status is read.
    """
    status = AvatarRuntimeStatus.model_validate(body["status"])
    ready = find_condition(status.conditions, ENDPOINTS_READY)
    failed = find_condition(status.conditions, STALLED)
    told = find_condition(status.conditions, NOTIFICATIONS_DELIVERED)
    apart = find_condition(status.conditions, TENANTS_APART)
    found = (
        None if ready is None or ready.status != "True" else _news(ready, "Normal", "EndpointsReady"),
        None if failed is None or failed.status != "True" else _news(failed, "Warning", failed.reason),
        None if told is None or told.status != "False" else _news(told, "Warning", "NotificationsFailing"),
        None if apart is None or apart.status != "False" else _news(apart, "Warning", apart.reason),
    )
    left_behind = (
        _left_behind(entry) for entry in status.left_behind if entry.may_grow_until is None or entry.tries
    )
    return (
        *(news for news in found if news is not None),
        *left_behind,
        *_orphans(status.orphans),
        *news_of_foreign(status),
    )


def _orphans(orphans: Orphans | None) -> Iterator[News]:
    if orphans is not None and orphans.found:
        message = (
            f"{counted(orphans.found, 'thing')} without an owner in this cluster: data below spec.storage, or endpoints and"
            " what belongs to them. The operator's log names each. With spec.garbageCollection.orphans: Delete what is"
            " certainly this runtime's is removed."
        )
        notice = Notice("Warning", "OrphansFound", message)
        yield News(notice, occasion=str(orphans.found), time=orphans.last_checked_time)


def _left_behind(entry: LeftBehind) -> News:
    message = (
        f"Data of {entry.kind} {entry.namespace}/{entry.name} could not be removed with it, and is tried again:"
        f" {', '.join(entry.locations)}"
    )
    return News(Notice("Warning", "LeftBehind", message), occasion=entry.uid, time=entry.since)


def _news(condition: Condition, notice_type: Literal["Normal", "Warning"], reason: str) -> News:
    time = condition.last_transition_time
    return News(Notice(notice_type, reason, condition.message), occasion=time.isoformat(), time=time)
