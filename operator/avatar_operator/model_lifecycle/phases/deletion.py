"""Deletion: stop the training, remove what is stored, let go. In bounded time.

A running training is asked to stop and given a grace period to say so, because a worker that has not noticed could
still upload a likeness after its owner wanted it gone. What cannot be removed is tried again at once, then with
back-off, until the patience ends: a finalizer that holds for ever helps nobody. Then the runtime takes over, and only
when it says so is the model let go (`left_behind`).
"""

from avatar_api.avatar_model import AvatarModel
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
from avatar_operator.left_behind.entries import is_recorded
from avatar_operator.left_behind.folding import CLEANUP_PATIENCE_SECONDS, going_seconds, let_go
from avatar_operator.model_lifecycle.actions import (
    AttemptCancelled,
    CancelAttempt,
    DeleteModelData,
    ModelAction,
    ModelDraft,
)
from avatar_operator.model_lifecycle.observation import ModelObservation, attempt_reference, is_active

CANCELLATION_GRACE_SECONDS = 60
FIRST_LOOK_SECONDS = 0.5
LONGEST_LOOK_SECONDS = 5.0


def deletion(observation: ModelObservation, draft: ModelDraft) -> ModelDraft:
    """Undo everything that the model caused, then let it go."""
    model = observation.model
    if model.metadata.deletion_timestamp is None:
        return draft
    if observation.runtime is None and not _may_have_something(model):
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
        may_run = training.submitted_time is not None and (
            observation.outcome is None or isinstance(observation.outcome, AttemptPending | BackendError)
        )
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
        case AttemptCancelled():
            return draft
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
    """What is left of the model's data."""
    return folding.fold_cleanup(
        draft,
        fact,
        RecordLeftBehind,
        metadata=observation.model.metadata,
        now=observation.now,
        asked_since=observation.asked_since,
    )


def is_out_of_patience(observation: ModelObservation) -> bool:
    """Whether the model has been going for so long that nothing more is waited for."""
    metadata = observation.model.metadata
    going = metadata.deletion_timestamp is not None
    return going and going_seconds(metadata, observation.now) >= CLEANUP_PATIENCE_SECONDS


def _until_next_look(age: float) -> float:
    """Seconds until a worker that was told to stop is looked at again: as long as was waited already, within bounds."""
    pause = min(max(age, FIRST_LOOK_SECONDS), LONGEST_LOOK_SECONDS)
    return min(pause, CANCELLATION_GRACE_SECONDS - age)


def _may_have_something(model: AvatarModel) -> bool:
    """Whether anything may be stored for a model: an attempt was planned once."""
    training = model.status.training
    return model.status.storage is not None or (training is not None and training.inference_id is not None)
