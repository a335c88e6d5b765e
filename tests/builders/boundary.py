"""What holds between tenants, whatever one of them does: read off the calls at AWS's edge and all that anybody can read."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from avatar_api.documents.inference import InferenceRequest
from avatar_api.documents.training import TrainingRequest
from avatar_api.group import AVATAR_MODEL
from avatar_operator.locations import RETAINED
from avatar_operator.names import parse_inference_id
from builders.dangerous_words import OWN_NAME
from builders.drawing_crowd import Draw
from builders.hostile_tenant import HostileTenant
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
from builders.recording_aws import Asked

HOMES = (
    "s3://models/requests/",
    "s3://models/requests/output/",
    "s3://models/requests/failure/",
    "s3://models/artifacts/",
    "s3://pictures/",
)
USERS_HOMES = ("s3://photos/", "s3://albums/")
_LEADS_AWAY = re.compile(r"/\.{1,2}/|//(?<!s3://)|%2e|%2f", re.IGNORECASE)
"""S3 takes it to the letter; whoever stands in for S3 need not."""
CHANGING = ("put_object", "delete_object", "delete_objects")
PASSING = re.compile(r"Time(stamp)?$|^(timings|estimatedCost|seconds|resourceVersion|logURL|logUrl)$")
"""What differs from one telling of a story to the next."""


def calls_beyond(tenant: HostileTenant, asked: Iterable[Asked]) -> list[str]:
    """Calls on behalf of a tenant that reach for what is not its own, in words; calls of the others that reach for it."""
    return [
        f"{call.verb} {call.place}"
        for call in asked
        if call.tenant == tenant.namespace and not _is_own(tenant, call)
    ]


def changes_of_neighbours(asked: Iterable[Asked]) -> list[str]:
    """Writes to what is a neighbour's on behalf of somebody else."""
    return [
        f"{call.verb} {call.place} for {call.tenant or 'the platform'}"
        for call in asked
        for neighbour in NEIGHBOURS
        if call.verb in CHANGING and call.tenant != neighbour and _is_a_neighbours(neighbour, call.place)
    ]


def _is_a_neighbours(neighbour: str, uri: str) -> bool:
    return uri.startswith(tuple(f"{home}{neighbour}/" for home in (*HOMES, *USERS_HOMES)))


def _is_own(tenant: HostileTenant, call: Asked) -> bool:
    if call.verb == "list_objects_v2" and _LEADS_AWAY.search(call.place):
        return False
    match call.verb:
        case "invoke_endpoint":
            prefix = InferenceRequest.model_validate_json(call.details["Body"]).output_prefix or ""
            models = [uid for uid, kind in tenant.uids.items() if kind == AVATAR_MODEL]
            own = [f"{tenant.namespace}/{uid}/" for uid in models]
            return call.place.startswith(tuple(own)) and _is_own_place(tenant, prefix)
        case "invoke_endpoint_async":
            name = parse_inference_id(call.place)
            extension, location = call.details["S3OutputPathExtension"], call.details["InputLocation"]
            return (
                name is not None
                and name.uid in tenant.uids
                and extension.startswith(f"{tenant.namespace}/{name.uid}/")
                and _is_own_place(tenant, location)
            )
        case "get_object" | "head_object":
            return _is_own_place(tenant, call.place) or call.place.startswith(
                f"s3://photos/{tenant.namespace}/"
            )
        case "put_object" if not call.place.endswith(f"/{RETAINED}"):
            return _is_own_place(tenant, call.place)
        case "list_objects_v2" if call.details.get("Delimiter"):
            return _is_own_place(tenant, call.place) or call.place.startswith(
                f"s3://photos/{tenant.namespace}/"
            )
        case _:
            # What is removed, or marked as to be kept, may lie where the runtime allows no more.
            return _is_own_place(tenant, call.place) or _is_named_for_own(tenant, call.place)


def _is_own_place(tenant: HostileTenant, uri: str) -> bool:
    own = [f"{home}{tenant.namespace}/{uid}/" for home in HOMES for uid in tenant.uids]
    return uri.startswith((*own, f"s3://albums/{tenant.namespace}/"))


def _is_named_for_own(tenant: HostileTenant, uri: str) -> bool:
    """Whether a uid of the tenant's own is a part of a key: nobody else's data has such a one."""
    return any(f"/{uid}/" in uri for uid in tenant.uids)


def orders_beyond(tenant: HostileTenant, neighbourhood: Neighbourhood) -> list[str]:
    """What workers are told to read and write for a tenant that is not its own."""
    beyond = []
    for uri in neighbourhood.aws.below(f"s3://models/requests/{tenant.namespace}/"):
        if uri.endswith("/request.json"):
            request = TrainingRequest.model_validate_json(neighbourhood.aws.objects[uri].body)
            places = (request.claim_uri, request.artifact.uri, request.artifact.manifest_uri)
            beyond += [place for place in places if not _is_own_place(tenant, place)]
            photos = f"s3://photos/{tenant.namespace}/"
            beyond += [photo.uri for photo in request.photos if not photo.uri.startswith(photos)]
    return beyond


def named_to(tenant: HostileTenant, neighbourhood: Neighbourhood) -> list[str]:
    """Words of neighbours in what a tenant can read, that it has not written itself."""
    known = [*NEIGHBOURS, *(uid_of(each, name) for each in NEIGHBOURS for name in _names())]
    known += [uid.replace("-", "") for uid in known if uid.count("-") == 4]
    words = [*CANARIES.values(), *(word for word in (*known, *_names()) if word not in tenant.written)]
    texts = list(_texts(neighbourhood, tenant.namespace))
    return [f"{word!r} in {text[:1500]}" for text in texts for word in words if word in text]


def named_to_neighbours(tenant: HostileTenant, neighbourhood: Neighbourhood) -> list[str]:
    """Words of a tenant in what its neighbours can read."""
    words = [OWN_NAME, *tenant.uids, *(uid.replace("-", "") for uid in tenant.uids)]
    texts = [text for neighbour in NEIGHBOURS for text in _texts(neighbourhood, neighbour)]
    return [f"{word!r} in {text[:1500]}" for text in texts for word in words if word in text]


def _names() -> tuple[str, ...]:
    return TRAINED, IN_TRAINING, FINISHED, RUNNING


def _texts(neighbourhood: Neighbourhood, namespace: str) -> Iterator[str]:
    """Every text that stands in a namespace or is told to its applications."""
    for (where, _), event in neighbourhood.around.kube.events.items():
        if where == namespace:
            yield json.dumps(event)
    for _, body in neighbourhood.around.kube.everything(namespace=namespace):
        yield json.dumps(body, default=str)
    for told in neighbourhood.around.announcer.announced:
        if told.namespace == namespace:
            yield json.dumps({"id": told.id, "type": told.type, "data": told.data}, default=str)


def what_neighbours_have(neighbourhood: Neighbourhood) -> dict[str, Any]:
    """Objects, Events, announcements and S3 of the neighbours, without what passes."""
    kube = neighbourhood.around.kube
    had: dict[str, Any] = {}
    for neighbour in NEIGHBOURS:
        for kind, body in kube.everything(namespace=neighbour):
            had[f"{kind.kind} {neighbour}/{body['metadata']['name']}"] = _lasting(body)
        events = [event for (where, _), event in kube.events.items() if where == neighbour]
        had[f"Events {neighbour}"] = sorted((each["reason"], each["note"]) for each in events)
        told = neighbourhood.around.announcer.announced
        had[f"told {neighbour}"] = sorted(
            (each.type, each.name, each.id) for each in told if each.namespace == neighbour
        )
        stored = neighbourhood.aws.objects.items()
        had |= {uri: each.body for uri, each in stored if _is_a_neighbours(neighbour, uri)}
    return had


def _lasting(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _lasting(child) for name, child in value.items() if not PASSING.search(name)}
    return [_lasting(child) for child in value] if isinstance(value, list) else value


def worst_wait(draws: Iterable[Draw], first: Draw, since: float) -> int:
    """The most draws of others that one worker was busy with while a request waited, from then until its first."""
    by_worker = Counter(
        draw.worker
        for draw in draws
        if draw.namespace != first.namespace
        and draw.began < first.began
        and (draw.ended is None or draw.ended > since)
    )
    return max(by_worker.values(), default=0)
