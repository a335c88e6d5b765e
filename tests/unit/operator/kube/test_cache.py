"""The cache: the newest version wins, whoever brought it, and dependents are found."""

import gc
import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avatar_api.group import AVATAR_MODEL, AVATAR_REQUEST, AVATAR_RUNTIME
from avatar_operator.kube.cache import ObjectCache, ObjectKey
from avatar_operator.kube.client import Object
from builders.manifests import merged, model_manifest, request_manifest, runtime_manifest

RUNTIME = ObjectKey("AvatarRuntime", "", "standard")
MODEL = ObjectKey("AvatarModel", "team-a", "ann")


def _model(version: int, *, uid: str = "u1", name: str = "ann", runtime: str = "standard") -> Object:
    manifest = model_manifest(name=name, spec={"runtimeRef": {"name": runtime}})
    return merged(manifest, {"metadata": {"uid": uid, "resourceVersion": str(version)}})


def _request(version: int, *, namespace: str = "team-a", model: str = "ann") -> Object:
    manifest = request_manifest(namespace=namespace, spec={"modelRef": {"name": model}})
    return merged(manifest, {"metadata": {"uid": f"r-{namespace}", "resourceVersion": str(version)}})


@pytest.fixture
def cache() -> ObjectCache:
    """An empty cache."""
    return ObjectCache()


def test_a_newer_version_is_news(cache: ObjectCache) -> None:
    assert cache.store(AVATAR_MODEL, _model(1))
    assert cache.store(AVATAR_MODEL, _model(2))
    assert cache.get(MODEL) == _model(2)


@pytest.mark.parametrize("version", [1, 2])
def test_an_older_or_equal_version_is_no_news(cache: ObjectCache, version: int) -> None:
    cache.store(AVATAR_MODEL, _model(2))

    assert not cache.store(AVATAR_MODEL, _model(version))
    assert cache.get(MODEL) == _model(2)


def test_versions_are_compared_as_numbers(cache: ObjectCache) -> None:
    cache.store(AVATAR_MODEL, _model(9))

    assert cache.store(AVATAR_MODEL, _model(10))


def test_managed_fields_are_not_kept(cache: ObjectCache) -> None:
    cache.store(AVATAR_MODEL, merged(_model(1), {"metadata": {"managedFields": [{"manager": "kubectl"}]}}))

    stored = cache.get(MODEL)
    assert stored is not None
    assert "managedFields" not in stored["metadata"]


def test_what_is_removed_is_gone_from_everywhere(cache: ObjectCache) -> None:
    cache.store(AVATAR_MODEL, _model(1))

    assert cache.remove(AVATAR_MODEL, MODEL, "u1")

    assert cache.get(MODEL) is None
    assert cache.by_uid("u1") is None
    assert cache.dependents(RUNTIME) == ()


def test_a_late_deletion_does_not_touch_the_successor_of_the_same_name(cache: ObjectCache) -> None:
    cache.store(AVATAR_MODEL, _model(5, uid="u2"))

    assert not cache.remove(AVATAR_MODEL, MODEL, "u1")
    assert cache.by_uid("u2") == MODEL


def test_a_successor_of_the_same_name_takes_the_place_of_its_predecessor(cache: ObjectCache) -> None:
    cache.store(AVATAR_MODEL, _model(1, uid="u1"))
    cache.store(AVATAR_MODEL, _model(5, uid="u2"))

    assert cache.by_uid("u1") is None
    assert cache.by_uid("u2") == MODEL


def test_a_successor_of_the_same_name_tells_of_the_end_of_its_predecessor(cache: ObjectCache) -> None:
    cache.store(AVATAR_MODEL, _model(1, uid="u1"))
    told: list[tuple[str, bool]] = []
    cache.subscribe(lambda _kind, _key, body, deleted: told.append((body["metadata"]["uid"], deleted)))

    cache.store(AVATAR_MODEL, _model(5, uid="u2"))

    assert told == [("u1", True), ("u2", False)]
    assert cache.dependents(RUNTIME) == (MODEL,)


def test_a_runtime_knows_the_models_that_name_it(cache: ObjectCache) -> None:
    cache.store(AVATAR_MODEL, _model(1))
    cache.store(AVATAR_MODEL, _model(2, name="bob", uid="u2", runtime="other"))

    assert cache.dependents(RUNTIME) == (MODEL,)


def test_a_model_knows_the_requests_of_its_own_namespace_only(cache: ObjectCache) -> None:
    cache.store(AVATAR_REQUEST, _request(1))
    cache.store(AVATAR_REQUEST, _request(2, namespace="team-b"))

    assert cache.dependents(MODEL) == (ObjectKey("AvatarRequest", "team-a", "portraits"),)


def test_dependents_are_known_before_what_they_depend_on(cache: ObjectCache) -> None:
    cache.store(AVATAR_MODEL, _model(1))
    runtime = merged(runtime_manifest(), {"metadata": {"uid": "rt", "resourceVersion": "2"}})
    cache.store(AVATAR_RUNTIME, runtime)

    assert cache.dependents(RUNTIME) == (MODEL,)


def test_objects_are_listed_by_kind(cache: ObjectCache) -> None:
    cache.store(AVATAR_MODEL, _model(1))
    cache.store(AVATAR_REQUEST, _request(2))

    assert cache.keys(AVATAR_MODEL) == [MODEL]
    assert list(cache.objects(AVATAR_MODEL)) == [_model(1)]


def test_who_subscribes_is_told_of_every_change_once(cache: ObjectCache) -> None:
    told: list[tuple[str, bool]] = []
    cache.subscribe(lambda kind, key, body, deleted: told.append((key.name, deleted)))

    cache.store(AVATAR_MODEL, _model(1))
    cache.store(AVATAR_MODEL, _model(1))
    cache.remove(AVATAR_MODEL, MODEL, "u1")
    cache.remove(AVATAR_MODEL, MODEL, "u1")

    assert told == [("ann", False), ("ann", True)]


def test_who_subscribes_finds_the_change_in_the_cache_already(cache: ObjectCache) -> None:
    seen: list[object] = []
    cache.subscribe(lambda kind, key, body, deleted: seen.append(cache.get(key)))

    cache.store(AVATAR_MODEL, _model(1))

    assert seen == [_model(1)]


@given(st.lists(st.integers(1, 50), min_size=1, max_size=30, unique=True), st.randoms())
def test_the_newest_version_wins_in_whatever_order_versions_come(
    versions: list[int], order: random.Random
) -> None:
    cache = ObjectCache()
    shuffled = versions * 2
    order.shuffle(shuffled)

    for version in shuffled:
        cache.store(AVATAR_MODEL, _model(version, runtime=f"runtime-{version % 3}"))

    newest = max(versions)
    assert cache.get(MODEL) == _model(newest, runtime=f"runtime-{newest % 3}")


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["store", "remove"]),
        st.sampled_from(["ann", "bob"]),
        st.sampled_from(["u1", "u2"]),
        st.sampled_from(["standard", "other"]),
    ),
    max_size=30,
)


@given(STEPS)
def test_the_indexes_never_disagree_with_the_objects(steps: list[tuple[Any, ...]]) -> None:
    cache = ObjectCache()
    for version, (verb, name, uid, runtime) in enumerate(steps, start=1):
        key = ObjectKey("AvatarModel", "team-a", name)
        if verb == "store":
            cache.store(AVATAR_MODEL, _model(version, uid=f"{name}-{uid}", name=name, runtime=runtime))
        else:
            cache.remove(AVATAR_MODEL, key, f"{name}-{uid}")

    for runtime in ("standard", "other"):
        users = {
            ObjectKey("AvatarModel", "team-a", body["metadata"]["name"])
            for body in cache.objects(AVATAR_MODEL)
            if body["spec"]["runtimeRef"]["name"] == runtime
        }
        assert set(cache.dependents(ObjectKey("AvatarRuntime", "", runtime))) == users
    for name in ("ann", "bob"):
        for uid in ("u1", "u2"):
            found = cache.by_uid(f"{name}-{uid}")
            known = None if found is None else cache.get(found)
            assert known is None or known["metadata"]["uid"] == f"{name}-{uid}"
            assert found is None or known is not None


def test_objects_share_the_words_that_they_have_in_common(cache: ObjectCache) -> None:
    for version, name in enumerate(("ann", "bob"), start=1):
        body: Object = json.loads(json.dumps(_model(version, uid=name, name=name)))
        cache.store(AVATAR_MODEL, body)
    ann, bob = cache.objects(AVATAR_MODEL)
    assert ann["spec"]["runtimeRef"] == bob["spec"]["runtimeRef"]
    assert ann["spec"]["runtimeRef"]["name"] is bob["spec"]["runtimeRef"]["name"]
    names = [next(name for name in body["spec"] if name == "runtimeRef") for body in (ann, bob)]
    assert names[0] is names[1]


def test_who_is_told_of_a_change_gets_what_the_cache_keeps(cache: ObjectCache) -> None:
    told: list[Object] = []
    cache.subscribe(lambda kind, key, body, deleted: told.append(body))
    cache.store(AVATAR_MODEL, merged(_model(1), {"metadata": {"managedFields": [{"manager": "kubectl"}]}}))
    assert told == [cache.get(MODEL)]
    assert "managedFields" not in told[0]["metadata"]


def test_what_is_cached_leaves_the_collectors_rounds_as_the_cache_grows(
    cache: ObjectCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    monkeypatch.setattr(gc, "freeze", lambda: sizes.append(len(cache.keys(AVATAR_MODEL))))
    for number in range(1000):
        cache.store(AVATAR_MODEL, _model(1, uid=f"u{number}", name=f"m{number}"))
    assert sizes[-1] >= 800
    frozen = len(sizes)
    assert frozen < 40
    for number in range(1000):
        cache.store(AVATAR_MODEL, _model(2, uid=f"u{number}", name=f"m{number}"))
    assert len(sizes) == frozen, "the cache did not grow"
