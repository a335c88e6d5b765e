"""A tenant who does whatever its rights allow, and whatever somebody may allow it by mistake: every verb, any field.

It knows what its neighbours are called, their uids, and how every name and key is made of them; it guesses nothing. What it
does not know is what they keep (`neighbours.CANARIES`). It writes statuses and finalizers, too: nothing in the cluster is
there to refuse it but the schemas. Nothing in the world may follow from what it does but what is its own.
"""

import asyncio
import json
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from avatar_api.group import AVATAR_MODEL, AVATAR_REQUEST, FINALIZER, Kind
from avatar_operator.kube.client import Object
from avatar_operator.names import inference_id
from builders import any_object
from builders.dangerous_words import OWN_NAME, dangerous_words, neighbours_uids
from builders.honest_workers import LONG_TRAINING
from builders.manifests import Manifest, model_manifest, request_manifest
from builders.neighbours import (
    NEIGHBOURS,
    TRAINED,
    Neighbourhood,
    uid_of,
)
from builders.status_forger import StatusForger
from builders.whole_operator import WATCH_SECONDS

NAMESPACES = (*("team-a", "team", "b") * 2, "output", "failure")
"""A namespace like any other, beginnings and ends of a neighbour's name, and what stands in keys."""
LONGEST_NAME = 63
PAUSES = (*[1.0, 0.03, 3.0, 9.0] * 5, *[0.0, 70.0, 400.0] * 2, 4000.0)


class HostileTenant:
    """One tenant and all that it has done.

    Args:
        neighbourhood: where it lives.
        namespace: its own.
        data: chooses.
    """

    def __init__(self, neighbourhood: Neighbourhood, namespace: str, data: st.DataObject) -> None:
        self._neighbourhood = neighbourhood
        self._kube = neighbourhood.around.kube
        self.namespace = namespace
        self._data = data
        self._number = 0
        self.uids: dict[str, Kind] = {}
        """Of every object that it ever had."""
        self._forger = StatusForger(neighbourhood, namespace, data)
        self.written = ""
        """All that it ever wrote: of that it learns nothing when it reads it."""
        self._deeds: tuple[tuple[int, Callable[[], None]], ...] = (
            (4, lambda: self._create(AVATAR_MODEL)),
            (4, lambda: self._create(AVATAR_REQUEST)),
            (2, self._change_spec),
            (12, self._forge_status),
            (2, self._change_metadata),
            (2, self._delete),
            (1, self._upload),
            (2, self._notify),
            (1, self.flood),
        )
        """What it may do, and how often rather than something else."""

    def act(self) -> float:
        """Do something; the seconds are returned after which it goes on."""
        self._forger.remember(self._own())
        self._choose(deed for times, deed in self._deeds for _ in range(times))()
        seconds: float = self._choose(PAUSES)
        return seconds

    def move_in(self) -> None:
        """Begin as an honest tenant does."""
        self._neighbourhood.upload_photos(self.namespace, OWN_NAME, "sunny")
        self._make(AVATAR_MODEL, self._model(OWN_NAME))
        self._make(AVATAR_REQUEST, self._request(f"{OWN_NAME}-first"))
        self._make(AVATAR_MODEL, self._model(f"{OWN_NAME}-{LONG_TRAINING}"))

    def _model(self, name: str) -> Manifest:
        photos = {"s3Prefix": f"s3://photos/{self.namespace}/{OWN_NAME}/"}
        return model_manifest(namespace=self.namespace, name=name, spec={"photos": photos})

    def _request(self, name: str, model: str = OWN_NAME, pictures: int = 8) -> Manifest:
        prompts = [{"prompt": "sks", "numImages": pictures, "seed": 1}]
        spec = {"modelRef": {"name": model}, "prompts": prompts}
        return request_manifest(namespace=self.namespace, name=name, spec=spec)

    def _create(self, kind: Kind) -> None:
        name = self._name()
        if kind == AVATAR_MODEL:
            manifest = self._model(name)
        else:
            own = [body["metadata"]["name"] for each, body in self._own() if each == AVATAR_MODEL]
            manifest = self._request(name, self._choose([*own, OWN_NAME]))
        if self._choose((False, True)):
            manifest["spec"] |= self._reaching(kind)
        manifest["spec"] = self._changed(kind, "spec", manifest["spec"])
        if self._choose((False, False, True)):
            manifest["metadata"] |= self._metadata()
        self._make(kind, manifest)
        if self._choose((False, True)):
            self._forge(kind, self._kube.read(kind, name, namespace=self.namespace))

    def _reaching(self, kind: Kind) -> Manifest:
        """What a spec says that names places of a neighbour's, straight or by a detour."""
        ways = ("{0}/", "{0}/{2}/", "{1}/../{0}/{2}/", "{1}-b/", "{1}/%2e%2e/{0}/", "{1}//{0}/")
        where = self._choose(ways)
        place = where.format(self._choose(NEIGHBOURS), self.namespace, TRAINED)
        if kind == AVATAR_REQUEST:
            return {"output": {"prefix": f"s3://{self._choose(('albums', 'pictures'))}/{place}"}}
        objects = [{"uri": f"s3://photos/{place}{number:02}.jpg"} for number in range(12)]
        return {"photos": self._choose(({"s3Prefix": f"s3://photos/{place}"}, {"objects": objects}))}

    def _change_spec(self) -> None:
        own = self._one_of_its_own()
        if own is None:
            return
        kind, body = own
        changes = self._changed(kind, "spec", body["spec"])
        gone = {name: None for name in body["spec"] if name not in changes}
        self._wrote(changes)
        self._kube.patch(
            kind, body["metadata"]["name"], {"spec": {**changes, **gone}}, namespace=self.namespace
        )

    def _forge_status(self) -> None:
        own = self._one_of_its_own()
        if own is None:
            return
        self._forge(*own)

    def _forge(self, kind: Kind, body: Object) -> None:
        status = self._changed(kind, "status", self._forger.forged(kind, body))
        self._wrote(status)
        self._kube.force_status(kind, body["metadata"]["name"], status, namespace=self.namespace)
        self._go_on_with(kind, body["metadata"], self._choose(("", "hint", "hint", "delete", "draw", "draw")))

    def _go_on_with(self, kind: Kind, metadata: Manifest, deed: str) -> None:
        """Do what makes the operator use a status that was forged."""
        if deed == "hint":
            # Once what it wrote was seen: whoever is told before looks at what was there before.
            told = inference_id(metadata["uid"], 1, 1)
            hints = self._neighbourhood.workers.hints
            asyncio.get_running_loop().call_later(2 * WATCH_SECONDS, hints.tell, told)
        elif deed == "delete":
            self._kube.delete_as_user(kind, metadata["name"], namespace=self.namespace)
        elif deed == "draw" and kind == AVATAR_MODEL:
            self._make(AVATAR_REQUEST, self._request(self._name(), metadata["name"]))

    def _change_metadata(self) -> None:
        own = self._one_of_its_own()
        if own is None:
            return
        kind, body = own
        metadata = self._metadata()
        if "deletionTimestamp" in body["metadata"] and "finalizers" in metadata:
            known = body["metadata"].get("finalizers", [])
            metadata["finalizers"] = [each for each in metadata["finalizers"] if each in known]
        self._wrote(metadata)
        self._kube.patch(kind, body["metadata"]["name"], {"metadata": metadata}, namespace=self.namespace)

    def _metadata(self) -> Manifest:
        words = st.sampled_from(self._words())
        uids = [uid_of(neighbour, TRAINED) for neighbour in NEIGHBOURS]
        owner = {
            "apiVersion": "avatars.dev/v1alpha1",
            "kind": "AvatarModel",
            "name": TRAINED,
            "uid": self._choose(uids),
        }
        chosen: Manifest = self._data.draw(
            st.fixed_dictionaries(
                {},
                optional={
                    "finalizers": st.sampled_from(
                        ([], [FINALIZER], ["example.com/held"], [FINALIZER, "example.com/held"])
                    ),
                    "labels": st.dictionaries(st.just("avatars.dev/runtime"), words),
                    "annotations": st.dictionaries(st.just("avatars.dev/told-avatarmodels"), words),
                    "ownerReferences": st.just([owner]),
                    "generateName": words,
                },
            )
        )
        return chosen

    def _delete(self) -> None:
        own = self._one_of_its_own()
        if own is not None:
            self._kube.delete_as_user(own[0], own[1]["metadata"]["name"], namespace=self.namespace)

    def _upload(self) -> None:
        key = self._choose(
            (
                f"{OWN_NAME}/..",
                f"{OWN_NAME}/a\nb.jpg",
                "../team-b/x.jpg",
                f"{OWN_NAME}//x",
                "x.jpg",
                "é" * 300,
            )
        )
        uri = f"s3://photos/{self.namespace}/{key}"
        self._wrote(uri)
        self._neighbourhood.aws.store(uri, b"anything")

    def _notify(self) -> None:
        # Of its own more often: whoever is asked about looks at what its status says.
        uids = [*self.uids, *self.uids, *(uid for _, uid in neighbours_uids())]
        self._neighbourhood.workers.hints.tell(inference_id(self._choose(uids), 1, 1))

    def flood(self) -> None:
        """Ask for more than all workers can draw at once, several times over: one call each, so that it costs little to tell."""
        for _ in range(60):
            self._make(AVATAR_REQUEST, self._request(self._name(), pictures=1))

    def _changed(self, kind: Kind, part: str, document: Any) -> Any:
        """A document with some fields changed to anything, or as it is where the schema does not take that."""
        times = self._choose((1, 0, 0, 1, 2, 3))
        return any_object.changed(
            self._data, any_object.schema_of(kind, part), document, self._words(), times=times
        )

    def _words(self) -> list[str]:
        return dangerous_words(self.namespace, list(self.uids)[:3])

    def _one_of_its_own(self) -> tuple[Kind, Object] | None:
        kinds = [kind for kind, _ in self._own()]
        if not kinds:
            return None
        # A flood of requests leaves the models as likely as they were.
        kind = self._choose(dict.fromkeys(kinds))
        own = [each for each in self._own() if each[0] == kind]
        chosen: tuple[Kind, Object] = own[self._choose(range(len(own)))]
        return chosen

    def _own(self) -> list[tuple[Kind, Object]]:
        return self._kube.everything(namespace=self.namespace)

    def _make(self, kind: Kind, manifest: Manifest) -> None:
        self._wrote(manifest)
        # Uids are the API server's to give: the same in every telling of a story.
        uid = uid_of(self.namespace, f"{manifest['metadata']['name']}-{len(self.uids)}")
        self.uids[uid] = kind
        self._kube.create(kind, manifest, uid=uid)

    def _name(self) -> str:
        self._number += 1
        name = f"{OWN_NAME}-{self._number}"
        # As long as names may be, too.
        return name if self._number % 3 else f"{name}-".ljust(LONGEST_NAME, "x")

    def _wrote(self, document: Any) -> None:
        self.written += json.dumps(document)

    def _choose(self, among: Any) -> Any:
        return self._data.draw(st.sampled_from(list(among)))
