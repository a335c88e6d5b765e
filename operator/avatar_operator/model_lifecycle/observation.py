"""Everything that a decision about an AvatarModel depends on, gathered once and frozen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from avatar_api.avatar_model import AvatarModel, AvatarModelStatus
from avatar_api.avatar_runtime import AvatarRuntime
from avatar_api.documents.training import (
    PhotoLocation,
    ProgressDestination,
    TrainingProgressMessage,
    TrainingRequest,
)
from avatar_api.endings import attempt_is_active
from avatar_api.training_status import SageMakerAttempt, TrainingStatus
from avatar_operator.backends.attempts import AttemptOutcome, AttemptReference
from avatar_operator.backends.failures import BackendError
from avatar_operator.locations import storage_of


@dataclass(frozen=True)
class ModelObservation:
    """An AvatarModel and its surroundings at one instant.

    Attributes:
        now: the instant.
        model: the object as last seen, its status as far as it is believed.
        recorded: its status as it stands; None if all of it is believed.
        foreign: fields of the status that the operator cannot have written, which is why `model` has them otherwise.
        runtime: the AvatarRuntime it names, or None if there is none of that name.
        runtime_is_foreign: whether there is one that is not this operator's.
        namespace_labels: the labels of the model's namespace, gathered if the runtime chooses tenants by them.
        photos: the photos in storage, gathered only when an attempt is about to be planned or submitted; the error if
            they could not be listed.
        obstacle: why the backend can never train the model as it is, gathered only until an attempt is handed over; or None.
        progress_destination: where a worker shall tell of its progress; gathered with the photos.
        outcome: how the current attempt stands, gathered only when there is one and a reason to ask; the error if it
            could not be found out.
        progress: the newest progress message of the current attempt.
        has_place: whether the namespace's quota leaves room for an attempt; asked only when one is about to be planned.
        planned_here: this process wrote the plan of the current attempt and has not called yet, so it is certain
            that nobody else has.
        sent: what the current attempt was sent with, gathered only when its credentials are due; the error if that cannot be
            told any more.
        credentials_due: when the attempt's credentials have to be renewed; None if this process has given none.
        asked_since: since when the runtime has been asked to take over what a model that goes leaves behind.
    """

    now: datetime
    model: AvatarModel
    runtime: AvatarRuntime | None
    namespace_labels: Mapping[str, str] = field(default_factory=dict)
    obstacle: BackendError | None = None
    photos: Sequence[PhotoLocation] | BackendError | None = None
    progress_destination: ProgressDestination | None = None
    outcome: AttemptOutcome | BackendError | None = None
    progress: TrainingProgressMessage | None = None
    has_place: bool = True
    planned_here: bool = False
    sent: TrainingRequest | BackendError | None = None
    credentials_due: datetime | None = None
    asked_since: datetime | None = None
    runtime_is_foreign: bool = False
    recorded: AvatarModelStatus | None = None
    foreign: tuple[str, ...] = ()

    @property
    def generation(self) -> int:
        """The generation of the model's spec."""
        return self.model.metadata.generation


def is_active(training: TrainingStatus | None) -> bool:
    """Whether an attempt is planned or running."""
    return training is not None and attempt_is_active(training.inference_id, training.completion_time)


def is_submitted(training: TrainingStatus | None) -> bool:
    """Whether an attempt is known to be in the backend's hands."""
    return training is not None and is_active(training) and training.submitted_time is not None


def is_settled(training: TrainingStatus | None) -> bool:
    """Whether the current revision has come to an end, good or bad."""
    return (
        training is not None
        and training.inference_id is not None
        and training.completion_time is not None
        and training.retry_time is None
    )


def start_of_work(
    observation: ModelObservation, training: TrainingStatus, claimed: datetime | None
) -> datetime:
    """When a worker began the current attempt, by its claim.

    A claim is dated by the worker's clock, which may be ahead or behind, or not set at all: nobody began before the attempt
    was planned, nor after this instant.
    """
    if claimed is None:
        return observation.now
    return min(max(claimed, training.planned_time or claimed), observation.now)


def attempt_reference(
    runtime: AvatarRuntime, model: AvatarModel, training: TrainingStatus
) -> AttemptReference:
    """The current attempt, as backends know it."""
    assert training.inference_id is not None
    sagemaker = training.sagemaker or SageMakerAttempt()
    return AttemptReference(
        namespace=model.metadata.namespace,
        uid=model.metadata.uid,
        revision=training.revision,
        attempt=training.attempt,
        inference_id=training.inference_id,
        storage=storage_of(model, runtime),
        endpoint_name=sagemaker.endpoint_name,
        output_location=sagemaker.output_location or training.output_location,
        failure_location=sagemaker.failure_location or training.failure_location,
        submitted_time=training.submitted_time,
    )
