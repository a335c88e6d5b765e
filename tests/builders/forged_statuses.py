"""Statuses as somebody forges them who knows how the operator's own are made: right in everything but for one thing.

What is made of chance alone is refused by whoever looks first. So a forgery is a status that the operator has written, of the same
object today or earlier, or of another one and made to fit, into which one part of a stranger's is put. Pure.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

Place = tuple[str, ...]


def fitted(status: Any, words: Mapping[str, str]) -> Any:
    """A status in which words are replaced, those that stand in longer ones, too.

    Args:
        status: of another object.
        words: what stands there, and what is to stand there instead; uids without their hyphens are replaced by themselves.
    """
    text = json.dumps(status)
    for word, own in words.items():
        text = text.replace(word, own).replace(word.replace("-", ""), own.replace("-", ""))
    return json.loads(text)


def differences(own: Any, foreign: Any, above: Place = ()) -> Iterator[Place]:
    """The places at which a foreign status says something that one's own does not, the larger ones before those in them."""
    if not isinstance(foreign, dict):
        return
    known = own if isinstance(own, dict) else {}
    for name, child in foreign.items():
        if known.get(name) != child:
            yield (*above, name)
            yield from differences(known.get(name), child, (*above, name))


def grafted(own: Any, foreign: Mapping[str, Any], place: Place) -> Any:
    """One's own status with what a foreign one has at a place; where there is nothing around the place, with that, too."""
    first, *rest = place
    known = own if isinstance(own, dict) else {}
    if not rest or not known.get(first):
        return {**known, first: foreign[first]}
    return {**known, first: grafted(known[first], foreign[first], tuple(rest))}


def names_somebody(foreign: Any, place: Place, words: Mapping[str, str]) -> bool:
    """Whether what stands at a place names an object or a place: has one of these words in it."""
    for name in place:
        foreign = foreign[name]
    return bool(foreign != fitted(foreign, words))
