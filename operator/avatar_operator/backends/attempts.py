"""One attempt to train, and everything that can be said of it. Plain facts, shared by both ports."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from avatar_api.documents.errors import WorkerError
from avatar_api.documents.training import TrainingProgressMessage, TrainingResult
from avatar_operator.core.confidential import NOTHING, Confidential
from avatar_operator.locations import AttemptLocations, StorageLocations, attempt_locations

AttemptStage = Literal["Queued", "Preparing", "Training", "Packaging"]


@dataclass(frozen=True)
class AttemptReference:
    """One attempt to train: enough to find everything that belongs to it.

    Attributes:
        storage: the prefixes that hold for this attempt, whatever the runtime says by now.
        endpoint_name: who was asked to train it, if that is recorded.
        output_location: where the backend said that a success would lie, if it did.
        failure_location: where it said that a failure would.
        submitted_time: when it was handed over, None if nobody knows that it was.
    """

    namespace: str
    uid: str
    revision: int
    attempt: int
    inference_id: str
    storage: StorageLocations
    endpoint_name: str | None = None
    output_location: str | None = None
    failure_location: str | None = None
    submitted_time: datetime | None = None

    @property
    def locations(self) -> AttemptLocations:
        """Where its documents and its artifact lie."""
        return attempt_locations(self.storage, self.namespace, self.uid, self.revision, self.attempt)


@dataclass(frozen=True)
class Submission:
    """The backend accepted a training: who has it, where its outcome will be, and where a person reads its log."""

    endpoint_name: str | None = None
    output_location: str | None = None
    failure_location: str | None = None
    log_url: str | None = None


@dataclass(frozen=True)
class AttemptPending:
    """No outcome yet.

    Attributes:
        check_after: seconds after which to ask again, where the backend sends no notification.
        stage: how far it is, as the backend itself can tell.
        reason: one word for why it does not go on, if it does not: "no GPU is free" is worth saying.
        message: the same for a person.
        progress: how far the worker is, where the backend is told.
        started: when a worker began, if that is known.
    """

    check_after: float | None = None
    stage: AttemptStage = "Queued"
    reason: str = ""
    message: str = ""
    progress: TrainingProgressMessage | None = None
    started: datetime | None = None


@dataclass(frozen=True)
class ArtifactFindings:
    """What Storage.examine_artifact has found out.

    Attributes:
        defect: what is wrong with the artifact, in words; empty if nothing is.
        said: what the worker says where that is wrong, for the log.
        weights_sha256: digest of the weights inside, by the manifest of a sound artifact: with these it is drawn, and
            with no others.
    """

    defect: str = ""
    weights_sha256: str | None = None
    said: Confidential = NOTHING


NOT_EXAMINED = ArtifactFindings()


@dataclass(frozen=True)
class AttemptSucceeded:
    """The worker reported success.

    Attributes:
        result: what it says.
        findings: what has been found out about its artifact.
    """

    result: TrainingResult
    findings: ArtifactFindings = NOT_EXAMINED


@dataclass(frozen=True)
class AttemptFailed:
    """The attempt ended without an artifact.

    Attributes:
        reason: a worker's error code, or the backend's own word.
        message: a sentence for a tenant.
        retryable: whether another attempt may do better.
        error: the worker's document, if there is one.
        said: what the worker, or the backend, said.
    """

    reason: str
    message: str
    retryable: bool
    error: WorkerError | None = None
    said: Confidential = NOTHING


AttemptOutcome = AttemptPending | AttemptSucceeded | AttemptFailed


@dataclass(frozen=True)
class Fenced:
    """The attempt will never start: the operator holds its claim."""


@dataclass(frozen=True)
class ClaimedByWorker:
    """The attempt is running or has run: a worker holds its claim, since then."""

    since: datetime | None = None


FenceResult = Fenced | ClaimedByWorker
