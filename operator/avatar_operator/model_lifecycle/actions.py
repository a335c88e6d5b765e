"""What a decision about an AvatarModel may ask of the outside world. Data only; `controller` carries it out."""

from dataclasses import dataclass

from avatar_api.avatar_model import AvatarModelStatus
from avatar_api.documents.training import TrainingRequest
from avatar_operator.backends.attempts import AttemptReference
from avatar_operator.core.decision import Draft


@dataclass(frozen=True)
class SubmitTraining:
    """Start the planned attempt: write its request document, then hand it over."""

    attempt: AttemptReference
    request: TrainingRequest


@dataclass(frozen=True)
class FenceAttempt:
    """Find out whether the planned attempt was ever submitted, and make sure that it stays so."""

    attempt: AttemptReference


@dataclass(frozen=True)
class CancelAttempt:
    """Stop an attempt that nobody wants any more."""

    attempt: AttemptReference


@dataclass(frozen=True)
class DeleteModelData:
    """Remove what is stored for the model."""

    artifacts: bool
    give_up: bool


ModelAction = SubmitTraining | FenceAttempt | CancelAttempt | DeleteModelData
ModelDraft = Draft[AvatarModelStatus, ModelAction]
