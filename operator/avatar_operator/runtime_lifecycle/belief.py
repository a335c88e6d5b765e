"""How much of an AvatarRuntime's `status.leftBehind` can be true. Pure.

What an entry names is deleted. So an entry is believed only of an object that is gone or going, and only if each of its
directories is named for that object: whoever may write a status shall not have the operator delete what somebody still has.
And it is tried no later than the operator itself would come back for it: an entry holds one of few places until then.
"""

from datetime import datetime, timedelta

from avatar_api.avatar_runtime import AvatarRuntime, LeftBehind
from avatar_operator.backends.census import is_named_for
from avatar_operator.kube.cache import ObjectCache
from avatar_operator.left_behind.last_removal import LONGEST_ATTEMPT_SECONDS
from avatar_operator.locations import MODEL
from avatar_operator.own_places import is_own_directory, is_plain_prefix
from avatar_operator.runtime_lifecycle.phases.leftovers import next_try

LEFT_BEHIND = "status.leftBehind"


def believed_left_behind(runtime: AvatarRuntime, cache: ObjectCache, now: datetime) -> list[LeftBehind]:
    """The entries of a runtime that can be the operator's own, as far as their times can be."""
    return [
        _in_time(entry, now)
        for entry in runtime.status.left_behind
        if _is_gone(entry, cache) and _names_its_own(entry)
    ]


def _in_time(entry: LeftBehind, now: datetime) -> LeftBehind:
    longest = now + timedelta(seconds=LONGEST_ATTEMPT_SECONDS)
    if entry.may_grow_until is not None and entry.may_grow_until > longest:
        entry = entry.model_copy(update={"may_grow_until": longest})
    before = entry.model_copy(update={"tries": entry.tries - 1})
    if entry.since > longest or (entry.tries and next_try(before) > now):
        return entry.model_copy(update={"since": now, "tries": 0})
    return entry


def _is_gone(entry: LeftBehind, cache: ObjectCache) -> bool:
    key = cache.by_uid(entry.uid)
    body = None if key is None else cache.get(key)
    return body is None or body["metadata"].get("deletionTimestamp") is not None


def _names_its_own(entry: LeftBehind) -> bool:
    locations = [*entry.locations, *entry.retained]
    if entry.kind == MODEL:
        return all(is_own_directory(location, entry.namespace, entry.uid) for location in locations)
    # Below a prefix of the user's own a request's pictures lie without the namespace.
    return all(is_named_for(location, entry.uid) and is_plain_prefix(location) for location in locations)
