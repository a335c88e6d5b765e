"""Retention: a model that was to be kept for a time deletes itself when that time is over."""

from datetime import timedelta

from avatar_operator.core.decision import Notice
from avatar_operator.model_lifecycle.actions import ModelDraft
from avatar_operator.model_lifecycle.observation import ModelObservation, is_settled


def retention(observation: ModelObservation, draft: ModelDraft) -> ModelDraft:
    """Delete an expired model; otherwise look again when it will be."""
    training = draft.status.training
    keep = observation.model.spec.retention
    if keep is None or training is None or not is_settled(training):
        return draft
    assert training.completion_time is not None
    due = training.completion_time + timedelta(seconds=keep.expire_after_seconds)
    if observation.now < due:
        return draft.look_again_in((due - observation.now).total_seconds())
    return (
        draft.say_farewell(
            Notice("Normal", "Expired", f"Kept for {keep.expire_after_seconds} s as spec.retention says.")
        )
        .delete()
        .finish()
    )
