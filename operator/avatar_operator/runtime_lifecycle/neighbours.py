"""Which runtimes lie in each other, known at every time: judged when one changes, not when one is looked at.

A runtime that comes, goes or allows something else is compared with those that have a bucket in common with it, and whoever
stands otherwise to it by then is brought back. So a pass only looks up what it needs, however many runtimes there are.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from avatar_api.allowed_prefixes import NAMESPACE
from avatar_api.group import AVATAR_RUNTIME, Kind
from avatar_operator.kube.cache import ObjectCache, ObjectKey
from avatar_operator.kube.client import Object
from avatar_operator.runtime_lifecycle.overlaps import Overlap, Reach, overlap, reach_of


class RuntimeNeighbours:
    """Every runtime's overlaps with others.

    Args:
        cache: tells which runtimes there are.
        on_change: called with the name of a runtime that overlaps with others than before because of another one.
    """

    def __init__(self, cache: ObjectCache, on_change: Callable[[str], None]) -> None:
        self._on_change = on_change
        self._reaches: dict[str, Reach] = {}
        self._by_bucket: defaultdict[str, set[str]] = defaultdict(set)
        self._overlaps: defaultdict[str, dict[str, Overlap]] = defaultdict(dict)
        cache.subscribe(self._changed)
        # What lies in what does not depend on who sees to it.
        cache.subscribe_to_foreign(self._changed)

    def of(self, name: str) -> Overlap | None:
        """How a runtime overlaps with another one; None if with none. What nobody can have meant comes first, and who was there before."""
        found = self._overlaps.get(name, {}).values()
        return min(
            found, key=lambda each: (each.is_meant, not each.other_was_first, each.other), default=None
        )

    def _changed(self, kind: Kind, key: ObjectKey, body: Object, deleted: bool) -> None:
        if kind != AVATAR_RUNTIME:
            return
        reach, known = None if deleted else reach_of(body), self._reaches.get(key.name)
        if reach == known:
            return
        former = self._forget(key.name)
        if reach is not None:
            # Who was there first decides nothing about what lies in what.
            is_the_same = known is not None and replace(known, standing=reach.standing) == reach
            self._compare(reach, former if is_the_same else set(self._near(reach)))
        for other in former.keys() | self._overlaps.get(key.name, {}).keys():
            if former.get(other) != self._overlaps.get(other, {}).get(key.name):
                self._on_change(other)

    def _forget(self, name: str) -> dict[str, Overlap]:
        """Take a runtime out; what others said of it is returned."""
        known = self._reaches.pop(name, None)
        for bucket in () if known is None else known.buckets:
            self._by_bucket[bucket].discard(name)
            if not self._by_bucket[bucket]:
                del self._by_bucket[bucket]
        said = {}
        for other in self._overlaps.pop(name, {}):
            said[other] = self._overlaps[other].pop(name)
            if not self._overlaps[other]:
                del self._overlaps[other]
        return said

    def _compare(self, reach: Reach, others: Iterable[str]) -> None:
        for name in others:
            other = self._reaches[name]
            if not reach.may_meet(other) or (found := overlap(reach, other)) is None:
                continue
            seen_from_there = overlap(other, reach)
            assert seen_from_there is not None
            self._overlaps[reach.name][name] = found
            self._overlaps[name][reach.name] = seen_from_there
        self._reaches[reach.name] = reach
        for bucket in reach.buckets:
            self._by_bucket[bucket].add(reach.name)

    def _near(self, reach: Reach) -> Iterator[str]:
        """Those that may have a bucket in common with a runtime; one with `{namespace}` in its name may be any."""
        if any(NAMESPACE in bucket for bucket in reach.buckets):
            yield from self._reaches
            return
        for bucket, names in self._by_bucket.items():
            if bucket in reach.buckets or NAMESPACE in bucket:
                yield from names
