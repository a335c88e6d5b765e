"""Deletion: first the users go, then the endpoints, then the runtime itself."""

from avatar_operator.core.conditions import find_condition
from avatar_operator.runtime_lifecycle.actions import DeleteEndpoints
from avatar_operator.runtime_lifecycle.lifecycle import decide
from builders.clock import NOON
from builders.objects import a_runtime
from builders.observations import observed_runtime


def test_a_runtime_in_use_waits_for_its_users() -> None:
    observation = observed_runtime(a_runtime(deleted_at=NOON), users=3)

    draft = decide(observation)

    ready = find_condition(draft.status.conditions, "Ready")
    assert ready is not None
    assert (ready.reason, ready.message) == (
        "InUse",
        "3 AvatarModels still use this runtime; it goes when they are gone.",
    )
    assert draft.actions == ()
    assert draft.finalizer == "Keep"


def test_a_runtime_without_users_takes_its_endpoints_with_it() -> None:
    assert decide(observed_runtime(a_runtime(deleted_at=NOON))).actions == (DeleteEndpoints(),)


def test_a_runtime_that_is_going_and_not_held_is_left_alone() -> None:
    assert decide(observed_runtime(a_runtime(deleted_at=NOON, finalizers=()))).actions == ()
