"""Leftovers: kept in the status, tried again ever more rarely, crossed off once they are gone."""

import pytest

from avatar_api.avatar_runtime import AvatarRuntime, LeftBehind
from avatar_operator.backends.cleanup_report import CleanupReport
from avatar_operator.backends.compute import EndpointsFacts
from avatar_operator.core.conditions import find_condition
from avatar_operator.core.decision import ActionFailed
from avatar_operator.runtime_lifecycle.actions import (
    DeleteEndpoints,
    EndpointsDeleted,
    RemovalTried,
    RemoveLeftBehind,
    RuntimeAction,
)
from avatar_operator.runtime_lifecycle.lifecycle import decide
from avatar_operator.runtime_lifecycle.phases.deletion import fold_deletion
from avatar_operator.runtime_lifecycle.phases.leftovers import fold_removal, leftovers
from builders.clock import NOON
from builders.objects import a_runtime
from builders.observations import at, observed_runtime, runtime_draft

REMAINS = CleanupReport(("denied",))
GONE = EndpointsDeleted(EndpointsFacts(ready=True, reason="Deleted", message=""))


def _entry(number: int = 1, *, tries: int = 0) -> LeftBehind:
    uid = f"{number:08d}-0000-0000-0000-000000000000"
    return LeftBehind(
        kind="AvatarModel",
        namespace="team-a",
        name=f"ann-{number}",
        uid=uid,
        locations=[f"s3://models/artifacts/team-a/{uid}/"],
        since=NOON,
        tries=tries,
    )


def _runtime(*entries: LeftBehind, going: bool = False, abandoned: bool = False) -> AvatarRuntime:
    runtime = a_runtime(deleted_at=NOON if going else None)
    annotations = {"avatars.dev/abandon": "true"} if abandoned else {}
    return runtime.model_copy(
        update={
            "status": runtime.status.model_copy(update={"left_behind": list(entries)}),
            "metadata": runtime.metadata.model_copy(update={"annotations": annotations}),
        }
    )


def test_what_is_handed_over_is_kept_once() -> None:
    observation = observed_runtime(_runtime(_entry(1)), handed_over=[_entry(1), _entry(2)])

    draft = leftovers(observation, runtime_draft(observation))

    assert draft.status.left_behind == [_entry(1), _entry(2)]


def test_more_than_the_status_can_hold_waits() -> None:
    known = [_entry(number) for number in range(99)]
    observation = observed_runtime(_runtime(*known), handed_over=[_entry(100), _entry(101)])

    draft = leftovers(observation, runtime_draft(observation))

    assert draft.status.left_behind == [*known, _entry(100)]


@pytest.mark.parametrize(("tries", "due"), [(0, 300), (1, 900), (2, 2100), (12, 153300 + 4 * 86400)])
def test_tries_get_rarer_up_to_one_a_day(tries: int, due: int) -> None:
    entry = _entry(tries=tries)
    early, late = (observed_runtime(_runtime(entry), now=at(due + seconds)) for seconds in (-1, 0))

    waits, tried = leftovers(early, runtime_draft(early)), leftovers(late, runtime_draft(late))

    assert (waits.actions, waits.requeue_after) == ((), 1.0)
    assert tried.actions == (RemoveLeftBehind(entry),)


def test_one_pass_tries_a_few_and_the_next_one_the_others() -> None:
    observation = observed_runtime(_runtime(*(_entry(number) for number in range(7))), now=at(300))

    draft = leftovers(observation, runtime_draft(observation))

    assert len(draft.actions) == 5
    assert draft.requeue_after == 1.0


def test_what_is_gone_is_crossed_off() -> None:
    observation = observed_runtime(_runtime(_entry(1), _entry(2)))

    draft = fold_removal(observation, runtime_draft(observation), RemovalTried(_entry(1), CleanupReport()))

    assert draft.status.left_behind == [_entry(2)]


@pytest.mark.parametrize(
    "fact",
    [
        RemovalTried(_entry(1), REMAINS),
        ActionFailed[RuntimeAction](RemoveLeftBehind(_entry(1)), "Throttled", "Slow down.", True),
    ],
)
def test_what_remains_counts_its_try_and_keeps_nobody_else_waiting(
    fact: RemovalTried | ActionFailed[RuntimeAction],
) -> None:
    observation = observed_runtime(_runtime(_entry(1), _entry(2)))

    draft = fold_removal(observation, runtime_draft(observation), fact)

    assert draft.status.left_behind == [_entry(1, tries=1), _entry(2)]
    assert draft.retrying is None


def test_a_runtime_that_is_being_deleted_tries_everything_at_every_pass_and_counts_nothing() -> None:
    entries = [_entry(number) for number in range(7)]
    observation = observed_runtime(_runtime(*entries, going=True))

    draft = decide(observation)

    assert draft.actions == (*(RemoveLeftBehind(entry) for entry in entries), DeleteEndpoints())
    assert fold_removal(observation, draft, RemovalTried(entries[0], REMAINS)).status == draft.status


def test_a_runtime_does_not_go_before_what_it_keeps_the_record_of() -> None:
    observation = observed_runtime(_runtime(_entry(), going=True))

    draft = fold_deletion(observation, runtime_draft(observation), GONE)

    ready = find_condition(draft.status.conditions, "Ready")
    assert ready is not None
    assert ready.reason == "LeftBehind"
    assert "AvatarModel team-a/ann-1 in s3://models/artifacts/team-a/00000001" in ready.message
    assert 'avatars.dev/abandon: "true"' in ready.message
    assert draft.finalizer == "Keep"


def test_an_abandoned_runtime_goes_and_names_the_data_that_stays() -> None:
    observation = observed_runtime(_runtime(*map(_entry, range(1, 6)), going=True, abandoned=True))

    draft = fold_deletion(observation, runtime_draft(observation), GONE)

    (farewell,) = draft.farewells
    assert draft.finalizer == "Remove"
    assert "Data of 5 objects could not be removed" in farewell.message
    assert "and 2 more" in farewell.message
