"""Deletion: stop the training, remove what is stored, let go. In bounded time."""

from datetime import datetime

import pytest

from avatar_api.avatar_model import AvatarModel, AvatarModelStatus
from avatar_operator.backends.attempts import AttemptFailed, AttemptPending
from avatar_operator.backends.cleanup_report import CleanupReport
from avatar_operator.core.decision import ActionFailed, Notice, Retry
from avatar_operator.left_behind.actions import (
    DataDeleted,
    LeftBehindHandedOver,
    MarkRetained,
    RecordLeftBehind,
)
from avatar_operator.left_behind.entries import left_by_model
from avatar_operator.left_behind.last_removal import LONGEST_ATTEMPT_SECONDS
from avatar_operator.model_lifecycle.actions import (
    AttemptCancelled,
    CancelAttempt,
    DeleteModelData,
    ModelAction,
    ModelDraft,
)
from avatar_operator.model_lifecycle.observation import attempt_reference
from avatar_operator.model_lifecycle.phases.deletion import (
    CANCELLATION_GRACE_SECONDS,
    deletion,
    fold_cancellation,
    fold_cleanup,
)
from builders import model_stages
from builders.backend import out_of_reach
from builders.clock import NOON
from builders.manifests import SIMULATED, Changes
from builders.objects import a_model, a_runtime
from builders.observations import STANDARD, at, model_draft, observed_model


def _going(status: AvatarModelStatus, spec: Changes | None = None) -> AvatarModel:
    return a_model(deleted_at=NOON, status=status, spec=spec)


def test_a_model_that_stays_is_left_alone() -> None:
    observation = observed_model(a_model(status=model_stages.hosted()))

    assert deletion(observation, model_draft(observation)) == model_draft(observation)


def test_a_finished_model_takes_its_data_with_it() -> None:
    observation = observed_model(_going(model_stages.hosted()))

    draft = deletion(observation, model_draft(observation))

    assert draft.actions == (DeleteModelData(artifacts=True),)
    assert draft.finalizer == "Keep", "it is held until the data is gone"
    assert draft.finished


def test_artifacts_stay_if_the_model_says_retain() -> None:
    observation = observed_model(_going(model_stages.hosted(), {"deletionPolicy": "Retain"}))

    assert deletion(observation, model_draft(observation)).actions == (
        MarkRetained(),
        DeleteModelData(artifacts=False),
    )


def test_a_running_attempt_is_stopped_and_given_time_to_say_so() -> None:
    observation = observed_model(_going(model_stages.submitted()), outcome=AttemptPending(), now=at(10))

    draft = deletion(observation, model_draft(observation))

    assert [type(action) for action in draft.actions] == [CancelAttempt]
    assert draft.finalizer == "Keep"


def test_a_worker_that_stops_at_once_is_seen_at_once_and_one_that_does_not_ever_more_rarely() -> None:
    looks, now = [], 0.0
    while now < CANCELLATION_GRACE_SECONDS:
        observation = observed_model(_going(model_stages.submitted()), outcome=AttemptPending(), now=at(now))
        wait = deletion(observation, model_draft(observation)).requeue_after
        assert wait is not None
        now += wait
        looks.append(now)

    assert looks[:7] == [0.5, 1, 2, 4, 8, 13, 18]
    assert looks[-1] == CANCELLATION_GRACE_SECONDS


def test_an_api_server_whose_clock_is_ahead_does_not_keep_a_deletion_waiting() -> None:
    observation = observed_model(_going(model_stages.submitted()), outcome=AttemptPending(), now=at(-30))

    assert deletion(observation, model_draft(observation)).requeue_after == 0.5


@pytest.mark.parametrize("seconds", [60, 599], ids=["grace is over", "long over"])
def test_after_the_grace_period_the_data_goes_whatever_the_worker_does(seconds: float) -> None:
    observation = observed_model(_going(model_stages.submitted()), outcome=AttemptPending(), now=at(seconds))

    draft = deletion(observation, model_draft(observation))

    assert [type(action) for action in draft.actions] == [CancelAttempt, DeleteModelData]


def test_an_attempt_that_has_ended_needs_no_grace() -> None:
    ended = AttemptFailed("AttemptFenced", "cancelled", retryable=False)
    observation = observed_model(_going(model_stages.submitted()), outcome=ended)

    draft = deletion(observation, model_draft(observation))

    assert [type(action) for action in draft.actions] == [CancelAttempt, DeleteModelData]


def test_an_attempt_of_which_nobody_can_find_out_is_given_time_as_one_that_runs() -> None:
    observation = observed_model(_going(model_stages.submitted()), outcome=out_of_reach(), now=at(10))

    draft = deletion(observation, model_draft(observation))

    assert [type(action) for action in draft.actions] == [CancelAttempt]


def test_an_attempt_that_was_only_planned_is_cancelled_without_grace() -> None:
    observation = observed_model(_going(model_stages.planned()))

    draft = deletion(observation, model_draft(observation))

    assert [type(action) for action in draft.actions] == [CancelAttempt, DeleteModelData]


DENIED: ActionFailed[ModelAction] = ActionFailed(
    DeleteModelData(artifacts=True), "AccessDenied", "The role may not do this.", retryable=False
)
THROTTLED: ActionFailed[ModelAction] = ActionFailed(
    DeleteModelData(artifacts=True), "Throttled", "Slow down.", retryable=True, retry_after=9
)
LEFT = DataDeleted(CleanupReport(("s3://models/artifacts/1", "s3://models/artifacts/2")))


def _after_cleanup(
    fact: DataDeleted | LeftBehindHandedOver | ActionFailed[ModelAction],
    seconds: float,
    asked_since: datetime | None = None,
) -> ModelDraft:
    observation = observed_model(_going(model_stages.hosted()), now=at(seconds), asked_since=asked_since)
    return fold_cleanup(observation, model_draft(observation), fact)


def test_a_model_is_let_go_when_its_data_is_gone() -> None:
    draft = _after_cleanup(DataDeleted(CleanupReport()), 1)

    assert (draft.finalizer, draft.farewells, draft.retrying) == ("Remove", (), None)


@pytest.mark.parametrize(
    ("fact", "retry"),
    [
        (DENIED, Retry("AccessDenied", "Not everything could be removed: The role may not do this.")),
        (THROTTLED, Retry("Throttled", "Not everything could be removed: Slow down.", 9)),
        (
            LEFT,
            Retry(
                "CleanupIncomplete",
                "Not everything could be removed: s3://models/artifacts/1; s3://models/artifacts/2",
            ),
        ),
    ],
    ids=["denied", "throttled", "left behind"],
)
def test_what_cannot_be_removed_is_tried_again_with_its_reason(
    fact: DataDeleted | ActionFailed[ModelAction], retry: Retry
) -> None:
    draft = _after_cleanup(fact, 599)

    assert (draft.finalizer, draft.farewells, draft.retrying) == ("Keep", (), retry)


@pytest.mark.parametrize("fact", [DENIED, THROTTLED, LEFT], ids=["denied", "throttled", "left behind"])
def test_when_patience_ends_the_runtime_is_asked_to_take_over(
    fact: DataDeleted | ActionFailed[ModelAction],
) -> None:
    draft = _after_cleanup(fact, 600)

    (record,) = draft.actions
    assert isinstance(record, RecordLeftBehind)
    assert "Not everything could be removed: " in record.remains
    assert (draft.finalizer, draft.farewells) == ("Keep", ())


def test_a_model_that_was_handed_over_is_held_until_its_runtime_says_so() -> None:
    draft = _after_cleanup(LeftBehindHandedOver("What remains."), 600)

    assert draft.finalizer == "Keep"
    assert draft.retrying == Retry("CleanupIncomplete", "What remains.", 2.0)


def test_a_model_that_its_runtime_has_taken_over_is_let_go_and_nothing_more_is_tried() -> None:
    model = _going(model_stages.hosted())
    entry = left_by_model(STANDARD, model, NOON)
    runtime = a_runtime(status=STANDARD.status.model_copy(update={"left_behind": [entry]}))
    observation = observed_model(model, runtime=runtime, now=at(601))

    draft = deletion(observation, model_draft(observation))

    assert (draft.finalizer, draft.actions) == ("Remove", ())
    (farewell,) = draft.farewells
    assert (farewell.type, farewell.reason) == ("Warning", "CleanupIncomplete")
    assert entry.locations[0] in farewell.message


def test_a_model_that_nobody_looked_at_for_hours_does_not_go_before_its_runtime_was_asked_to_take_over() -> (
    None
):
    draft = _after_cleanup(DENIED, 100_000)

    assert (draft.finalizer, draft.farewells) == ("Keep", ())
    assert [type(action) for action in draft.actions] == [RecordLeftBehind]


def test_a_model_goes_at_last_though_its_runtime_never_takes_over() -> None:
    draft = _after_cleanup(DENIED, 4200, asked_since=at(600))

    assert (draft.finalizer, draft.retrying, draft.actions) == ("Remove", None, ())
    (farewell,) = draft.farewells
    assert (farewell.type, farewell.reason) == ("Warning", "CleanupIncomplete")
    assert "Not everything could be removed: " in farewell.message


def test_a_model_that_has_nothing_stored_goes_without_a_word_though_its_runtime_is_gone() -> None:
    observation = observed_model(_going(AvatarModelStatus()), runtime=None)

    draft = deletion(observation, model_draft(observation))

    assert (draft.finalizer, draft.farewells) == ("Remove", ())


def _after_cancellation(model: AvatarModel, *, retryable: bool, seconds: float) -> ModelDraft:
    assert model.status.training is not None
    action = CancelAttempt(attempt_reference(STANDARD, model, model.status.training))
    observation = observed_model(model, now=at(seconds))
    advanced = model_draft(observation).with_status(AvatarModelStatus())
    failed: ActionFailed[ModelAction] = ActionFailed(action, "Unreachable", "No answer.", retryable=retryable)
    return fold_cancellation(observation, advanced, failed)


@pytest.mark.parametrize("going", [True, False])
def test_a_cancellation_that_may_work_later_holds_back_everything_that_rests_on_it(going: bool) -> None:
    model = a_model(deleted_at=NOON if going else None, status=model_stages.submitted())

    draft = _after_cancellation(model, retryable=True, seconds=100)

    assert draft.status == model.status
    assert draft.retrying == Retry("Unreachable", "No answer.")


def test_a_cancellation_that_fails_to_the_end_of_the_patience_is_told_and_waits_for_nothing() -> None:
    draft = _after_cancellation(_going(model_stages.submitted()), retryable=True, seconds=600)

    assert draft.retrying is None
    assert draft.farewells == (Notice("Warning", "Unreachable", "No answer."),)


def test_a_cancellation_that_is_refused_for_good_waits_for_nothing() -> None:
    draft = _after_cancellation(a_model(status=model_stages.submitted()), retryable=False, seconds=1)

    assert draft.retrying is None
    assert draft.status == AvatarModelStatus()


def test_a_cancellation_that_worked_changes_nothing_else() -> None:
    observation = observed_model(_going(model_stages.submitted()))

    assert fold_cancellation(observation, model_draft(observation), AttemptCancelled()) == model_draft(
        observation
    )


def test_a_model_whose_runtime_is_gone_is_let_go_and_says_what_stays() -> None:
    observation = observed_model(_going(model_stages.hosted()), runtime=None)

    draft = deletion(observation, model_draft(observation))

    assert draft.actions == ()
    assert draft.finalizer == "Remove"
    assert [notice.reason for notice in draft.farewells] == ["CleanupImpossible"]


REMOVED = DataDeleted(CleanupReport())
SILENT = model_stages.working(since=NOON)


def test_a_worker_that_says_nothing_is_removed_after_once_more_when_it_cannot_be_alive() -> None:
    observation = observed_model(_going(SILENT), outcome=AttemptPending(), now=at(60))

    draft = fold_cleanup(observation, model_draft(observation), REMOVED)

    (record,) = draft.actions
    assert isinstance(record, RecordLeftBehind)
    assert record.is_removed
    assert record.may_grow_until == at(60 + LONGEST_ATTEMPT_SECONDS)
    assert draft.finalizer == "Keep", "until the runtime says so"


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (SILENT, AttemptFailed("AttemptFenced", "stopped", retryable=False)),
        (model_stages.submitted(), AttemptPending()),
        (model_stages.hosted(), None),
    ],
    ids=["it said that it stopped", "no worker had begun", "it ended long ago"],
)
def test_a_model_of_which_nobody_can_store_anything_goes_at_once(
    status: AvatarModelStatus, outcome: AttemptFailed | AttemptPending | None
) -> None:
    observation = observed_model(_going(status), outcome=outcome, now=at(60))

    assert fold_cleanup(observation, model_draft(observation), REMOVED).finalizer == "Remove"


def test_where_an_attempt_ends_with_its_claim_nothing_is_awaited() -> None:
    runtime = a_runtime(spec={"backend": SIMULATED})
    observation = observed_model(_going(SILENT), runtime=runtime, now=at(60))

    assert fold_cleanup(observation, model_draft(observation), REMOVED).finalizer == "Remove"


def test_a_claim_that_was_there_when_it_was_taken_away_is_remembered() -> None:
    observation = observed_model(_going(model_stages.submitted()), now=at(60))

    draft = fold_cancellation(observation, model_draft(observation), AttemptCancelled(claimed=at(50)))

    assert draft.status.training is not None
    assert draft.status.training.start_time == at(50)
    assert [type(action) for action in fold_cleanup(observation, draft, REMOVED).actions] == [
        RecordLeftBehind
    ]


def test_a_runtime_with_too_much_to_remember_is_not_asked_to_wait_for_a_worker() -> None:
    entries = [left_by_model(STANDARD, a_model(uid=str(number)), NOON) for number in range(33)]
    runtime = a_runtime(status=STANDARD.status.model_copy(update={"left_behind": entries}))
    observation = observed_model(_going(SILENT), runtime=runtime, now=at(60))

    draft = fold_cleanup(observation, model_draft(observation), REMOVED)

    assert draft.finalizer == "Remove"
    assert "found as an orphan" in draft.farewells[0].message


def test_what_others_have_left_behind_takes_a_models_place_to_wait_from_nobody() -> None:
    theirs = [
        left_by_model(STANDARD, a_model(uid=str(number), namespace="team-z"), NOON) for number in range(50)
    ]
    runtime = a_runtime(status=STANDARD.status.model_copy(update={"left_behind": theirs}))
    observation = observed_model(_going(SILENT), runtime=runtime, now=at(60))

    draft = fold_cleanup(observation, model_draft(observation), REMOVED)

    assert [type(action) for action in draft.actions] == [RecordLeftBehind]


def test_what_cannot_be_removed_yet_may_grow_all_the_same() -> None:
    observation = observed_model(_going(SILENT), now=at(600))

    (record,) = fold_cleanup(observation, model_draft(observation), LEFT).actions

    assert isinstance(record, RecordLeftBehind)
    assert (record.is_removed, record.may_grow_until) == (False, at(600 + LONGEST_ATTEMPT_SECONDS))
