"""Submission: call the backend for the attempt that stands planned in the status."""

from avatar_api.avatar_runtime import AvatarRuntime
from avatar_api.training_status import SageMakerAttempt, TrainingStatus
from avatar_operator.backends.failures import BackendError
from avatar_operator.core.condition_drafts import set_condition, set_lasting_condition
from avatar_operator.core.decision import ActionFailed
from avatar_operator.model_lifecycle.actions import (
    AnswerLost,
    ModelAction,
    ModelDraft,
    SubmissionAccepted,
    SubmitTraining,
)
from avatar_operator.model_lifecycle.base_models import base_model_word
from avatar_operator.model_lifecycle.conditions import TRAINED, update_training, waiting_message
from avatar_operator.model_lifecycle.failure import fail_attempt
from avatar_operator.model_lifecycle.observation import (
    ModelObservation,
    attempt_reference,
    is_active,
    is_submitted,
)
from avatar_operator.model_lifecycle.phases.acceptance import photo_refusal, refusal
from avatar_operator.model_lifecycle.training_request import build_training_request


def submission(observation: ModelObservation, draft: ModelDraft) -> ModelDraft:
    """Submit the planned attempt with the photos as they are now."""
    training = draft.status.training
    if training is None or not is_active(training) or is_submitted(training):
        return draft
    runtime, photos = observation.runtime, observation.photos
    assert runtime is not None
    if isinstance(photos, BackendError) and photos.retryable:
        return draft.retry(photos.as_retry()).finish()
    if _is_off(observation, runtime, training):
        # Nobody was called yet, so the plan can be withdrawn; the next pass says why there is no other one.
        return update_training(draft, inference_id=None, planned_time=None).look_again_in(0).finish()
    assert photos is not None
    assert not isinstance(photos, BackendError)
    attempt = attempt_reference(runtime, observation.model, training)
    request = build_training_request(
        runtime, observation.model, attempt, photos, observation.progress_destination
    )
    return draft.act(SubmitTraining(attempt, request))


def _is_off(observation: ModelObservation, runtime: AvatarRuntime, training: TrainingStatus) -> bool:
    """Whether the plan does not hold any more, or whoever may write statuses has made it up."""
    model = observation.model
    other_base = training.base_model not in (None, base_model_word(runtime.spec.base_model))
    storage = model.status.storage
    elsewhere = storage is not None and storage.runtime_uid != runtime.metadata.uid
    return (
        model.spec.suspend
        or other_base
        or elsewhere
        or refusal(runtime, model, observation.namespace_labels) is not None
        or observation.obstacle is not None
        or photo_refusal(runtime, observation.photos) is not None
    )


def fold_submission(
    observation: ModelObservation,
    draft: ModelDraft,
    fact: SubmissionAccepted | AnswerLost | ActionFailed[ModelAction],
) -> ModelDraft:
    """What became of the call."""
    training = draft.status.training
    assert training is not None
    match fact:
        case SubmissionAccepted(submission=accepted, steps=steps):
            draft = update_training(
                draft,
                submitted_time=observation.now,
                steps=steps,
                log_url=accepted.log_url,
                sagemaker=SageMakerAttempt(
                    endpoint_name=accepted.endpoint_name,
                    output_location=accepted.output_location,
                    failure_location=accepted.failure_location,
                ),
            )
            message = waiting_message(training.attempt)
            # Asked once without a hint: a backend that sends none says when to ask again.
            return set_condition(observation, draft, TRAINED, "False", "Queued", message).look_again_in(0)
        case AnswerLost():
            # The plan stands, and is fenced by the next pass before anything is called again.
            return draft.look_again_in(0)
        case ActionFailed(reason=reason, message=message, retryable=False):
            return fail_attempt(observation, draft, reason=reason, message=message, retryable=False)
        case ActionFailed(reason=reason, message=message):
            beginning = f"Attempt {training.attempt} could not be submitted ({reason}): "
            return set_lasting_condition(
                observation,
                draft,
                TRAINED,
                "False",
                "SubmissionDelayed",
                f"{beginning}{message} It is tried again.",
                beginning=beginning,
            ).retry(fact.as_retry())
