"""Deletion: stop the training, remove what is stored, let go. In bounded time.

A running training is asked to stop and given a grace period to say so, because a worker that has not noticed could
still upload a likeness after its owner wanted it gone. What cannot be removed is tried again at once, then with
back-off, until the patience ends: a finalizer that holds for ever helps nobody. Then the runtime takes over, and only
when it says so is the model let go (`left_behind`). The same where a worker has begun and does not say that it stopped:
everything is removed, and once more when it cannot be alive any more (`left_behind.last_removal`).
"""

from datetime import datetime

from avatar_api.training_status import TrainingStatus
from avatar_operator.backends.attempts import AttemptPending
from avatar_operator.backends.failures import BackendError
from avatar_operator.core.decision import ActionFailed, Notice
from avatar_operator.left_behind import folding
from avatar_operator.left_behind.actions import (
    DataDeleted,
    LeftBehindHandedOver,
    MarkRetained,
    RecordLeftBehind,
)
from avatar_operator.left_behind.entries import has_stored, is_recorded
from avatar_operator.left_behind.folding import (
    CLEANUP_PATIENCE_SECONDS,
    going_seconds,
    let_go,
    was_asked_in_vain,
)
from avatar_operator.left_behind.last_removal import end_of_attempt
from avatar_operator.left_behind.shares import has_place_to_wait
from avatar_operator.model_lifecycle.actions import (
    AttemptCancelled,
    CancelAttempt,
    DeleteModelData,
    ModelAction,
    ModelDraft,
)
from avatar_operator.model_lifecycle.conditions import update_training
from avatar_operator.model_lifecycle.observation import (
    ModelObservation,
    attempt_reference,
    is_active,
    start_of_work,
)

CANCELLATION_GRACE_SECONDS = 60
FIRST_LOOK_SECONDS = 0.5
LONGEST_LOOK_SECONDS = 5.0


def deletion(observation: ModelObservation, draft: ModelDraft) -> ModelDraft:
    """Undo everything that the model caused, then let it go."""
    model = observation.model
    if model.metadata.deletion_timestamp is None:
        return draft
    if observation.runtime is None and not has_stored(model):
        return draft.remove_finalizer().finish()
    if observation.runtime is None:
        return (
            draft.say_farewell(
                Notice(
                    "Warning",
                    "CleanupImpossible",
                    f"AvatarRuntime {model.spec.runtime_ref.name} is gone, so nobody knows where this model's data lies;"
                    " whatever was stored has been left there.",
                )
            )
            .remove_finalizer()
            .finish()
        )
    if is_recorded(observation.runtime, model.metadata.uid):
        return let_go(draft, observation.runtime, model.metadata.uid).finish()
    age = going_seconds(model.metadata, observation.now)
    training = draft.status.training
    if training is not None and is_active(training):
        draft = draft.act(CancelAttempt(attempt_reference(observation.runtime, model, training)))
        may_run = training.submitted_time is not None and not _has_ended(observation)
        if may_run and age < CANCELLATION_GRACE_SECONDS:
            return draft.look_again_in(_until_next_look(age)).finish()
    if model.spec.deletion_policy == "Delete":
        return draft.act(DeleteModelData(artifacts=True)).finish()
    return draft.act(MarkRetained(), DeleteModelData(artifacts=False)).finish()


def fold_cancellation(
    observation: ModelObservation, draft: ModelDraft, fact: AttemptCancelled | ActionFailed[ModelAction]
) -> ModelDraft:
    """Whether the attempt was told to stop. As long as it was not, and may yet be, nothing is decided that rests on it."""
    match fact:
        case AttemptCancelled(claimed=claimed):
            training = draft.status.training
            if claimed is None or training is None or training.start_time is not None:
                return draft
            return update_training(draft, start_time=start_of_work(observation, training, claimed))
        case ActionFailed() if is_out_of_patience(observation):
            return draft.say_farewell(Notice("Warning", fact.reason, fact.message))
        case ActionFailed(retryable=True):
            return draft.with_status(observation.model.status).retry(fact.as_retry())
        case ActionFailed():
            return draft


def fold_cleanup(
    observation: ModelObservation,
    draft: ModelDraft,
    fact: DataDeleted | LeftBehindHandedOver | ActionFailed[ModelAction],
) -> ModelDraft:
    """What is left of the model's data, or may come yet."""
    end = _may_upload_until(observation, draft.status.training)
    if end is not None and isinstance(fact, DataDeleted) and not fact.report.left_behind:
        return _until_no_worker_lives(observation, draft, end)
    return folding.fold_cleanup(
        draft,
        fact,
        lambda remains: RecordLeftBehind(remains, may_grow_until=end),
        metadata=observation.model.metadata,
        now=observation.now,
        asked_since=observation.asked_since,
    )


def _may_upload_until(observation: ModelObservation, training: TrainingStatus | None) -> datetime | None:
    """Until when a worker may still store something although its claim is gone; None if none can.

    Whoever has not begun by the end of the grace period never does: its claim is taken, and its request document is gone.
    """
    if observation.runtime is None or training is None or training.start_time is None:
        return None
    if not is_active(training) or _has_ended(observation):
        return None
    return end_of_attempt(observation.runtime, observation.now)


def _until_no_worker_lives(observation: ModelObservation, draft: ModelDraft, end: datetime) -> ModelDraft:
    runtime = observation.runtime
    assert runtime is not None
    explanation = (
        "Everything is removed, but a worker has not said that it stopped, and may still store something."
    )
    has_place = has_place_to_wait(runtime.status.left_behind, observation.model.metadata.namespace)
    if not has_place or was_asked_in_vain(observation.asked_since, observation.now):
        message = f"{explanation} If it does, that is found as an orphan."
        return draft.say_farewell(Notice("Warning", "CleanupIncomplete", message)).remove_finalizer()
    return draft.act(RecordLeftBehind(explanation, may_grow_until=end, is_removed=True))


def _has_ended(observation: ModelObservation) -> bool:
    """Whether it is known that the attempt has come to its end."""
    outcome = observation.outcome
    return outcome is not None and not isinstance(outcome, AttemptPending | BackendError)


def is_out_of_patience(observation: ModelObservation) -> bool:
    """Whether the model has been going for so long that nothing more is waited for."""
    metadata = observation.model.metadata
    going = metadata.deletion_timestamp is not None
    return going and going_seconds(metadata, observation.now) >= CLEANUP_PATIENCE_SECONDS


def _until_next_look(age: float) -> float:
    """Seconds until a worker that was told to stop is looked at again: as long as was waited already, within bounds."""
    pause = min(max(age, FIRST_LOOK_SECONDS), LONGEST_LOOK_SECONDS)
    return min(pause, CANCELLATION_GRACE_SECONDS - age)
