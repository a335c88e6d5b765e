"""A tenant of a real API server who does whatever occurs to it, in a user's name: every verb, any field, and others' objects.

It is impersonated, so what it may do is what roles and policies say, and nothing that a client refuses to send is lost: each
deed is one HTTP request. What answers is the API server's to choose; the statuses of the answers are kept.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st
from kubernetes import config

from avatar_api.group import API_VERSION, AVATAR_MODEL, AVATAR_REQUEST, FINALIZER, GROUP, VERSION, Kind
from builders import any_object
from builders.dangerous_words import CONDITIONS, OWN_NAME, PLAIN
from builders.forged_statuses import differences, fitted, grafted
from e2e.flight import SERVICE_ACCOUNT, Flight, Object
from local_cluster.access import Cluster

MERGE, APPLY = "application/merge-patch+json", "application/apply-patch+yaml"
NAMES = (
    f"{OWN_NAME}-1",
    f"{OWN_NAME}-2",
    f"{OWN_NAME}.dotted",
    OWN_NAME.ljust(63, "x"),
    OWN_NAME.ljust(254, "x"),
    "ann",
)
"""Short, long, too long, refused, and what others call theirs."""
MANAGERS = (SERVICE_ACCOUNT, "kubectl", "m" * 128, "m" * 129)
"""Field managers: the operator's own, another, the longest and one more."""
REFUSED = 300
FORBIDDEN = 403
KINDS = (AVATAR_MODEL, AVATAR_REQUEST)


class ApiTenant:
    """A user who has rights in one namespace, and uses them.

    Args:
        cluster: where.
        flight: whose namespace and runtime it has.
        victims: namespaces of others.
        stolen: what the others have, as somebody tells it.
        user: in whose name it acts.
    """

    def __init__(
        self, cluster: Cluster, flight: Flight, victims: tuple[str, ...], stolen: list[Object], user: str
    ) -> None:
        self._client = config.new_client_from_config(  # type: ignore[no-untyped-call]
            config_file=str(cluster.admin_kubeconfig)
        )
        self._flight, self._victims, self._stolen, self._user = flight, victims, stolen, user
        self.namespace = flight.namespace
        self._written = ""
        self.statuses_written: list[int] = []
        """What was answered when it wrote a status, or took the finalizer away."""
        self.trespasses: list[int] = []
        """What was answered when it reached for what others have."""
        self._remembered: list[Object] = []

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def act(self, data: st.DataObject) -> None:
        """Do something."""
        deeds: tuple[Callable[[st.DataObject], None], ...] = (
            *(self._create, self._create, self._change, self._apply),
            *(self._forge_status, self._forge_status, self._forge_status, self._change_metadata),
            *(self._delete, self._trespass),
        )
        data.draw(st.sampled_from(deeds))(data)

    def send(
        self,
        method: str,
        kind: Kind,
        name: str = "",
        body: Any = None,
        *,
        namespace: str = "",
        part: str = "",
        form: str = "application/json",
        **query: str,
    ) -> tuple[int, Object]:
        """One request in the user's name; the status and the document that are answered are returned."""
        if body is not None:
            self._written += json.dumps(body)
        parts = ("apis", GROUP, VERSION, "namespaces", namespace or self.namespace, kind.plural, name, part)
        asked = self._client.param_serialize(
            method,
            "/" + "/".join(each for each in parts if each),
            query_params=list(query.items()),
            header_params={
                "Impersonate-User": self._user,
                "Content-Type": form,
                "Accept": "application/json",
            },
            body=body,
            auth_settings=["BearerToken"],
        )
        answer = self._client.call_api(*asked)
        return answer.status, json.loads(answer.read() or b"{}")

    def take_written(self) -> str:
        """All that it wrote since this was asked last."""
        written, self._written = self._written, ""
        return written

    def own(self, kind: Kind) -> list[Object]:
        """What it has of a kind."""
        found: list[Object] = self.send("GET", kind)[1].get("items", [])
        return found

    def _manifest(self, data: st.DataObject, kind: Kind, name: str) -> Object:
        if kind == AVATAR_MODEL:
            manifest = self._flight.model_manifest(name)
        else:
            models = [body["metadata"]["name"] for body in self.own(AVATAR_MODEL)]
            manifest = self._flight.request_manifest(name, data.draw(st.sampled_from([*models, "ann"])))
        return {**manifest, "spec": self._changed(data, kind, "spec", manifest["spec"])}

    def _create(self, data: st.DataObject) -> None:
        kind, name = data.draw(st.sampled_from(KINDS)), data.draw(st.sampled_from(NAMES))
        manifest = self._manifest(data, kind, name)
        if data.draw(st.booleans()):
            manifest["metadata"] |= self._metadata(data)
        self.send("POST", kind, body=manifest)

    def _change(self, data: st.DataObject) -> None:
        kind, body = self._one(data)
        if body is None:
            return
        spec = self._changed(data, kind, "spec", body["spec"])
        if data.draw(st.booleans()):
            self.send("PUT", kind, body["metadata"]["name"], {**body, "spec": spec})
        else:
            self.send("PATCH", kind, body["metadata"]["name"], {"spec": spec}, form=MERGE)

    def _apply(self, data: st.DataObject) -> None:
        kind, name = data.draw(st.sampled_from(KINDS)), data.draw(st.sampled_from(NAMES))
        manager = data.draw(st.sampled_from(MANAGERS))
        part = data.draw(st.sampled_from(("", "status")))
        manifest = self._manifest(data, kind, name)
        if part:
            manifest["status"] = self._forged(data, kind, {})
        force = data.draw(st.sampled_from(("true", "false")))
        answer, _ = self.send(
            "PATCH", kind, name, manifest, part=part, form=APPLY, fieldManager=manager, force=force
        )
        if part:
            self.statuses_written.append(answer)

    def _forge_status(self, data: st.DataObject) -> None:
        kind, body = self._one(data)
        if body is None:
            return
        name, status = body["metadata"]["name"], self._forged(data, kind, body)
        if data.draw(st.booleans()):
            answer, _ = self.send("PUT", kind, name, {**body, "status": status}, part="status")
        else:
            answer, _ = self.send("PATCH", kind, name, {"status": status}, part="status", form=MERGE)
        self.statuses_written.append(answer)

    def _forged(self, data: st.DataObject, kind: Kind, body: Object) -> Any:
        """A status of its own, of today or of earlier, or another's made to fit, in which one thing is another's."""
        stolen = data.draw(st.sampled_from([each for each in self._stolen if each["kind"] == kind.kind]))
        metadata, own = stolen["metadata"], body.get("metadata", {})
        fits = {metadata["namespace"]: self.namespace, metadata["uid"]: own.get("uid", metadata["uid"])}
        beginnings = (body, *self._remembered, {"status": fitted(stolen["status"], fits)}, {})
        status = data.draw(st.sampled_from([each.get("status", {}) for each in beginnings]))
        places = list(differences(status, stolen["status"]))
        if places and data.draw(st.sampled_from((True, True, False))):
            status = grafted(status, stolen["status"], data.draw(st.sampled_from(places)))
        return self._changed(data, kind, "status", status)

    def _change_metadata(self, data: st.DataObject) -> None:
        kind, body = self._one(data)
        if body is None:
            return
        metadata = self._metadata(data)
        answer, _ = self.send("PATCH", kind, body["metadata"]["name"], {"metadata": metadata}, form=MERGE)
        held = FINALIZER in body["metadata"].get("finalizers", ())
        if "finalizers" in metadata and held != (FINALIZER in metadata["finalizers"]):
            self.statuses_written.append(answer)

    def _metadata(self, data: st.DataObject) -> Object:
        words = st.sampled_from(self._words())
        stranger = data.draw(st.sampled_from(self._stolen))
        owner = {
            "apiVersion": API_VERSION,
            "kind": stranger["kind"],
            "name": stranger["metadata"]["name"],
            "uid": stranger["metadata"]["uid"],
            "blockOwnerDeletion": True,
            "controller": True,
        }
        finalizers = st.sampled_from(([], [FINALIZER], ["example.com/held"], [FINALIZER, "example.com/held"]))
        chosen: Object = data.draw(
            st.fixed_dictionaries(
                {},
                optional={
                    "finalizers": finalizers,
                    "labels": st.dictionaries(st.just("avatars.dev/runtime"), words),
                    "annotations": st.dictionaries(st.just("avatars.dev/told-avatarmodels"), words),
                    "ownerReferences": st.just([owner]),
                },
            )
        )
        return chosen

    def _delete(self, data: st.DataObject) -> None:
        policy = data.draw(st.sampled_from(("Foreground", "Background", "Orphan")))
        kind, body = self._one(data)
        if body is None or data.draw(st.sampled_from((False, False, True))):
            self.send("DELETE", kind, propagationPolicy=policy)
        else:
            self.send("DELETE", kind, body["metadata"]["name"], propagationPolicy=policy)

    def _trespass(self, data: st.DataObject) -> None:
        """Do to another's what one may do to one's own."""
        stranger = data.draw(st.sampled_from(self._stolen))
        kind = next(each for each in KINDS if each.kind == stranger["kind"])
        name, namespace = stranger["metadata"]["name"], stranger["metadata"]["namespace"]
        patch, deletion = {"metadata": {"labels": {"is": OWN_NAME}}}, {"propagationPolicy": "Background"}
        tries: tuple[Callable[[], tuple[int, Object]], ...] = (
            lambda: self.send("GET", kind, name, namespace=namespace),
            lambda: self.send("GET", kind, namespace=namespace),
            lambda: self.send("PATCH", kind, name, patch, namespace=namespace, form=MERGE),
            lambda: self.send("PATCH", kind, name, patch, namespace=namespace, part="status", form=MERGE),
            lambda: self.send("DELETE", kind, name, namespace=namespace, **deletion),
            lambda: self.send("DELETE", kind, namespace=namespace, **deletion),
        )
        self.trespasses.append(data.draw(st.sampled_from(tries))()[0])

    def _one(self, data: st.DataObject) -> tuple[Kind, Object | None]:
        kind: Kind = data.draw(st.sampled_from(KINDS))
        own = sorted(self.own(kind), key=lambda body: str(body["metadata"]["name"]))
        self._remembered = [*self._remembered, *own][-8:]
        return kind, data.draw(st.sampled_from(own)) if own else None

    def _changed(self, data: st.DataObject, kind: Kind, part: str, document: Any) -> Any:
        times = data.draw(st.sampled_from((0, 1, 2)))
        return any_object.changed(
            data, any_object.schema_of(kind, part), document, self._words(), times=times
        )

    def _words(self) -> list[str]:
        bucket = f"s3://{self._flight.bucket}/"
        words = [*PLAIN, *CONDITIONS, OWN_NAME, self._flight.name, bucket, f"{bucket}requests/"]
        for victim in self._victims:
            words += [victim, f"{bucket}photos/{victim}/ann/", f"{bucket}shared/{victim}/"]
            words += [f"{bucket}photos/{self.namespace}/../{victim}/ann/"]
        for stranger in self._stolen:
            uid, owner = stranger["metadata"]["uid"], stranger["metadata"]["namespace"]
            words += [uid, f"{owner}/{uid}/r1-a1.tar.gz", f"{bucket}artifacts/{owner}/{uid}/r1-a1.tar.gz"]
            words += [f"{bucket}outputs/{owner}/{uid}/"]
        return words
