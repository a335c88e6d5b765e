"""Runtimes that lie in each other: each is told of the other, whoever changed, and the others are left in peace."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avatar_api.group import AVATAR_RUNTIME
from avatar_operator.kube.cache import ObjectCache, key_of
from avatar_operator.kube.client import Object
from avatar_operator.runtime_lifecycle import neighbours
from avatar_operator.runtime_lifecycle.neighbours import RuntimeNeighbours
from avatar_operator.runtime_lifecycle.overlaps import Reach, overlap
from builders.manifests import runtime_manifest


class Cluster:
    """Runtimes that come, change and go, and who is brought back because of that."""

    def __init__(self) -> None:
        self.cache = ObjectCache()
        self.brought_back: list[str] = []
        self.neighbours = RuntimeNeighbours(self.cache, self.brought_back.append)
        self._version = 0

    def have(self, name: str, *photos: str, at: str = "", day: int = 1) -> Object:
        """Create or change a runtime that keeps its things below a prefix."""
        self._version += 1
        at = at or f"s3://{name}-store/"
        places = {place: f"{at}{place}/" for place in ("requests", "artifacts", "outputs")}
        allowed = {"photos": list(photos), "outputs": None}
        body = runtime_manifest(name=name, spec={"storage": {**places, "allowed": allowed}})
        seen = {
            "uid": f"uid-of-{name}",
            "resourceVersion": str(self._version),
            "creationTimestamp": f"2026-11-{day:02d}T12:00:00Z",
        }
        body = {**body, "metadata": {**body["metadata"], **seen}}
        self.cache.store(AVATAR_RUNTIME, body)
        return body

    def say(self, body: Object, accepted: str, reason: str) -> None:
        """Have the operator accept a runtime, or refuse it."""
        self._version += 1
        seen = {**body["metadata"], "resourceVersion": str(self._version)}
        condition = {"type": "Accepted", "status": accepted, "reason": reason}
        self.cache.store(AVATAR_RUNTIME, {**body, "metadata": seen, "status": {"conditions": [condition]}})

    def others(self, *names: str) -> list[str | None]:
        """With whom each of some runtimes overlaps."""
        found = [self.neighbours.of(name) for name in names]
        return [None if each is None else each.other for each in found]


@pytest.mark.parametrize(
    ("photos", "at"),
    [
        ("s3://b/{namespace}/", "s3://b/"),
        ("s3://b/{namespace}/", "s3://b/team/"),
        ("s3://{namespace}/photos/", "s3://photos/photos/"),
        ("s3://b-{namespace}/", "s3://b-c/"),
    ],
)
def test_what_one_allows_and_another_keeps_is_told_of_both(photos: str, at: str) -> None:
    cluster = Cluster()
    cluster.have("wide", photos)
    cluster.have("kept", "s3://elsewhere/{namespace}/", at=at, day=2)

    assert cluster.others("wide", "kept") == ["kept", "wide"]
    told = [cluster.neighbours.of(name) for name in ("wide", "kept")]
    assert [each.other_was_first for each in told if each is not None] == [False, True]
    for each in told:
        assert each is not None
        assert photos in each.message
        assert f"{at}requests/" in each.message
        assert f"AvatarRuntime {each.other}" in each.message


def test_what_one_namespace_may_name_in_one_and_all_have_in_another_is_told_of_both() -> None:
    cluster = Cluster()
    cluster.have("outer", "s3://b/{namespace}/")
    cluster.have("inner", "s3://b/photos/{namespace}/")

    assert cluster.others("outer", "inner") == ["inner", "outer"]
    seen = cluster.neighbours.of("inner")
    assert seen is not None
    assert (
        "s3://b/photos/{namespace}/ of one namespace, in spec.storage.allowed of this one, lies in s3://b/{namespace}/"
        in seen.message
    )


def test_what_one_keeps_apart_and_another_shares_with_everybody_is_told_of_both() -> None:
    cluster = Cluster()
    cluster.have("apart", "s3://photos/{namespace}/")
    cluster.have("shared", "s3://photos/")

    told = [cluster.neighbours.of(name) for name in ("apart", "shared")]
    for each in told:
        assert each is not None
        assert each.is_meant
        assert "s3://photos/ in" in each.message
        assert "s3://photos/{namespace}/ of" in each.message


def test_two_that_share_the_same_place_with_everybody_have_nothing_to_be_told() -> None:
    cluster = Cluster()
    cluster.have("one", "s3://photos/")
    cluster.have("two", "s3://photos/")

    assert cluster.others("one", "two") == [None, None]


def test_an_overlap_that_nobody_can_have_meant_is_told_before_one_that_may_be() -> None:
    cluster = Cluster()
    cluster.have("middle", "s3://photos/{namespace}/", at="s3://b/", day=2)
    cluster.have("a-sharing", "s3://photos/", day=1)
    cluster.have("b-overlapping", "s3://b/{namespace}/", day=3)

    assert cluster.others("middle") == ["b-overlapping"]


@pytest.mark.parametrize(
    ("photos", "at"),
    [("s3://b/{namespace}/", "s3://c/"), ("s3://b/photos/{namespace}/", "s3://b/")],
    ids=["other buckets", "other directories"],
)
def test_runtimes_may_share_prefixes_of_tenants_and_even_storage(photos: str, at: str) -> None:
    cluster = Cluster()
    cluster.have("one", photos, at=at)
    cluster.have("two", photos, at=at)

    assert cluster.others("one", "two") == [None, None]
    assert cluster.brought_back == []


def test_whoever_stands_otherwise_to_a_runtime_that_comes_changes_or_goes_is_brought_back_and_nobody_else() -> (
    None
):
    cluster = Cluster()
    cluster.have("far", "s3://far/{namespace}/", at="s3://b/x/")
    cluster.have("old", "s3://photos/{namespace}/", at="s3://b/team/")
    assert cluster.brought_back == []

    cluster.have("new", "s3://b/team/{namespace}/")
    assert (cluster.others("old", "far"), cluster.brought_back) == (["new", None], ["old"])
    cluster.have("new", "s3://b/team/{namespace}/", "s3://more/{namespace}/")
    assert cluster.brought_back == ["old"], "nothing else is to be said of it"
    cluster.have("new", "s3://more/{namespace}/")
    assert (cluster.others("old"), cluster.brought_back) == ([None], ["old", "old"])
    gone = cluster.have("new", "s3://b/team/{namespace}/")
    cluster.cache.remove(AVATAR_RUNTIME, key_of(AVATAR_RUNTIME, gone), gone["metadata"]["uid"])
    assert (cluster.others("old"), cluster.brought_back) == ([None], ["old"] * 4)


def test_the_one_that_was_there_first_is_named_if_there_are_several() -> None:
    cluster = Cluster()
    cluster.have("b-middle", "s3://x/{namespace}/", at="s3://b/", day=2)
    cluster.have("a-youngest", "s3://b/{namespace}/", day=3)
    cluster.have("c-oldest", "s3://b/{namespace}/", day=1)

    assert cluster.others("b-middle") == ["c-oldest"]


def test_one_that_works_was_there_first_whenever_it_was_created() -> None:
    cluster = Cluster()
    cluster.have("older", "s3://b/{namespace}/", day=1)
    working = cluster.have("younger", "s3://far/{namespace}/", at="s3://b/", day=2)
    cluster.say(working, "True", "Accepted")

    told = [cluster.neighbours.of(name) for name in ("older", "younger")]
    assert [each.other_was_first for each in told if each is not None] == [True, False]


def test_one_that_does_not_begin_beside_another_keeps_no_third_one_from_beginning() -> None:
    cluster = Cluster()
    cluster.say(cluster.have("works", "s3://x/{namespace}/", at="s3://a/", day=1), "True", "Accepted")
    refused = cluster.have("refused", "s3://a/{namespace}/", "s3://c/{namespace}/", day=2)
    cluster.have("third", "s3://y/{namespace}/", at="s3://c/", day=3)
    cluster.brought_back.clear()

    cluster.say(refused, "False", "RuntimesOverlap")

    seen = cluster.neighbours.of("third")
    assert seen is not None
    assert (seen.other, seen.other_was_first) == ("refused", False)
    assert "third" in cluster.brought_back


def test_one_that_worked_and_is_refused_for_a_while_finds_its_place_not_taken() -> None:
    cluster = Cluster()
    older = cluster.have("older", "s3://b/{namespace}/", day=1)
    working = cluster.have("working", "s3://far/{namespace}/", at="s3://b/", day=2)
    cluster.say(working, "True", "Accepted")
    cluster.say(older, "False", "RuntimesOverlap")

    cluster.say(working, "False", "DefaultsExceedLimits")

    told = [cluster.neighbours.of(name) for name in ("older", "working")]
    assert [each.other_was_first for each in told if each is not None] == [True, False]


def test_of_a_hundred_runtimes_only_those_in_the_same_buckets_are_compared_and_only_when_one_changes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compared: list[tuple[str, str]] = []

    def counted(own: Reach, other: Reach) -> object:
        compared.append((own.name, other.name))
        return overlap(own, other)

    monkeypatch.setattr(neighbours, overlap.__name__, counted)
    cluster = Cluster()
    for number in range(100):
        cluster.have(
            f"r{number}", f"s3://photos-of-{number // 2}/{{namespace}}/", f"s3://b/of-{number}/{{namespace}}/"
        )
    assert len(compared) == 50, "fifty pairs have a place in common, and lie beside each other there"

    compared.clear()
    body = cluster.have("r0", "s3://photos-of-0/{namespace}/", "s3://b/of-0/{namespace}/")
    for version in range(1000, 1010):
        seen = {**body["metadata"], "resourceVersion": str(version)}
        cluster.cache.store(AVATAR_RUNTIME, {**body, "metadata": seen, "status": {"state": "Ready"}})
        cluster.neighbours.of("r0")

    assert compared == []


_PARTS = ("a", "b", "{namespace}", "a-{namespace}", "ab")
LOCATIONS = st.builds(
    lambda parts: f"s3://{'/'.join(parts)}/", st.lists(st.sampled_from(_PARTS), min_size=1, max_size=3)
)


@given(
    mine=st.lists(LOCATIONS, max_size=3),
    theirs=st.lists(LOCATIONS, max_size=3),
    places=st.lists(LOCATIONS, max_size=2),
)
def test_runtimes_that_cannot_meet_never_overlap(
    mine: list[str], theirs: list[str], places: list[str]
) -> None:
    kept = tuple(place for place in places if "{" not in place)
    one, other = (
        Reach("one", (0, "", ""), tuple(mine), kept),
        Reach("other", (1, "", ""), tuple(theirs), kept[:1]),
    )
    assert one.may_meet(other) == other.may_meet(one)
    if not one.may_meet(other):
        assert overlap(one, other) is None
        assert overlap(other, one) is None
