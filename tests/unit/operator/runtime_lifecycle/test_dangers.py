"""What is dangerous by accident in a runtime's prefixes, held against every namespace that there may be."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from avatar_api.allowed_prefixes import NAMESPACE
from avatar_api.avatar_runtime import AvatarRuntime
from avatar_operator.runtime_lifecycle.dangers import danger
from builders.manifests import Changes
from builders.objects import a_runtime

WORDS = ("a", "b", "x-a", "a-b", "requests", "Photos")
NAMES = ("a", "b", "x", "a-b", "x-a", "a-x-b", "requests", "b-x-a")
SEGMENTS = st.sampled_from([*WORDS, NAMESPACE, NAMESPACE, f"x-{NAMESPACE}", f"{NAMESPACE}-b"])
ANY = st.lists(SEGMENTS, min_size=1, max_size=4)
APART = st.builds(
    lambda before, after: [*before, NAMESPACE, *after],
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=2),
    st.lists(SEGMENTS, max_size=2),
)
PREFIXES = (ANY | APART | APART | APART).map(lambda parts: f"s3://{'/'.join(parts)}/")
PLACES = st.builds(
    lambda bucket, words: f"s3://{'/'.join((bucket, *words))}/",
    st.sampled_from(["a-b", "x-a", "x-a-b"]),
    st.lists(st.sampled_from(WORDS), max_size=2),
)


def _runtime(
    photos: list[str], outputs: list[str] | None = None, requests: str = "s3://req/", **allowed: object
) -> AvatarRuntime:
    places = {"requests": requests, "artifacts": "s3://models/artifacts/", "outputs": "s3://pictures/"}
    changes: Changes = {"photos": photos, "outputs": outputs or [], **allowed}
    return a_runtime(spec={"storage": {**places, "allowed": changes}})


def _lies_in(one: str, other: str) -> bool:
    return one.startswith(other) or other.startswith(one)


@settings(max_examples=1000)
@given(st.lists(PREFIXES, min_size=1, max_size=3, unique=True), PLACES)
def test_where_nothing_is_dangerous_nothing_of_one_namespace_lies_in_what_is_anothers_or_the_operators(
    prefixes: list[str], requests: str
) -> None:
    safe = danger(_runtime(prefixes[:1], prefixes[1:], requests)) is None
    event("safe" if safe else "dangerous")
    if not safe:
        return

    for mine, yours in permutations(NAMES, 2):
        for prefix in prefixes:
            own = prefix.replace(NAMESPACE, mine)
            assert not _lies_in(own, requests)
            assert not any(_lies_in(own, other.replace(NAMESPACE, yours)) for other in prefixes)


@pytest.mark.parametrize(
    "photos",
    [
        ["s3://photos/{namespace}/"],
        ["s3://photos-{namespace}/"],
        ["s3://photos-{namespace}/", "s3://albums-{namespace}/"],
        ["s3://{namespace}-photos/", "s3://{namespace}-albums/"],
        ["s3://b/{namespace}/in/", "s3://b/{namespace}/out/"],
        ["s3://b/in/{namespace}/", "s3://b/out/{namespace}/"],
        ["s3://b/in/{namespace}/", "s3://b/in/{namespace}/deeper/"],
    ],
)
def test_what_keeps_namespaces_apart_is_no_danger(photos: list[str]) -> None:
    assert danger(_runtime(photos)) is None


@pytest.mark.parametrize(
    ("runtime", "reason", "words"),
    [
        (
            _runtime(["s3://photos/"]),
            "PrefixShared",
            "s3://photos/ in spec.storage.allowed is every tenant's",
        ),
        (_runtime(["s3://p/x-{namespace}/"]), "PrefixShared", "Write {namespace} between two slashes"),
        (
            _runtime(["s3://b/{namespace}/", "s3://b/in/{namespace}/"]),
            "NamespacesMixed",
            "s3://b/in/{namespace}/ of one namespace lies in s3://b/{namespace}/ of another",
        ),
        (
            _runtime(["s3://b/{namespace}/"], ["s3://b/in/{namespace}/"], shared=True),
            "NamespacesMixed",
            "Begin both alike",
        ),
        (_runtime(["s3://req/{namespace}/"]), "PrefixOverlapsStorage", "overlaps s3://req/"),
        (_runtime(["s3://{namespace}/"]), "PrefixOverlapsStorage", "overlaps s3://req/"),
        (_runtime(["s3://models/"], shared=True), "PrefixOverlapsStorage", "overlaps s3://models/artifacts/"),
        (
            _runtime(["s3://models/{namespace}/in/"]),
            "PrefixOverlapsStorage",
            "s3://models/{namespace}/in/ in spec.storage.allowed overlaps s3://models/artifacts/",
        ),
        (_runtime(["s3://b//{namespace}/"]), "LocationAmbiguous", "'s3://b//{namespace}/' has"),
        (
            _runtime(["s3://b/{namespace}/"], requests="s3://req/../x/"),
            "LocationAmbiguous",
            "'s3://req/../x/' has",
        ),
    ],
)
def test_each_danger_is_told_in_words_that_mend_it(runtime: AvatarRuntime, reason: str, words: str) -> None:
    found = danger(runtime)

    assert found is not None
    assert found[0] == reason
    assert words in found[1]


def test_a_prefix_that_is_shared_on_purpose_is_no_danger() -> None:
    assert danger(_runtime(["s3://photos/"], shared=True)) is None
