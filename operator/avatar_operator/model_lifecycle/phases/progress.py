"""Progress: stage and steps of the running attempt, written rarely enough to be quiet.

Every write wakes every watcher, so a new stage is written at once and steps only when they are worth a column's change.
"""

from avatar_api.documents.training import TrainingProgressMessage
from avatar_api.training_status import TrainingProgress
from avatar_operator.backends.attempts import AttemptPending
from avatar_operator.core.condition_drafts import set_condition
from avatar_operator.core.conditions import find_condition
from avatar_operator.model_lifecycle.actions import ModelDraft
from avatar_operator.model_lifecycle.conditions import TRAINED, update_training
from avatar_operator.model_lifecycle.observation import ModelObservation, is_submitted

PERCENT_STEP = 5


def progress(observation: ModelObservation, draft: ModelDraft) -> ModelDraft:
    """Take over the newest progress message, if it says enough that is new."""
    training = draft.status.training
    message = _newest_message(observation)
    if training is None or not is_submitted(training) or message is None:
        return draft
    if message.inference_id != training.inference_id:
        return draft
    if training.start_time is None:
        draft = update_training(draft, start_time=observation.now)
    condition = find_condition(draft.status.conditions, TRAINED)
    stage_is_new = condition is None or condition.reason != message.stage
    known_percent = training.progress.percent if training.progress is not None else 0
    percent = percent_of(message)
    # Less than was known is as good as more: what was known may have been made up.
    if not stage_is_new and abs(percent - known_percent) < PERCENT_STEP:
        return draft
    draft = update_training(
        draft,
        progress=TrainingProgress(
            step=message.step,
            total_steps=message.total_steps,
            percent=percent,
            estimated_remaining_seconds=message.estimated_remaining_seconds,
        ),
    )
    return set_condition(
        observation, draft, TRAINED, "False", message.stage, f"Attempt {training.attempt} is running."
    )


def _newest_message(observation: ModelObservation) -> TrainingProgressMessage | None:
    """What the worker said last: to us, or to a backend that was asked."""
    told, outcome = observation.progress, observation.outcome
    asked = outcome.progress if isinstance(outcome, AttemptPending) else None
    if told is None or asked is None or told.inference_id != asked.inference_id:
        return asked or told
    return max(told, asked, key=lambda message: message.sequence)


def percent_of(message: TrainingProgressMessage) -> int:
    """Percent of the training steps that are done; photos are prepared before the first, packaging comes after the last."""
    if message.stage == "Preparing":
        return 0
    if message.stage == "Packaging":
        return 100
    return 0 if message.total_steps == 0 else min(100, 100 * message.step // message.total_steps)
