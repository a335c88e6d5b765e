"""How much of an AvatarModel's status can be true. Pure.

Whoever may write a status may write anything. What follows from names is derived and compared; what the operator cannot have
written is left out before any decision, and said. What is left may still be made up, and then harms its own model alone:
docs/security/status-fields.md goes through every field.
"""

from datetime import datetime, timedelta

from avatar_api.avatar_model import AvatarModel, AvatarModelStatus, ModelStorage
from avatar_api.avatar_runtime import AvatarRuntime
from avatar_api.training_status import SageMakerAttempt, TrainingStatus
from avatar_operator.core.foreign_status import AHEAD_SECONDS, Belief
from avatar_operator.locations import runtime_storage
from avatar_operator.names import inference_id
from avatar_operator.own_places import (
    MAX_ATTEMPT,
    artifact_homes,
    is_own_artifact,
    is_own_outcome,
    is_own_target_model,
    is_plain_prefix,
    is_storage_of,
)

ARTIFACT = "status.artifact"
MAX_REVISION = 1_000_000
_TIMES = ("planned_time", "submitted_time", "start_time", "completion_time")


def believed(model: AvatarModel, runtime: AvatarRuntime | None, now: datetime) -> Belief[AvatarModelStatus]:
    """What of a model's status can be the operator's own memory.

    Args:
        model: as the API server has it.
        runtime: that it names, or None if there is none.
        now: the instant.
    """
    foreign: list[str] = []
    status = model.status
    storage = _storage(model, runtime, foreign)
    training = _training(model, now, foreign)
    status = status.model_copy(update={"storage": storage, "training": training})
    if not _is_own_artifact(model.model_copy(update={"status": status}), runtime):
        foreign.append(ARTIFACT)
        status = status.model_copy(update={"artifact": None})
    return Belief(status, tuple(foreign)) if foreign else Belief(model.status)


def _storage(model: AvatarModel, runtime: AvatarRuntime | None, foreign: list[str]) -> ModelStorage | None:
    recorded, name = model.status.storage, model.spec.runtime_ref.name
    if recorded is None:
        return None
    if recorded.runtime_name != name:
        # A reference cannot change once storage is recorded.
        foreign.append("status.storage.runtimeName")
        recorded = recorded.model_copy(update={"runtime_name": name})
    former = [
        place
        for place in recorded.former
        if is_plain_prefix(place.requests) and is_plain_prefix(place.artifacts)
    ]
    if former != recorded.former:
        foreign.append("status.storage.former")
        recorded = recorded.model_copy(update={"former": former})
    if runtime is not None and recorded.runtime_uid == runtime.metadata.uid:
        if is_storage_of(recorded, runtime):
            return recorded
        today = runtime_storage(runtime)
        foreign.append("status.storage")
        return recorded.model_copy(update={"requests": today.requests, "artifacts": today.artifacts})
    if is_plain_prefix(recorded.requests) and is_plain_prefix(recorded.artifacts):
        return recorded
    foreign.append("status.storage")
    return None


def _training(model: AvatarModel, now: datetime, foreign: list[str]) -> TrainingStatus | None:
    training = model.status.training
    if training is None:
        return None
    # One more attempt must have a name, too.
    if not (0 <= training.attempt < MAX_ATTEMPT and 1 <= training.revision <= MAX_REVISION):
        foreign.append("status.training")
        return None
    derived = inference_id(model.metadata.uid, training.revision, training.attempt)
    if training.inference_id not in (None, derived):
        foreign.append("status.training.inferenceId")
        return TrainingStatus(
            revision=training.revision,
            attempt=training.attempt,
            failures=training.failures,
            abandoned=training.abandoned,
        )
    late = [
        name
        for name in _TIMES
        if (time := getattr(training, name)) is not None and time - now > timedelta(seconds=AHEAD_SECONDS)
    ]
    if late:
        foreign.append("status.training, a time in the future")
        training = training.model_copy(update=dict.fromkeys(late, now))
    return _without_foreign_outcomes(model, training, foreign)


def _without_foreign_outcomes(
    model: AvatarModel, training: TrainingStatus, foreign: list[str]
) -> TrainingStatus:
    namespace, uid = model.metadata.namespace, model.metadata.uid
    own_id = inference_id(uid, training.revision, training.attempt)

    def is_foreign(location: str | None) -> bool:
        return location is not None and not is_own_outcome(location, namespace, uid, own_id)

    sagemaker = training.sagemaker or SageMakerAttempt()
    if is_foreign(sagemaker.output_location):
        foreign.append("status.training.sagemaker.outputLocation")
        sagemaker = sagemaker.model_copy(update={"output_location": None})
    if is_foreign(sagemaker.failure_location):
        foreign.append("status.training.sagemaker.failureLocation")
        sagemaker = sagemaker.model_copy(update={"failure_location": None})
    if training.sagemaker not in (None, sagemaker):
        training = training.model_copy(update={"sagemaker": sagemaker})
    if is_foreign(training.output_location):
        foreign.append("status.training.outputLocation")
        training = training.model_copy(update={"output_location": None})
    if is_foreign(training.failure_location):
        foreign.append("status.training.failureLocation")
        training = training.model_copy(update={"failure_location": None})
    return training


def _is_own_artifact(model: AvatarModel, runtime: AvatarRuntime | None) -> bool:
    artifact = model.status.artifact
    if artifact is None:
        return True
    namespace, uid = model.metadata.namespace, model.metadata.uid
    if not is_own_target_model(artifact.target_model, namespace, uid, artifact.revision):
        return False
    return runtime is None or is_own_artifact(
        artifact.uri, artifact.target_model, artifact_homes(model, runtime)
    )
