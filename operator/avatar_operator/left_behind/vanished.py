"""Objects that vanish without having been let go: their finalizer was stripped, by a person or by a restored backup.

Whatever belongs to them is still there, and an attempt may be running: its worker would upload somebody's likeness to a
place of which no object knows. So their runtime takes over what the last version that was seen leaves behind, as if they had
been deleted: `deletionPolicy` holds, and what is to stay is marked so. The first removal comes at once. It takes away the
claim of an attempt, with which its worker stops; the last removal comes when no worker can be alive any more.

Only who leads may judge, and only what it saw itself: for a replica that stands by every object vanishes that its leader lets
go. What vanishes while nobody leads is found by the uid in its keys, as an orphan. There it is the runtime's to say whether
it is removed, because in a bucket nobody can tell it from what another cluster stores.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from pydantic import ValidationError

from avatar_api.avatar_model import AvatarModel
from avatar_api.avatar_request import AvatarRequest
from avatar_api.avatar_runtime import LeftBehind
from avatar_api.endings import raw_active_attempt, raw_request_has_ended
from avatar_api.group import AVATAR_MODEL, AVATAR_REQUEST, Kind
from avatar_api.reading import read_for_deletion
from avatar_operator.core.clock import Clock
from avatar_operator.kube.cache import ObjectCache, ObjectKey
from avatar_operator.kube.client import Object
from avatar_operator.kube.lookup import find_keeper
from avatar_operator.left_behind.entries import has_stored, left_by_model, left_by_request
from avatar_operator.left_behind.last_removal import FIRST_TRY_SECONDS, LONGEST_CALL_SECONDS, end_of_attempt
from avatar_operator.left_behind.register import LeftBehindRegister

logger = structlog.get_logger(__name__)


class VanishedObjects:
    """Hands over what vanished objects leave behind.

    Args:
        cache: tells what vanishes.
        clock: dates entries.
        register: takes them to the runtimes.
        leads: whether this process leads.
    """

    def __init__(
        self, cache: ObjectCache, clock: Clock, register: LeftBehindRegister, leads: Callable[[], bool]
    ) -> None:
        self._cache = cache
        self._clock = clock
        self._register = register
        self._leads = leads
        self._begun = False
        cache.subscribe(self._changed, own_writes=False)

    def begin(self) -> None:
        """This process leads, and its cache is true: what vanishes from now on was not let go by a former leader."""
        self._begun = True

    def _changed(self, kind: Kind, key: ObjectKey, body: Object, deleted: bool) -> None:
        if (
            not deleted
            or not self._begun
            or not self._leads()
            or self._cache.is_let_go(body["metadata"]["uid"])
        ):
            return
        try:
            found = self._left_by(kind, body)
        except ValidationError as error:
            logger.warning("an object vanished that cannot be read", object=str(key), error=str(error))
            return
        if found is not None:
            runtime_name, entry = found
            logger.warning(
                "an object vanished without having been let go: its runtime takes over what it leaves behind",
                object=str(key),
                uid=entry.uid,
                runtime=runtime_name,
                locations=entry.locations,
            )
            self._register.hand_over(runtime_name, entry)

    def _left_by(self, kind: Kind, body: Object) -> tuple[str, LeftBehind] | None:
        now = self._clock.now()
        # Dated back, so that it is tried at once.
        since = now - timedelta(seconds=FIRST_TRY_SECONDS)
        if kind == AVATAR_MODEL:
            model = read_for_deletion(AvatarModel, body).object
            runtime = find_keeper(
                self._cache, model.spec.runtime_ref.name, recorded=model.status.storage is not None
            )
            if runtime is None or not has_stored(model):
                return None
            end = None if raw_active_attempt(body) is None else end_of_attempt(runtime, now)
            return runtime.metadata.name, left_by_model(runtime, model, since, may_grow_until=end)
        if kind == AVATAR_REQUEST:
            request = read_for_deletion(AvatarRequest, body).object
            stored = request.status.storage_prefix is not None
            runtime = find_keeper(self._cache, request.status.runtime_name or "", recorded=stored)
            if runtime is None or not stored:
                return None
            end = None if raw_request_has_ended(body) else _end_of_calls(now)
            return runtime.metadata.name, left_by_request(runtime, request, since, may_grow_until=end)
        return None


def _end_of_calls(now: datetime) -> datetime:
    return now + timedelta(seconds=LONGEST_CALL_SECONDS)
