"""The draft of a decision, and the list of phases that it passes through."""

import pytest

from avatar_operator.core.decision import Draft, Notice, Phase, run_phases

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


def test_actions_keep_their_order() -> None:
    assert EMPTY.act("stop").act("delete", "forget").actions == ("stop", "delete", "forget")


def test_notices_keep_their_order() -> None:
    first, second = Notice("Normal", "First", ""), Notice("Warning", "Second", "")

    assert EMPTY.tell(first).tell(second).notices == (first, second)


@pytest.mark.parametrize("delays", [(30.0, 5.0), (5.0, 30.0)])
def test_the_earliest_time_to_look_again_wins(delays: tuple[float, float]) -> None:
    draft = EMPTY
    for delay in delays:
        draft = draft.look_again_in(delay)

    assert draft.requeue_after == 5.0


def test_a_time_that_is_past_means_at_once() -> None:
    assert EMPTY.look_again_in(-3.0).requeue_after == 0.0


def test_a_draft_is_never_changed_in_place() -> None:
    EMPTY.act("x").tell(Notice("Normal", "Y", "")).add_finalizer().delete().retry().finish()

    assert Draft(status="") == EMPTY
