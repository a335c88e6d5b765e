"""Telling people: a notice becomes a Kubernetes Event and, if it is meant for applications, a CloudEvent.

Both are idempotent by a derived id, so a notice that is told again after a crash is the same notice.
"""

from avatar_api.avatar_runtime import AvatarRuntime
from avatar_api.group import AVATAR_MODEL, AVATAR_REQUEST, AVATAR_RUNTIME, KINDS
from avatar_operator.announcements.announcer import Announcement, Announcer
from avatar_operator.backends.failures import BackendError
from avatar_operator.core.clock import Clock
from avatar_operator.core.decision import Notice
from avatar_operator.core.errors import RetryLaterError
from avatar_operator.kube.cache import ObjectCache
from avatar_operator.kube.client import Object
from avatar_operator.kube.events import EventRecorder, notice_id
from avatar_operator.kube.lookup import find_model, find_runtime

_KINDS = {kind.kind: kind for kind in KINDS}


class NoticeTeller:
    """Tells notices to `kubectl describe` and to the runtime's status topic."""

    def __init__(
        self, recorder: EventRecorder, announcer: Announcer, cache: ObjectCache, clock: Clock
    ) -> None:
        self._recorder = recorder
        self._announcer = announcer
        self._cache = cache
        self._clock = clock

    async def tell(self, body: Object, notice: Notice, *, occasion: str) -> None:
        """Tell one notice about one object; telling it again changes nothing.

        Raises:
            RetryLaterError: the status topic could not be reached; nothing is lost, the whole pass is repeated.
        """
        await self._recorder.record(body, notice, occasion=occasion)
        runtime = self._runtime_of(body)
        if notice.announce is None or runtime is None:
            return
        metadata = body["metadata"]
        announcement = Announcement(
            type=notice.announce,
            id=notice_id(metadata["uid"], occasion, notice),
            time=self._clock.now(),
            kind=_KINDS[body["kind"]],
            namespace=metadata.get("namespace", ""),
            name=metadata["name"],
            uid=metadata["uid"],
            data={"reason": notice.reason, "message": notice.message},
        )
        try:
            await self._announcer.announce(runtime, announcement)
        except BackendError as error:
            raise RetryLaterError(f"the status topic could not be told: {error.message}") from error

    def _runtime_of(self, body: Object) -> AvatarRuntime | None:
        metadata, spec = body["metadata"], body["spec"]
        if body["kind"] == AVATAR_RUNTIME.kind:
            return find_runtime(self._cache, metadata["name"])
        if body["kind"] == AVATAR_MODEL.kind:
            return find_runtime(self._cache, spec["runtimeRef"]["name"])
        assert body["kind"] == AVATAR_REQUEST.kind
        model = find_model(self._cache, metadata["namespace"], spec["modelRef"]["name"])
        remembered = body.get("status", {}).get("runtimeName")
        name = remembered if model is None else model.spec.runtime_ref.name
        return None if name is None else find_runtime(self._cache, name)
