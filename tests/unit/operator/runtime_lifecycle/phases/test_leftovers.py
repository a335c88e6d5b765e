"""Leftovers: kept in the status, tried again ever more rarely, crossed off once they are gone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avatar_api.avatar_runtime import AvatarRuntime, LeftBehind
from avatar_operator.backends.cleanup_report import CleanupReport
from avatar_operator.backends.compute import EndpointsFacts
from avatar_operator.core.conditions import find_condition
from avatar_operator.core.decision import ActionFailed
from avatar_operator.left_behind.last_removal import awaited
from avatar_operator.runtime_lifecycle.actions import (
    DeleteEndpoints,
    EndpointsDeleted,
    RemovalTried,
    RemoveLeftBehind,
    RuntimeAction,
)
from avatar_operator.runtime_lifecycle.lifecycle import decide
from avatar_operator.runtime_lifecycle.phases.deletion import fold_deletion
from avatar_operator.runtime_lifecycle.phases.leftovers import fold_removal, leftovers, next_try
from builders.clock import NOON
from builders.objects import a_runtime
from builders.observations import at, observed_runtime, runtime_draft

REMAINS = CleanupReport(("denied",))
GONE = EndpointsDeleted(EndpointsFacts(ready=True, reason="Deleted", message=""))


def _entry(number: int = 1, *, tries: int = 0, namespace: str = "team-a") -> LeftBehind:
    uid = f"{number:08d}-0000-0000-0000-000000000000"
    return LeftBehind(
        kind="AvatarModel",
        namespace=namespace,
        name=f"ann-{number}",
        uid=uid,
        locations=[f"s3://models/artifacts/{namespace}/{uid}/"],
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
    known = [_entry(number, namespace=f"team-{number}") for number in range(99)]
    observation = observed_runtime(_runtime(*known), handed_over=[_entry(100), _entry(101)])

    draft = leftovers(observation, runtime_draft(observation))

    assert draft.status.left_behind == [*known, _entry(100)]


def test_a_tenant_whose_data_nobody_can_remove_takes_no_place_that_others_need() -> None:
    theirs = [_entry(number, namespace="team-z") for number in range(1000)]
    draft = leftovers(flooded := observed_runtime(_runtime(), handed_over=theirs), runtime_draft(flooded))
    assert draft.status.left_behind == theirs[:50]

    ours = [_entry(2000 + number, namespace=f"team-{number}") for number in range(6)]
    runtime = _runtime(*draft.status.left_behind)
    both = observed_runtime(runtime, handed_over=[*theirs, *ours])
    kept = leftovers(both, runtime_draft(both)).status.left_behind

    assert kept == [*theirs[:50], *ours]


@given(st.lists(st.sampled_from(["team-a", "team-b", "team-c"]), max_size=200))
def test_whoever_has_no_place_finds_one_as_long_as_few_tenants_are_there(namespaces: list[str]) -> None:
    handed_over = [_entry(number, namespace=namespace) for number, namespace in enumerate(namespaces)]
    observation = observed_runtime(_runtime(), handed_over=[*handed_over, _entry(999, namespace="team-d")])

    kept = leftovers(observation, runtime_draft(observation)).status.left_behind

    assert len(kept) <= 100
    assert kept[-1].namespace == "team-d"


def test_no_number_of_tries_that_a_status_claims_takes_time_to_reckon_with() -> None:
    assert next_try(_entry(tries=10**12)) == next_try(_entry(tries=36_500)) > at(86400 * 36_000)


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


def test_what_is_handed_over_is_written_down_before_it_is_tried() -> None:
    overdue = _entry().model_copy(update={"since": at(-300)})
    observation = observed_runtime(_runtime(), handed_over=[overdue])

    draft = leftovers(observation, runtime_draft(observation))

    assert (draft.status.left_behind, draft.actions) == ([overdue], ())
    assert draft.requeue_after == 0


END = at(3900)
GROWING = _entry().model_copy(update={"may_grow_until": END})


@given(seconds=st.lists(st.tuples(st.integers(1, 3000), st.booleans()), min_size=1, max_size=12))
def test_what_may_grow_is_removed_until_it_is_gone_and_once_more_when_it_cannot_grow(
    seconds: list[tuple[int, bool]],
) -> None:
    runtime, now, gone, last = _runtime(GROWING), 0, 0, False
    for pause, is_removed in [*seconds, (8000, True)]:
        now += pause
        observation = observed_runtime(runtime, now=at(now))
        draft = leftovers(observation, runtime_draft(observation))
        for action in draft.actions:
            assert isinstance(action, RemoveLeftBehind)
            assert not gone or at(now) >= END, "what is gone is left alone until it may have come back"
            last = is_removed and at(now) >= END
            gone += is_removed
            fact = RemovalTried(action.entry, CleanupReport() if is_removed else REMAINS)
            draft = fold_removal(observation, draft, fact)
        runtime = runtime.model_copy(update={"status": draft.status})
        if last:
            break
        assert [entry.uid for entry in draft.status.left_behind] == [GROWING.uid]

    assert runtime.status.left_behind == [] if last else runtime.status.left_behind[0].tries > 0
    assert gone <= 2


def test_a_former_operator_comes_back_for_it_at_the_same_time() -> None:
    entry = awaited(GROWING, END)

    assert next_try(entry.model_copy(update={"may_grow_until": None})) == END


def test_a_runtime_that_goes_with_its_endpoints_waits_for_no_worker() -> None:
    entry = awaited(GROWING, END)
    observation = observed_runtime(_runtime(entry, going=True))

    decided = decide(observation)
    draft = fold_deletion(observation, decided, GONE)

    assert decided.actions == (DeleteEndpoints(),)
    assert draft.actions[1:] == (RemoveLeftBehind(entry, for_good=True),)
    removed = fold_removal(observation, draft, RemovalTried(entry, CleanupReport(), for_good=True))
    assert removed.status.left_behind == []
    assert removed.requeue_after is not None
    assert removed.finalizer == "Keep", "the next pass sees that nothing is left"


def test_a_runtime_whose_endpoints_stay_waits_until_their_workers_cannot_store_anything() -> None:
    going = _runtime(awaited(GROWING, END), going=True)
    spec = going.spec.model_copy(update={"management_policy": "Observe"})
    runtime = going.model_copy(update={"spec": spec})
    early, late = (observed_runtime(runtime, now=at(seconds)) for seconds in (3000, 3900))

    draft = fold_deletion(early, runtime_draft(early), GONE)

    ready = find_condition(draft.status.conditions, "Ready")
    assert ready is not None
    assert (draft.requeue_after, draft.finalizer, draft.actions) == (900, "Keep", ())
    assert "may store something of 1 object until 2026" in ready.message
    assert 'avatars.dev/abandon: "true"' in ready.message
    assert isinstance(decide(late).actions[0], RemoveLeftBehind)
