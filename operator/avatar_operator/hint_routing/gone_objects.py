"""The models that were deleted lately, by uid: what is still said of them is for nobody.

A uid never comes back, so nothing has to be forgotten for the sake of truth, only for that of memory. A process that
starts anew knows none of the older ones; what is said of those circulates until the queue's own limits end it.
"""

from collections import OrderedDict

from avatar_api.group import AVATAR_MODEL, Kind
from avatar_operator.kube.cache import ObjectCache, ObjectKey
from avatar_operator.kube.client import Object

MAX_REMEMBERED = 20_000


class GoneObjects:
    """The uids of the latest models that went.

    Args:
        cache: tells what goes.
    """

    def __init__(self, cache: ObjectCache) -> None:
        self._uids: OrderedDict[str, None] = OrderedDict()
        cache.subscribe(self._changed)

    def __contains__(self, uid: str) -> bool:
        return uid in self._uids

    def _changed(self, kind: Kind, _key: ObjectKey, body: Object, deleted: bool) -> None:
        if not deleted or kind != AVATAR_MODEL:
            return
        self._uids[body["metadata"]["uid"]] = None
        if len(self._uids) > MAX_REMEMBERED:
            self._uids.popitem(last=False)
