"""Separation: a runtime whose tenants are not apart says so, and works as before."""

from avatar_operator.core.conditions import find_condition
from avatar_operator.runtime_lifecycle.lifecycle import decide
from avatar_operator.runtime_lifecycle.overlaps import Overlap
from builders.objects import a_condition, a_runtime
from builders.observations import observed_runtime


def test_a_runtime_that_keeps_its_tenants_apart_says_so() -> None:
    told = find_condition(decide(observed_runtime(a_runtime())).status.conditions, "TenantsApart")

    assert told is not None
    assert (told.status, told.reason) == ("True", "Apart")


def test_a_runtime_that_does_not_says_so_and_goes_on() -> None:
    observation = observed_runtime(a_runtime(spec={"storage": {"allowed": {"photos": ["s3://photos/"]}}}))

    draft = decide(observation)

    told = find_condition(draft.status.conditions, "TenantsApart")
    assert told is not None
    assert (told.status, told.reason) == ("False", "PrefixShared")
    assert "shared: true" in told.message
    assert draft.actions == decide(observed_runtime(a_runtime())).actions


def _beside(overlap: Overlap, *, works: bool) -> dict[str, tuple[str, str]]:
    runtime = a_runtime()
    if works:
        status = runtime.status.model_copy(update={"conditions": [a_condition("Accepted")]})
        runtime = runtime.model_copy(update={"status": status})
    draft = decide(observed_runtime(runtime, overlap=overlap))
    said: dict[str, tuple[str, str]] = {
        each.type: (each.status, each.reason) for each in draft.status.conditions
    }
    assert bool(draft.actions) == (said["Accepted"][0] == "True")
    return said


def test_one_that_works_is_told_that_it_overlaps_with_another_and_goes_on() -> None:
    for other_was_first in (False, True):
        said = _beside(Overlap("other", other_was_first, False, "They overlap."), works=True)

        assert said["TenantsApart"] == ("False", "RuntimesOverlap")
        assert said["Accepted"] == ("True", "Accepted")


def test_one_that_has_not_begun_does_not_begin_beside_one_that_was_there_first() -> None:
    said = _beside(Overlap("other", True, False, "They overlap."), works=False)

    assert said["TenantsApart"] == said["Accepted"] == ("False", "RuntimesOverlap")


def test_one_that_was_there_first_begins_whoever_came_since() -> None:
    assert _beside(Overlap("other", False, False, "They overlap."), works=False)["Accepted"] == (
        "True",
        "Accepted",
    )


def test_one_whose_tenants_photos_another_shares_with_everybody_is_told_of_and_begins() -> None:
    said = _beside(Overlap("other", True, True, "They overlap."), works=False)
    assert (said["Accepted"], said["TenantsApart"]) == (("True", "Accepted"), ("False", "RuntimesOverlap"))
