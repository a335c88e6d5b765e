"""What an AvatarModel's status says that is worth telling. Pure: the same status gives the same news."""

from avatar_api.avatar_model import AvatarModelStatus
from avatar_operator.core.conditions import find_condition, is_true
from avatar_operator.core.decision import Notice
from avatar_operator.core.foreign_status import news_of_foreign
from avatar_operator.core.news import News
from avatar_operator.kube.client import Object
from avatar_operator.model_lifecycle.conditions import ACCEPTED, HOSTED, TRAINED

MODEL_READY = "dev.avatars.model.ready.v1alpha1"
MODEL_FAILED = "dev.avatars.model.failed.v1alpha1"


def model_news(body: Object) -> tuple[News, ...]:
    """The news in an AvatarModel.

    Args:
        body: the object; its status and name are read.
    """
    status = AvatarModelStatus.model_validate(body["status"])
    found = (_submission(status), _failure(status), _ready(status, body["metadata"]["name"]))
    return (*(news for news in found if news is not None), *news_of_foreign(status))


def _submission(status: AvatarModelStatus) -> News | None:
    training = status.training
    if training is None or training.submitted_time is None or training.inference_id is None:
        return None
    message = f"Attempt {training.attempt} was queued as {training.inference_id}."
    return News(
        Notice("Normal", "TrainingSubmitted", message),
        occasion=f"r{training.revision}-a{training.attempt}",
        time=training.submitted_time,
    )


def _failure(status: AvatarModelStatus) -> News | None:
    failure = status.last_failure
    if failure is None:
        return None
    accepted = find_condition(status.conditions, ACCEPTED)
    refused = accepted is not None and accepted.status == "False" and accepted.reason == failure.reason
    if failure.retryable and not refused:
        notice = Notice("Warning", "TrainingAttemptFailed", f"{failure.reason}: {failure.message}")
    else:
        notice = Notice("Warning", failure.reason, failure.message, announce=MODEL_FAILED)
    return News(notice, occasion=failure.time.isoformat(), time=failure.time)


def _ready(status: AvatarModelStatus, name: str) -> News | None:
    artifact, trained = status.artifact, find_condition(status.conditions, TRAINED)
    if artifact is None or trained is None or not is_true(status.conditions, HOSTED):
        return None
    completed = status.training.completion_time if status.training is not None else None
    message = (
        f"Revision {artifact.revision} is trained and hosted: AvatarRequests in this namespace can draw with"
        f" modelRef {name}."
    )
    return News(
        Notice("Normal", "ModelReady", message, announce=MODEL_READY),
        occasion=artifact.target_model,
        time=completed or trained.last_transition_time,
    )
