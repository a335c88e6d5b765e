"""Separation: a runtime whose tenants are not apart says so, and works as before."""

from avatar_operator.core.conditions import find_condition
from avatar_operator.runtime_lifecycle.lifecycle import decide
from builders.objects import a_runtime
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
