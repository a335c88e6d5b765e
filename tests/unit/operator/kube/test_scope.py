"""Where an operator works, and whose a runtime is: of two that watch different namespaces never both think that it is theirs."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avatar_api.group import AVATAR_MODEL, AVATAR_REQUEST, AVATAR_RUNTIME, KINDS
from avatar_operator.kube.cache import ObjectCache, ObjectKey, key_of
from avatar_operator.kube.client import Object
from avatar_operator.kube.lookup import find_keeper, runtime_is_foreign
from avatar_operator.kube.scope import WHOLE_CLUSTER, Scope
from avatar_operator.runtime_lifecycle.neighbours import RuntimeNeighbours
from builders.manifests import model_manifest, runtime_manifest

NAMES = st.sampled_from(["team-a", "team-b", "team-c", "team-d"])
TEAMS = Scope(("team-a", "team-b"))
RUNTIME = ObjectKey("AvatarRuntime", "", "standard")


def runtime(version: int = 1, name: str = "standard", **tenancy: Any) -> Object:
    body = runtime_manifest(name=name, spec={"tenancy": {"allowedNamespaces": None, **tenancy}})
    metadata = {**body["metadata"], "uid": f"uid-of-{name}", "resourceVersion": str(version)}
    return {**body, "metadata": {**metadata, "creationTimestamp": "2026-11-01T12:00:00Z"}}


def test_an_operator_of_the_whole_cluster_sees_to_every_runtime() -> None:
    anybody: list[dict[str, Any]] = [{"allowedNamespaces": ["*"]}, {"namespaceSelector": {}}]
    for tenancy in anybody:
        assert not WHOLE_CLUSTER.is_foreign(AVATAR_RUNTIME, runtime(**tenancy))
    assert [WHOLE_CLUSTER.parts(kind) for kind in KINDS] == [("",)] * 3


@pytest.mark.parametrize(
    ("tenancy", "is_foreign"),
    [
        ({"allowedNamespaces": ["team-a"]}, False),
        ({"allowedNamespaces": ["team-b", "team-a"]}, False),
        ({"allowedNamespaces": ["team-a", "team-c"]}, True),
        ({"allowedNamespaces": ["*"]}, True),
        ({"namespaceSelector": {"matchLabels": {"tier": "trial"}}}, True),
        ({"allowedNamespaces": ["team-a"], "namespaceSelector": {}}, True),
        ({}, True),
    ],
    ids=str,
)
def test_a_runtime_is_of_the_operator_that_watches_every_namespace_that_it_admits(
    tenancy: dict[str, Any], is_foreign: bool
) -> None:
    assert TEAMS.is_foreign(AVATAR_RUNTIME, runtime(**tenancy)) is is_foreign


def test_only_runtimes_are_listed_in_the_whole_cluster() -> None:
    assert {kind: TEAMS.parts(kind) for kind in KINDS} == {
        AVATAR_MODEL: ("team-a", "team-b"),
        AVATAR_REQUEST: ("team-a", "team-b"),
        AVATAR_RUNTIME: ("",),
    }


@given(st.sets(NAMES), st.sets(NAMES, min_size=1), st.lists(st.one_of(NAMES, st.just("*")), unique=True))
def test_two_operators_of_different_namespaces_never_see_to_the_same_runtime(
    one: set[str], other: set[str], admitted: list[str]
) -> None:
    scopes = [Scope(tuple(one - other)), Scope(tuple(other))]
    body = runtime(allowedNamespaces=admitted)
    if not scopes[0].is_whole_cluster:
        assert any(scope.is_foreign(AVATAR_RUNTIME, body) for scope in scopes)


def test_a_runtime_that_comes_to_admit_others_is_gone_for_whoever_has_an_effect_and_comes_back() -> None:
    cache = ObjectCache(TEAMS)
    told: list[tuple[str, bool]] = []
    cache.subscribe(lambda kind, key, body, deleted: told.append((key.name, deleted)))

    cache.store(AVATAR_RUNTIME, runtime(1, allowedNamespaces=["team-a"]))
    cache.store(AVATAR_RUNTIME, runtime(2, allowedNamespaces=["*"]))
    assert (cache.get(RUNTIME), cache.by_uid("uid-of-standard")) == (None, None)
    assert runtime_is_foreign(cache, "standard")
    assert [key_of(AVATAR_RUNTIME, body) for body in cache.sights(AVATAR_RUNTIME)] == [RUNTIME]
    assert not cache.store(AVATAR_RUNTIME, runtime(1, allowedNamespaces=["team-a"])), "an old version"

    cache.store(AVATAR_RUNTIME, runtime(3, allowedNamespaces=["team-b"]))
    assert not runtime_is_foreign(cache, "standard")
    assert told == [("standard", False), ("standard", True), ("standard", False)]


def test_a_runtime_of_another_operator_that_is_deleted_is_forgotten() -> None:
    cache = ObjectCache(TEAMS)
    cache.store(AVATAR_RUNTIME, runtime(1, allowedNamespaces=["*"]))

    assert cache.remove(AVATAR_RUNTIME, RUNTIME, "uid-of-standard")

    assert not runtime_is_foreign(cache, "standard")
    assert cache.sights(AVATAR_RUNTIME) == []


def test_what_lies_in_a_runtime_of_another_operator_is_told_of_all_the_same() -> None:
    cache = ObjectCache(TEAMS)
    brought_back: list[str] = []
    neighbours = RuntimeNeighbours(cache, brought_back.append)
    cache.store(AVATAR_RUNTIME, runtime(1, "mine", allowedNamespaces=["team-a"]))
    theirs = runtime(2, "theirs", allowedNamespaces=["*"])
    theirs["spec"]["storage"] = {**theirs["spec"]["storage"], "allowed": {"photos": ["s3://models/"]}}
    cache.store(AVATAR_RUNTIME, theirs)

    found = neighbours.of("mine")
    assert found is not None
    assert found.other == "theirs"
    cache.remove(AVATAR_RUNTIME, ObjectKey("AvatarRuntime", "", "theirs"), "uid-of-theirs")
    assert neighbours.of("mine") is None
    assert brought_back == ["mine", "mine"]


def test_data_are_reached_through_a_runtime_of_another_operator_where_no_other_is_left() -> None:
    cache = ObjectCache(TEAMS)
    cache.store(AVATAR_RUNTIME, runtime(1, allowedNamespaces=["*"]))
    assert find_keeper(cache, "standard", recorded=False) is None
    keeper = find_keeper(cache, "standard", recorded=True)
    assert keeper is not None
    assert keeper.metadata.name == "standard"

    cache.store(AVATAR_RUNTIME, runtime(2, "mine", allowedNamespaces=["team-a"]))
    keeper = find_keeper(cache, "standard", recorded=True)
    assert keeper is not None
    assert keeper.metadata.name == "mine"


def test_models_of_any_runtime_are_seen() -> None:
    cache = ObjectCache(TEAMS)
    body = model_manifest()
    cache.store(AVATAR_MODEL, {**body, "metadata": {**body["metadata"], "uid": "u", "resourceVersion": "1"}})
    assert len(cache.keys(AVATAR_MODEL)) == 1
