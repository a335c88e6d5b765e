"""Have a model looked at once its photos have arrived.

Photos come one after the other, and a model begins to train as soon as there are enough of them. So it is looked at when
nothing has changed for some seconds, not at the first photo that makes enough. Somebody who uploads without a pause is
seen by the look that a model without photos takes by itself now and then.

Who waits where is kept by place, so that a bucket with much else going on costs two look-ups for each of its events.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any

from avatar_api.group import AVATAR_MODEL, Kind
from avatar_operator.aws.s3_location import S3Location
from avatar_operator.kube.cache import ObjectCache, ObjectKey
from avatar_operator.kube.client import Object

QUIET_SECONDS = 3.0


class PhotoArrivals:
    """The models that have not been accepted, by where their photos shall be. Use from one event loop only.

    Args:
        cache: tells of the models.
        look: has a model looked at.
    """

    def __init__(self, cache: ObjectCache, look: Callable[[ObjectKey], None]) -> None:
        self._look = look
        self._places: dict[ObjectKey, frozenset[str]] = {}
        self._waiting: defaultdict[str, set[ObjectKey]] = defaultdict(set)
        self._timers: dict[ObjectKey, asyncio.TimerHandle] = {}
        cache.subscribe(self._seen)

    def changed(self, location: S3Location) -> bool:
        """An object came, changed or went; True if somebody waits for it."""
        directory = location.uri.removesuffix(location.name)
        concerned = self._waiting.get(location.uri, set()) | self._waiting.get(directory, set())
        for key in concerned:
            self._put_off(key)
        return bool(concerned)

    def _put_off(self, key: ObjectKey) -> None:
        timer = self._timers.pop(key, None)
        if timer is not None:
            timer.cancel()
        self._timers[key] = asyncio.get_running_loop().call_later(QUIET_SECONDS, self._due, key)

    def _due(self, key: ObjectKey) -> None:
        del self._timers[key]
        if key in self._places:
            self._look(key)

    def _seen(self, kind: Kind, key: ObjectKey, body: Object, deleted: bool) -> None:
        if kind != AVATAR_MODEL:
            return
        places = frozenset() if deleted or _is_accepted(body) else _places(body)
        for place in self._places.pop(key, frozenset()):
            self._waiting[place].discard(key)
            if not self._waiting[place]:
                del self._waiting[place]
        if places:
            self._places[key] = places
        for place in places:
            self._waiting[place].add(key)


def _is_accepted(model: Mapping[str, Any]) -> bool:
    conditions = model.get("status", {}).get("conditions", ())
    return any(
        condition.get("type") == "Accepted" and condition.get("status") == "True" for condition in conditions
    )


def _places(model: Mapping[str, Any]) -> frozenset[str]:
    """The prefix of a model's photos, which ends with a slash, or each photo that it names."""
    photos = model.get("spec", {}).get("photos", {})
    named = [photo.get("uri", "") for photo in photos.get("objects") or ()]
    return frozenset(place for place in (photos.get("s3Prefix"), *named) if place)
