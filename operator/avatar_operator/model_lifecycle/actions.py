"""What a decision about an AvatarModel may ask of the outside world, and what it may learn there. Data only.

`controller` carries the actions out; the phase that asked for one folds its fact into the decision.
"""

from dataclasses import dataclass
from datetime import datetime

from avatar_api.avatar_model import AvatarModelStatus
from avatar_api.documents.training import TrainingRequest
from avatar_operator.backends.attempts import AttemptReference, Submission
from avatar_operator.core.decision import ActionFailed, Draft
from avatar_operator.left_behind.actions import (
    DataDeleted,
    LeftBehindHandedOver,
    MarkedRetained,
    MarkRetained,
    RecordLeftBehind,
    UnmarkedRetained,
    UnmarkRetained,
)


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
class GiveCredentials:
    """Put newer credentials where the attempt's worker finds them: for what it was sent with."""

    attempt: AttemptReference
    request: TrainingRequest


@dataclass(frozen=True)
class WithdrawCredentials:
    """Remove the credentials of an attempt that is over."""

    attempt: AttemptReference


@dataclass(frozen=True)
class DeleteModelData:
    """Remove what is stored for the model."""

    artifacts: bool


ModelAction = (
    SubmitTraining
    | FenceAttempt
    | CancelAttempt
    | GiveCredentials
    | WithdrawCredentials
    | MarkRetained
    | UnmarkRetained
    | DeleteModelData
    | RecordLeftBehind
)
ModelDraft = Draft[AvatarModelStatus, ModelAction]


@dataclass(frozen=True)
class SubmissionAccepted:
    """The backend has the attempt, and was asked for so many training steps."""

    submission: Submission
    steps: int


@dataclass(frozen=True)
class AnswerLost:
    """Nobody knows whether the backend has the attempt."""


@dataclass(frozen=True)
class AttemptFenced:
    """The attempt never started, and never will."""


@dataclass(frozen=True)
class AttemptClaimed:
    """A worker has the attempt, since a time that is known if its claim says so."""

    since: datetime | None


@dataclass(frozen=True)
class AttemptCancelled:
    """The attempt was told to stop, and may not upload any more.

    Attributes:
        claimed: when a worker had begun it, if one had and it was asked.
    """

    claimed: datetime | None = None


@dataclass(frozen=True)
class CredentialsGiven:
    """The attempt's credentials are good; newer ones are due after some seconds."""

    renew_after: float


@dataclass(frozen=True)
class CredentialsWithdrawn:
    """The attempt has none any more."""


ModelFact = (
    SubmissionAccepted
    | AnswerLost
    | AttemptFenced
    | AttemptClaimed
    | AttemptCancelled
    | CredentialsGiven
    | CredentialsWithdrawn
    | MarkedRetained
    | UnmarkedRetained
    | DataDeleted
    | LeftBehindHandedOver
    | ActionFailed[ModelAction]
)
