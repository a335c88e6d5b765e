"""How far an AvatarModel's training is, as its status says it: the stages of one attempt, in their order."""

from datetime import datetime, timedelta

from avatar_api.avatar_model import ArtifactStatus, AvatarModelStatus
from avatar_api.meta import Condition
from avatar_api.training_status import SageMakerAttempt, TrainingStatus
from avatar_operator.names import inference_id
from builders.clock import NOON
from builders.objects import MODEL_UID, a_condition, an_artifact

ACCEPTED = a_condition("Accepted", "True", "Accepted")


def waiting(*, revision: int = 1, attempt: int = 0) -> AvatarModelStatus:
    """Seen, accepted, nothing planned."""
    return _status(
        TrainingStatus(revision=revision, attempt=attempt), a_condition("Trained", "False", "Pending")
    )


def planned(
    *, revision: int = 1, attempt: int = 1, failures: int = 0, abandoned: int = 0
) -> AvatarModelStatus:
    """The attempt has its name, and whether anybody called is not written."""
    training = _attempt(revision, attempt, failures).model_copy(update={"abandoned": abandoned})
    return _status(training, a_condition("Trained", "False", "Planned"))


def submitted(
    *,
    revision: int = 1,
    attempt: int = 1,
    failures: int = 0,
    at: datetime = NOON,
    artifact: ArtifactStatus | None = None,
) -> AvatarModelStatus:
    """The backend has the attempt."""
    training = _attempt(revision, attempt, failures).model_copy(
        update={
            "planned_time": at,
            "submitted_time": at,
            "sagemaker": SageMakerAttempt(
                output_location="s3://models/out/1.out", failure_location="s3://models/failed/1.out"
            ),
        }
    )
    queued = a_condition("Trained", "False", "Queued", f"Attempt {attempt} waits for a worker.")
    return _status(training, queued).model_copy(update={"artifact": artifact})


def working(*, since: datetime, attempt: int = 1) -> AvatarModelStatus:
    """A worker has the attempt."""
    status = submitted(attempt=attempt)
    assert status.training is not None
    training = status.training.model_copy(update={"start_time": since})
    return _status(training, a_condition("Trained", "False", "Preparing"))


def failed(
    *, revision: int = 1, attempt: int = 1, failures: int = 1, retry_in: float | None = None
) -> AvatarModelStatus:
    """The attempt failed at noon: for good, or to be tried again in `retry_in` seconds."""
    training = _attempt(revision, attempt, failures).model_copy(
        update={
            "submitted_time": NOON,
            "completion_time": NOON,
            "retry_time": None if retry_in is None else NOON + timedelta(seconds=retry_in),
        }
    )
    reason = "TooFewUsablePhotos" if retry_in is None else "RetryScheduled"
    return _status(training, a_condition("Trained", "False", reason))


def hosted(*, revision: int = 1, attempt: int = 1, at: datetime = NOON) -> AvatarModelStatus:
    """Trained and hosted: nothing is left to do."""
    training = _attempt(revision, attempt, 0).model_copy(
        update={"submitted_time": at, "completion_time": at, "seconds": 60}
    )
    return _status(
        training, a_condition("Trained", "True", "Trained"), a_condition("Hosted", "True", "Verified")
    ).model_copy(update={"artifact": an_artifact(revision=revision)})


def _attempt(revision: int, attempt: int, failures: int) -> TrainingStatus:
    return TrainingStatus(
        revision=revision,
        attempt=attempt,
        failures=failures,
        inference_id=inference_id(MODEL_UID, revision, attempt),
        planned_time=NOON,
    )


def _status(training: TrainingStatus, *conditions: Condition) -> AvatarModelStatus:
    return AvatarModelStatus(observed_generation=1, conditions=[ACCEPTED, *conditions], training=training)
