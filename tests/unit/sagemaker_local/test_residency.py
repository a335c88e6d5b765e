"""Who is in memory, who is on disk, who goes first."""

from __future__ import annotations

from collections import OrderedDict

from hypothesis import given
from hypothesis import strategies as st

from sagemaker_local.multi_model.residency import Residency, opaque_name


def use(residency: Residency, target: str) -> None:
    model = residency.begin_use(target)
    model.loaded, model.disk_bytes = True, 10
    residency.end_use(model)


def test_the_least_recently_used_goes_first() -> None:
    residency = Residency()
    for target in ("a", "b", "c", "a"):
        use(residency, target)
    victim = residency.next_to_unload(sparing="d")
    assert victim is not None
    assert victim.target == "b"


def test_a_model_in_use_does_not_go() -> None:
    residency = Residency()
    use(residency, "a")
    residency.begin_use("a")
    assert residency.next_to_unload(sparing="b") is None
    assert residency.anything_loaded_besides("b")


def test_a_model_does_not_make_room_for_itself() -> None:
    residency = Residency()
    use(residency, "a")
    assert residency.next_to_unload(sparing="a") is None
    assert not residency.anything_loaded_besides("a")


def test_a_model_that_never_arrived_is_forgotten() -> None:
    residency = Residency()
    residency.end_use(residency.begin_use("missing"))
    assert len(residency) == 0


def test_disk_space_is_made_by_removing_unloaded_models_only() -> None:
    residency = Residency()
    for target in ("a", "b", "c"):
        use(residency, target)
    for target in ("a", "c"):
        model = residency.find(target)
        assert model is not None
        model.loaded = False
    assert [m.target for m in residency.to_delete_from_disk(budget=35, incoming=10)] == ["a"]
    assert [m.target for m in residency.to_delete_from_disk(budget=1, incoming=10)] == ["a", "c"]


def test_names_are_opaque_and_different() -> None:
    assert opaque_name("user_a/model.tar.gz") != opaque_name("user_b/model.tar.gz")
    assert "user" not in opaque_name("user_a/model.tar.gz")


@given(st.lists(st.integers(0, 9), max_size=80), st.integers(1, 5))
def test_eviction_follows_an_lru_kept_on_paper(requests: list[int], slots: int) -> None:
    residency = Residency()
    paper: OrderedDict[str, None] = OrderedDict()
    for request in requests:
        target = str(request)
        model = residency.begin_use(target)
        if not model.loaded:
            if len(residency.loaded_targets()) >= slots:
                victim = residency.next_to_unload(sparing=target)
                assert victim is not None
                victim.loaded = False
            model.loaded = True
        residency.end_use(model)
        paper[target] = None
        paper.move_to_end(target)
        if len(paper) > slots:
            paper.popitem(last=False)
        assert residency.loaded_targets() == list(paper)
