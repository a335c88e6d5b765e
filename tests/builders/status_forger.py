"""Makes the statuses that a hostile tenant writes, of those that it has, had, and knows of its neighbours (`forged_statuses`)."""

from collections.abc import Callable, Iterable
from typing import Any

from hypothesis import strategies as st

from avatar_api.group import AVATAR_MODEL, Kind
from avatar_operator.kube.client import Object
from builders.dangerous_words import OWN_NAME
from builders.forged_statuses import differences, fitted, grafted, names_somebody
from builders.neighbours import (
    CANARIES,
    FINISHED,
    IN_TRAINING,
    NEIGHBOURS,
    RUNNING,
    TRAINED,
    Neighbourhood,
    uid_of,
)


class StatusForger:
    """Whoever forges.

    Args:
        neighbourhood: where it lives.
        namespace: its own.
        data: chooses.
    """

    def __init__(self, neighbourhood: Neighbourhood, namespace: str, data: st.DataObject) -> None:
        self._kube = neighbourhood.around.kube
        self._namespace, self._data = namespace, data
        self._remembered: dict[tuple[Kind, str], list[Any]] = {}

    def remember(self, own: Iterable[tuple[Kind, Object]]) -> None:
        """Keep what the statuses of one's own objects say now."""
        for kind, body in own:
            status = body.get("status", {})
            known = self._remembered.setdefault((kind, body["metadata"]["uid"]), [status])
            if status not in known:
                known.append(status)

    def forged(self, kind: Kind, body: Object) -> Any:
        """A status for an object of one's own: one that it has or had, a neighbour's, or one made to fit, and what is grafted."""
        uid: str = body["metadata"]["uid"]
        own = [known for (each, _), known in self._remembered.items() if each == kind]
        ways: dict[str, Callable[[], Any]] = {
            "own": lambda: body.get("status", {}),
            "older": lambda: self._choose(self._remembered.get((kind, uid), [{}])),
            "of another": lambda: self._choose(self._choose(own or [[{}]])),
            "stolen": lambda: self._stolen(kind)[0],
            "fitted": lambda: self._fitted(kind, uid),
            "nothing": dict,
        }
        beginning = ways[self._choose((*ways, "own", "fitted"))]()
        return self._grafted(kind, beginning, uid) if self._choose((False, True, True)) else beginning

    def _grafted(self, kind: Kind, status: Any, uid: str) -> Any:
        """A status, a part or two of which are a neighbour's."""
        stolen, neighbour, name = self._stolen(kind)
        words = self._fitting(neighbour, name, uid)
        # One thing, or two that say the same in two ways, such as a key and the URI that ends with it.
        for _ in range(self._choose((1, 1, 2))):
            places = list(differences(status, stolen))
            if not places:
                return status
            naming = [place for place in places if names_somebody(stolen, place, words)]
            status = grafted(status, stolen, self._choose(self._choose([naming or places, places])))
        return status

    def _fitted(self, kind: Kind, uid: str) -> Any:
        stolen, neighbour, name = self._stolen(kind)
        return fitted(stolen, self._fitting(neighbour, name, uid))

    def _stolen(self, kind: Kind) -> tuple[Any, str, str]:
        """A neighbour's status, as somebody writes it who has not read it; whose it is, and of what."""
        neighbour = self._choose(NEIGHBOURS)
        name = self._choose((TRAINED, IN_TRAINING) if kind == AVATAR_MODEL else (FINISHED, RUNNING))
        status = self._kube.read(kind, name, namespace=neighbour).get("status", {})
        # It knows what statuses look like, and does not know these words.
        return fitted(status, dict.fromkeys(CANARIES.values(), "sks")), neighbour, name

    def _fitting(self, neighbour: str, name: str, uid: str) -> dict[str, str]:
        """What has to be replaced in the status of a neighbour's object so that it is one's own."""
        words = {uid_of(neighbour, name): uid, neighbour: self._namespace, TRAINED: OWN_NAME}
        if self._kube.exists(AVATAR_MODEL, OWN_NAME, namespace=self._namespace):
            theirs = self._kube.read(AVATAR_MODEL, TRAINED, namespace=neighbour)
            own = self._kube.read(AVATAR_MODEL, OWN_NAME, namespace=self._namespace)
            words.setdefault(theirs["metadata"]["uid"], own["metadata"]["uid"])
            artifacts = [each.get("status", {}).get("artifact", {}).get("sha256") for each in (theirs, own)]
            words |= {artifacts[0]: artifacts[1]} if all(artifacts) else {}
        return words

    def _choose(self, among: Any) -> Any:
        return self._data.draw(st.sampled_from(list(among)))
