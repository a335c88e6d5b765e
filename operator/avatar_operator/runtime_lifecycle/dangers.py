"""What is dangerous by accident in a runtime's prefixes: the API server's questions, asked once more. Pure.

The API server refuses such prefixes when they are written, and leaves alone what stood there before. So the operator asks
the same of every runtime that it meets, and says what it finds; what works goes on working.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import product

from avatar_api.allowed_prefixes import LABEL, NAMESPACE
from avatar_api.avatar_runtime import AvatarRuntime
from avatar_api.literal_locations import is_literal

_APART = re.compile(r"s3://([^/]*\{namespace\}[^/]*/|.*/\{namespace\}/)")


def danger(runtime: AvatarRuntime) -> tuple[str, str] | None:
    """What lets tenants reach what is not theirs, as reason and message; None if nothing does, or it is meant."""
    storage = runtime.spec.storage
    allowed = [*storage.allowed.photos, *storage.allowed.outputs]
    places = (storage.requests, storage.artifacts, storage.outputs)
    overlapping = next(overlapping_prefixes(allowed, places), None)
    if overlapping is not None:
        prefix, place = overlapping
        return (
            "PrefixOverlapsStorage",
            f"{prefix} in spec.storage.allowed overlaps {place}, where the operator keeps things, for some namespace at least:"
            " users may name what lies there. Allow another prefix.",
        )
    mixed = next(mixed_prefixes(allowed, allowed), None)
    if mixed is not None:
        return (
            "NamespacesMixed",
            f"In spec.storage.allowed {mixed[1]} of one namespace lies in {mixed[0]} of another. Begin both alike up to"
            " {namespace}, or with different names.",
        )
    open_to_all = [prefix for prefix in allowed if _APART.match(prefix) is None]
    if open_to_all and not storage.allowed.shared:
        return (
            "PrefixShared",
            f"{', '.join(open_to_all)} in spec.storage.allowed is every tenant's: one may name what is another's. Write"
            " {namespace} between two slashes, or say spec.storage.allowed.shared: true if that is meant.",
        )
    crooked = [
        place for place in (*allowed, *places, runtime.spec.base_model.source) if not is_literal(place)
    ]
    if crooked:
        return (
            "LocationAmbiguous",
            f"{crooked[0]!r} has a . or .. between slashes, //, a backslash, a control character, or one of them percent-encoded:"
            " whoever tidies it up means another place. Use a plain one; where spec.storage has it, that takes another"
            " AvatarRuntime.",
        )
    return None


def overlapping_prefixes(allowed: Sequence[str], places: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Pairs of a prefix and a place of which one may lie in the other, whatever `{namespace}` stands for."""
    for prefix, place in product(allowed, places):
        head = prefix.partition(NAMESPACE)[0]
        if not (place.startswith(head) or head.startswith(place)):
            continue
        segments = place.count("/")
        beginning = "".join(part + "/" for part in prefix.split("/")[:-1][:segments])
        pattern = LABEL.join(map(re.escape, beginning.split(NAMESPACE)))
        if re.match(pattern, place):
            yield prefix, place


def mixed_prefixes(outers: Sequence[str], inners: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Pairs of prefixes of which the second, for one namespace, may lie in the first of another."""
    naming, named = ([prefix for prefix in prefixes if NAMESPACE in prefix] for prefixes in (outers, inners))
    for outer, inner in product(naming, named):
        head, _, behind = outer.partition(NAMESPACE)
        if not inner.startswith(head) or inner.startswith(f"{head}{NAMESPACE}{_segment(behind)}"):
            continue
        tail = _segment(behind).split(NAMESPACE)[-1]
        facing = _segment(inner.removeprefix(head))
        if facing.endswith(tail) or (NAMESPACE in facing and tail.endswith(facing.split(NAMESPACE)[-1])):
            yield outer, inner


def _segment(text: str) -> str:
    """The text up to its first slash, and that slash."""
    return text.partition("/")[0] + "/"
