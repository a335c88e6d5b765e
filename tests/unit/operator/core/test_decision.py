"""The draft of a decision, and the list of phases that it passes through."""

import pytest

from avatar_operator.core.decision import ActionFailed, Draft, Notice, Phase, Retry, run_phases

TextDraft = Draft[str, str]
EMPTY: TextDraft = Draft(status="")


def _says(word: str) -> Phase[None, str, str]:
    return lambda _observation, draft: draft.with_status(f"{draft.status}{word}")


def _finishes(_observation: None, draft: TextDraft) -> TextDraft:
    return draft.finish()


def test_phases_run_in_their_order() -> None:
    draft = run_phases([_says("a"), _says("b"), _says("c")], None, EMPTY)

    assert draft.status == "abc"


def test_a_phase_that_finishes_ends_the_list() -> None:
    draft = run_phases([_says("a"), _finishes, _says("b")], None, EMPTY)

    assert draft.status == "a"
    assert draft.finished


def test_every_phase_sees_the_same_observation() -> None:
    def echo(observation: str, draft: TextDraft) -> TextDraft:
        return draft.with_status(draft.status + observation)

    assert run_phases([echo, echo], "x", EMPTY).status == "xx"


def test_the_last_phase_that_changed_what_will_be_done_or_said_has_decided() -> None:
    def speaks(_observation: None, draft: TextDraft) -> TextDraft:
        return draft.with_status("said")

    def acts(_observation: None, draft: TextDraft) -> TextDraft:
        return draft.act("call")

    def repeats(_observation: None, draft: TextDraft) -> TextDraft:
        return draft.with_status("said").look_again_in(5)

    assert run_phases([speaks, acts, repeats], None, EMPTY).decided_by == "acts"
    assert run_phases([speaks, repeats], None, EMPTY).decided_by == "speaks"
    assert run_phases([speaks, _finishes, acts], None, EMPTY).decided_by == "_finishes"


def test_where_no_phase_has_anything_to_say_none_has_decided() -> None:
    assert run_phases([lambda _, draft: draft.look_again_in(5)], None, EMPTY).decided_by == "none"


def test_actions_keep_their_order() -> None:
    assert EMPTY.act("stop").act("delete", "forget").actions == ("stop", "delete", "forget")


def test_farewells_keep_their_order() -> None:
    first, second = Notice("Normal", "First", ""), Notice("Warning", "Second", "")

    assert EMPTY.say_farewell(first).say_farewell(second).farewells == (first, second)


@pytest.mark.parametrize(
    ("asked", "retryable", "expected"),
    [(None, True, 0.0), (7.0, True, 7.0), (None, False, 30.0), (7.0, False, 30.0), (70.0, False, 70.0)],
)
def test_a_failed_action_is_tried_again_no_sooner_than_the_other_side_says_or_a_person_needs(
    asked: float | None, retryable: bool, expected: float
) -> None:
    failed = ActionFailed("submit", "Throttled", "slow down", retryable=retryable, retry_after=asked)

    assert failed.as_retry(hopeless_pause=30.0) == Retry("Throttled", "slow down", expected)


@pytest.mark.parametrize("delays", [(30.0, 5.0), (5.0, 30.0)])
def test_the_earliest_time_to_look_again_wins(delays: tuple[float, float]) -> None:
    draft = EMPTY
    for delay in delays:
        draft = draft.look_again_in(delay)

    assert draft.requeue_after == 5.0


def test_a_time_that_is_past_means_at_once() -> None:
    assert EMPTY.look_again_in(-3.0).requeue_after == 0.0


def test_a_draft_is_never_changed_in_place() -> None:
    changed = EMPTY.act("x").say_farewell(Notice("Normal", "Y", "")).add_finalizer().delete()
    changed.retry(Retry("Z", "")).finish()

    assert Draft(status="") == EMPTY
