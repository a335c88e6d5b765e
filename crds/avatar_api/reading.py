"""Reading an object that is being deleted, whatever another version wrote into it.

A living object that this version cannot read waits for one that can: guessing at a wish could cost money. A finalizer
cannot wait. Until it is taken away neither the object nor its namespace ends, and the version that could read it may
have been rolled back for good. So an object that is being deleted is read without the parts that make no sense here:
every one is left out, as small as possible, and named. What must not be missing gets a stand-in that errs towards
keeping: an unknown deletionPolicy is Retain, an unknown managementPolicy is Observe. Keys in storage carry uids, so a
stand-in for a place leads to nothing that belongs to somebody else.
"""

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import ValidationError

from avatar_api.schema_base import ApiModel

Kind = TypeVar("Kind", bound=ApiModel)
Place = tuple[str | int, ...]

_NOWHERE = "s3://unreadable/"
_STAND_INS: dict[Place, Any] = {
    ("spec",): {},
    ("spec", "deletionPolicy"): "Retain",
    ("spec", "managementPolicy"): "Observe",
    ("spec", "runtimeRef"): {"name": "unreadable"},
    ("spec", "photos"): {},
    ("spec", "modelRef"): {"name": "unreadable"},
    ("spec", "prompts"): [{"prompt": "unreadable"}],
    ("spec", "backend"): {},
    ("spec", "baseModel"): {"source": _NOWHERE, "sha256": "0" * 64},
    ("spec", "storage"): {
        "requests": _NOWHERE,
        "artifacts": _NOWHERE,
        "outputs": _NOWHERE,
        "allowed": {"photos": [_NOWHERE]},
    },
    ("spec", "storage", "allowed"): {"photos": [_NOWHERE]},
    ("spec", "tenancy"): {},
}


@dataclass(frozen=True)
class Reading(Generic[Kind]):
    """An object as far as this version understands it.

    Attributes:
        object: the object.
        left_out: the places that were not understood, such as `spec.deletionPolicy`; worth a line in the log.
    """

    object: Kind
    left_out: tuple[str, ...] = ()


def read_object(kind: type[Kind], body: Mapping[str, Any]) -> Reading[Kind]:
    """Read an object as the API server has it: to the letter while it lives, as far as possible once it is being deleted.

    Raises:
        ValidationError: this version does not understand the object, and it is not being deleted.
    """
    if body["metadata"].get("deletionTimestamp") is None:
        return Reading(kind.model_validate(body))
    return read_for_deletion(kind, body)


def read_for_deletion(kind: type[Kind], body: Mapping[str, Any]) -> Reading[Kind]:
    """Read whatever can be read: of an object that is being deleted, or of the runtime that such an object's data lie in.

    Raises:
        ValidationError: the metadata make no sense; no version of the operator writes those.
    """
    document: dict[str, Any] = copy.deepcopy(dict(body))
    left_out: list[Place] = []
    while True:
        try:
            understood = kind.model_validate(document)
        except ValidationError as error:
            place = _left_out(document, error)
            # A stand-in that does not help will not help the next time. What is taken out of a list makes it shorter.
            if place in left_out and place in _STAND_INS:
                raise
            left_out.append(place)
        else:
            return Reading(understood, tuple(_spelled(place) for place in left_out))


def _left_out(document: dict[str, Any], error: ValidationError) -> Place:
    """Take the first thing that is wrong out of the document; the place that it had."""
    first = error.errors()[0]
    place: Place = first["loc"]
    if first["type"] == "missing" and place not in _STAND_INS:
        place = place[:-1]
    if not place or place[0] not in ("spec", "status"):
        raise error
    *parents, last = place
    holder: Any = document
    for parent in parents:
        holder = holder[parent]
    if place in _STAND_INS:
        holder[last] = copy.deepcopy(_STAND_INS[place])
    else:
        del holder[last]
    return place


def _spelled(place: Place) -> str:
    words = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place)
    return words.removeprefix(".")
