"""What is remembered of an object is remembered of no other one, and ends with it."""

import pytest

from avatar_api.group import AVATAR_MODEL
from avatar_operator.kube.cache import ObjectCache, ObjectKey
from avatar_operator.kube.client import Object
from avatar_operator.kube.memory import Memory
from builders.manifests import merged, model_manifest

ANN = ObjectKey("AvatarModel", "team-a", "ann")


def _model(uid: str, version: int) -> Object:
    return merged(model_manifest(), {"metadata": {"uid": uid, "resourceVersion": str(version)}})


@pytest.fixture
def cache() -> ObjectCache:
    """A cache with one model."""
    cache = ObjectCache()
    cache.store(AVATAR_MODEL, _model("u1", 1))
    return cache


def test_of_an_object_that_nobody_has_noted_anything_about_the_blank_note_is_known(
    cache: ObjectCache,
) -> None:
    assert Memory(cache, "nothing").of("u1") == "nothing"


def test_the_last_note_counts_and_a_newer_version_is_the_same_object(cache: ObjectCache) -> None:
    memory = Memory(cache, "")
    memory.note("u1", "first")
    memory.note("u1", "second")

    cache.store(AVATAR_MODEL, _model("u1", 2))

    assert memory.of("u1") == "second"


def test_what_is_remembered_ends_with_the_object(cache: ObjectCache) -> None:
    memory = Memory(cache, "")
    memory.note("u1", "something")

    cache.remove(AVATAR_MODEL, ANN, "u1")

    assert (memory.of("u1"), len(memory)) == ("", 0)


def test_a_successor_of_the_same_name_is_somebody_else_though_nobody_saw_the_end_of_its_predecessor(
    cache: ObjectCache,
) -> None:
    memory = Memory(cache, "")
    memory.note("u1", "something")

    cache.store(AVATAR_MODEL, _model("u2", 5))

    assert (memory.of("u2"), memory.of("u1"), len(memory)) == ("", "", 0)


def test_a_call_that_ends_after_its_object_leaves_no_note_behind(cache: ObjectCache) -> None:
    memory = Memory(cache, "")
    cache.remove(AVATAR_MODEL, ANN, "u1")

    memory.note("u1", "something")

    assert len(memory) == 0


def test_a_blank_note_takes_no_memory(cache: ObjectCache) -> None:
    memory = Memory(cache, "")
    memory.note("u1", "something")

    memory.note("u1", "")

    assert len(memory) == 0
