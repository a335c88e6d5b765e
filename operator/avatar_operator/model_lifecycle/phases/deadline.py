"""Deadline: an attempt that waits or works for too long is stopped, so that nothing waits for ever on a message that
never comes.

Waiting and working have a deadline each: a queue is the platform's, and must not eat the time that a training may take.
Waiting counts from the plan, so an attempt that can never be submitted ends, too. Work counts from the moment that the
worker took its claim, as its first message or the claim itself says.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from avatar_api.avatar_model import AvatarModel
from avatar_api.avatar_runtime import AvatarRuntime
from avatar_api.training_status import TrainingStatus
from avatar_operator.model_lifecycle.actions import CancelAttempt, ModelDraft
from avatar_operator.model_lifecycle.failure import fail_attempt
from avatar_operator.model_lifecycle.observation import ModelObservation, attempt_reference, is_active


@dataclass(frozen=True)
class Deadline:
    """Until when an attempt may go on as it does.

    Attributes:
        due: the instant.
        reason: what its end is called.
        message: what its end is, for a person.
    """

    due: datetime
    reason: str
    message: str


def deadline(observation: ModelObservation, draft: ModelDraft) -> ModelDraft:
    """Stop an attempt that is overdue; otherwise look again when it will be."""
    training = draft.status.training
    if training is None or observation.runtime is None:
        return draft
    limit = deadline_of(observation.runtime, observation.model, training)
    if limit is None:
        return draft
    if observation.now < limit.due:
        return draft.look_again_in((limit.due - observation.now).total_seconds())
    if not observation.planned_here:
        draft = draft.act(CancelAttempt(attempt_reference(observation.runtime, observation.model, training)))
    return fail_attempt(observation, draft, reason=limit.reason, message=limit.message, retryable=False)


def deadline_of(runtime: AvatarRuntime, model: AvatarModel, training: TrainingStatus) -> Deadline | None:
    """The deadline that holds for an attempt, or None if there is none under way.

    A user's own deadline counts as far as the runtime allows it; both may be edited while the attempt runs.
    """
    if not is_active(training) or training.planned_time is None:
        return None
    limits = runtime.spec.limits.training
    if training.start_time is None:
        wanted = model.spec.queue_deadline_seconds or limits.queue_deadline_seconds
        allowed = min(wanted, limits.queue_deadline_seconds)
        return Deadline(
            training.planned_time + timedelta(seconds=allowed),
            "QueueDeadlineExceeded",
            f"No worker began attempt {training.attempt} within {allowed} s: the training endpoint needs more instances,"
            " or the deadline is too short.",
        )
    wanted = model.spec.active_deadline_seconds or limits.active_deadline_seconds
    allowed = min(wanted, limits.active_deadline_seconds)
    return Deadline(
        training.start_time + timedelta(seconds=allowed),
        "DeadlineExceeded",
        f"The attempt did not end within {allowed} s of work.",
    )
