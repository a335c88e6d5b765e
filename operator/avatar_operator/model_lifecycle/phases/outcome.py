"""Outcome: what became of the current attempt. A failed training never becomes an artifact."""

from avatar_api.avatar_model import ArtifactStatus, AvatarModel, PhotosStatus, RejectedPhoto
from avatar_api.documents.photos import PhotoVerdict
from avatar_api.training_status import TrainingStatus
from avatar_operator.backends.attempts import (
    ArtifactFindings,
    AttemptFailed,
    AttemptPending,
    AttemptSucceeded,
)
from avatar_operator.backends.failures import BackendError
from avatar_operator.backends.worker_words import public_words
from avatar_operator.core.condition_drafts import set_condition, update_status
from avatar_operator.core.conditions import shortened
from avatar_operator.core.redaction import redacted
from avatar_operator.costs import training_cost
from avatar_operator.model_lifecycle.actions import ModelDraft
from avatar_operator.model_lifecycle.base_models import base_model_word
from avatar_operator.model_lifecycle.conditions import HOSTED, TRAINED, update_training, waiting_message
from avatar_operator.model_lifecycle.failure import fail_attempt
from avatar_operator.model_lifecycle.observation import (
    ModelObservation,
    attempt_reference,
    is_submitted,
    start_of_work,
)
from avatar_operator.model_lifecycle.phases.acceptance import photo_locations

UNKNOWN_PHOTO = "(a photo that this model does not name)"
MAX_KEY = 1024
"""What the schema of the status takes."""


def outcome(observation: ModelObservation, draft: ModelDraft) -> ModelDraft:
    """Record how the current attempt ended, if it has."""
    if not is_submitted(draft.status.training):
        return draft
    match observation.outcome:
        case None:
            return draft
        case AttemptPending() as pending:
            return _pending(observation, draft, pending)
        case BackendError() as error:
            # It is asked for again, and the deadline holds meanwhile.
            return draft.retry(error.as_retry())
        case AttemptSucceeded(findings=ArtifactFindings(defect="")) as success:
            return _succeed(observation, draft, success)
        case AttemptSucceeded(findings=ArtifactFindings(defect=defect)):
            return fail_attempt(
                observation,
                draft,
                reason="ArtifactInvalid",
                message=f"The stored artifact is not usable: {defect}",
                retryable=True,
            )
        case AttemptFailed(reason=reason, message=message, retryable=retryable, error=error):
            if error is not None and error.photos is not None:
                draft = update_status(draft, photos=photos_status(observation.model, error.photos))
            return fail_attempt(observation, draft, reason=reason, message=message, retryable=retryable)


def _pending(observation: ModelObservation, draft: ModelDraft, pending: AttemptPending) -> ModelDraft:
    training = draft.status.training
    assert training is not None
    if training.start_time is None and pending.started is not None:
        # Whoever holds the claim begins with the photos.
        stage = "Preparing" if pending.stage == "Queued" else pending.stage
        draft = update_training(draft, start_time=start_of_work(observation, training, pending.started))
        message = f"Attempt {training.attempt} is running."
        draft = set_condition(observation, draft, TRAINED, "False", stage, message)
    elif training.start_time is None:
        message = waiting_message(training.attempt, pending.reason, pending.message)
        draft = set_condition(observation, draft, TRAINED, "False", "Queued", message)
    return draft if pending.check_after is None else draft.look_again_in(pending.check_after)


def _succeed(observation: ModelObservation, draft: ModelDraft, success: AttemptSucceeded) -> ModelDraft:
    training, result = draft.status.training, success.result
    assert training is not None
    assert observation.runtime is not None
    locations = attempt_reference(observation.runtime, observation.model, training).locations
    seconds = _possible_seconds(observation, training, result.seconds)
    artifact = ArtifactStatus(
        uri=locations.artifact,
        target_model=locations.target_model,
        sha256=result.artifact.sha256,
        weights_sha256=success.findings.weights_sha256,
        size_bytes=result.artifact.size_bytes,
        base_model=training.base_model or base_model_word(observation.runtime.spec.base_model),
        revision=training.revision,
    )
    draft = update_training(
        draft,
        completion_time=observation.now,
        progress=None,
        retry_time=None,
        seconds=round(seconds),
        estimated_cost=training_cost(observation.runtime, seconds),
    )
    draft = update_status(
        draft, artifact=artifact, photos=photos_status(observation.model, result.photos), last_failure=None
    )
    message = f"Revision {training.revision} was trained on {draft.status.photos.accepted if draft.status.photos else 0} photos."
    draft = set_condition(observation, draft, TRAINED, "True", "Trained", message)
    return set_condition(
        observation,
        draft,
        HOSTED,
        "True",
        "Verified",
        "Checksum and manifest were read back; the endpoint loads it on first use.",
    )


def _possible_seconds(observation: ModelObservation, training: TrainingStatus, claimed: float) -> float:
    """What a worker says that it spent, as far as there was time for it since the attempt was planned."""
    if training.planned_time is None:
        return claimed
    return min(claimed, max(0.0, (observation.now - training.planned_time).total_seconds()))


def photos_status(model: AvatarModel, verdicts: list[PhotoVerdict]) -> PhotosStatus:
    """Verdicts of photo preparation, as the status shows them: a worker names the model's own photos, or none."""
    rejected = [
        RejectedPhoto(
            key=_own_key(model, verdict.uri),
            reason=shortened(f"{verdict.rejection}: {public_words(verdict.message)}".removesuffix(": "), 256),
        )
        for verdict in verdicts
        if verdict.rejection is not None
    ]
    return PhotosStatus(accepted=len(verdicts) - len(rejected), rejected=rejected)


def _own_key(model: AvatarModel, uri: str) -> str:
    prefix = model.spec.photos.s3_prefix
    if prefix is None:
        return _key(uri) if uri in photo_locations(model) else UNKNOWN_PHOTO
    if not uri.startswith(prefix):
        return UNKNOWN_PHOTO
    # Which photos lie there nobody remembers: behind the prefix a worker may have written anything.
    return shortened(f"{_key(prefix)}{redacted(uri.removeprefix(prefix))}", MAX_KEY)


def _key(uri: str) -> str:
    return uri.split("/", 3)[-1]
