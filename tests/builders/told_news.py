"""Everything that ever stood in a status and was worth announcing, beside what was announced.

News that stood in no status any more when the process died that had not told it yet is nobody's to tell: whoever
retrained a failed model while the topic was away knows of the failure. All other news must arrive.
"""

from avatar_api.group import AVATAR_MODEL, Kind
from avatar_operator.kube.client import Object
from avatar_operator.model_lifecycle.news import model_news
from builders.world import RecordingAnnouncer


class ToldNews:
    """The books about news of AvatarModels. Watches an API server.

    Args:
        announcer: what applications are told.
    """

    def __init__(self, announcer: RecordingAnnouncer) -> None:
        self._announcer = announcer
        self._due: set[str] = set()
        self._ever: set[str] = set()
        self._standing: dict[str, set[str]] = {}

    def see(self, kind: Kind, body: Object, gone: bool) -> None:
        """A version of an object stands in the API server, or is gone."""
        if kind != AVATAR_MODEL:
            return
        uid = body["metadata"]["uid"]
        if gone:
            self._standing.pop(uid, None)
            return
        news = model_news(body) if body.get("status") else ()
        standing = {one.id_of(uid) for one in news if one.notice.announce is not None}
        self._standing[uid] = standing
        self._due |= standing
        self._ever |= standing

    def a_process_died(self) -> None:
        """What it had not told, and what stands nowhere any more, is lost with it."""
        standing = set().union(*self._standing.values())
        self._due = {one for one in self._due if one in standing or one in self._told()}

    def missing(self) -> set[str]:
        """What has to be told and was not."""
        return self._due - self._told()

    def invented(self) -> set[str]:
        """What was told and stood in no status."""
        return self._told() - self._ever

    def _told(self) -> set[str]:
        return {announcement.id for announcement in self._announcer.announced}
