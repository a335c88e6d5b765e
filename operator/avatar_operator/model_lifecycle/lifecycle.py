"""The life of an AvatarModel, as a list. Read it from top to bottom: the first phase that finishes a pass wins it.

protection, trust,     what holds at every time
deletion
revision               another revision starts over
acceptance             may this be trained at all
outcome, progress,     the attempt that is out there
deadline
credentials            those of that attempt never grow old
recovery               what became of it, if nobody knows
hosting                whether what was trained can be drawn with
keeping                what shall outlive the model is marked so
retention              the end of a finished model
planning, submission   the next attempt: first its name, then the call

`fold` takes what the actions learned, each to the phase that asked.
"""

from avatar_api.avatar_model import AvatarModelStatus, ModelState
from avatar_api.meta import Condition
from avatar_operator.core.condition_drafts import set_condition, update_status
from avatar_operator.core.conditions import find_condition, is_true
from avatar_operator.core.decision import ActionFailed, Draft, run_phases
from avatar_operator.core.kstatus import at_rest, at_work, stalled
from avatar_operator.core.places import WAITING_FOR_QUOTA
from avatar_operator.core.protection import protected
from avatar_operator.left_behind.actions import (
    DataDeleted,
    LeftBehindHandedOver,
    MarkedRetained,
    MarkRetained,
    UnmarkedRetained,
    UnmarkRetained,
)
from avatar_operator.model_lifecycle.actions import (
    AnswerLost,
    AttemptCancelled,
    AttemptClaimed,
    AttemptFenced,
    CancelAttempt,
    CredentialsGiven,
    CredentialsWithdrawn,
    FenceAttempt,
    GiveCredentials,
    ModelDraft,
    ModelFact,
    SubmissionAccepted,
    SubmitTraining,
    WithdrawCredentials,
)
from avatar_operator.model_lifecycle.conditions import ACCEPTED, HOSTED, READY, TRAINED
from avatar_operator.model_lifecycle.observation import ModelObservation
from avatar_operator.model_lifecycle.phases.acceptance import acceptance
from avatar_operator.model_lifecycle.phases.credentials import credentials, fold_credentials
from avatar_operator.model_lifecycle.phases.deadline import deadline
from avatar_operator.model_lifecycle.phases.deletion import deletion, fold_cancellation, fold_cleanup
from avatar_operator.model_lifecycle.phases.hosting import hosting
from avatar_operator.model_lifecycle.phases.keeping import fold_mark, keeping
from avatar_operator.model_lifecycle.phases.outcome import outcome
from avatar_operator.model_lifecycle.phases.planning import planning
from avatar_operator.model_lifecycle.phases.progress import progress
from avatar_operator.model_lifecycle.phases.recovery import fold_fence, recovery
from avatar_operator.model_lifecycle.phases.retention import retention
from avatar_operator.model_lifecycle.phases.revision import revision
from avatar_operator.model_lifecycle.phases.submission import fold_submission, submission
from avatar_operator.model_lifecycle.phases.trust import trust


def protection(observation: ModelObservation, draft: ModelDraft) -> ModelDraft:
    """Hold the object before it causes anything; leave one alone that is going and not held."""
    return protected(observation.model.metadata, draft)


PHASES = (
    protection,
    trust,
    deletion,
    revision,
    acceptance,
    outcome,
    progress,
    deadline,
    credentials,
    recovery,
    hosting,
    keeping,
    retention,
    planning,
    submission,
)


def decide(observation: ModelObservation) -> ModelDraft:
    """What to do about an AvatarModel. Pure: the same observation gives the same decision."""
    return run_phases(PHASES, observation, Draft(status=observation.model.status))


def fold(observation: ModelObservation, draft: ModelDraft, fact: ModelFact) -> ModelDraft:
    """What an action learned, or what its failure means. Pure."""
    match fact:
        case SubmissionAccepted() | AnswerLost() | ActionFailed(action=SubmitTraining()):
            return fold_submission(observation, draft, fact)
        case AttemptFenced() | AttemptClaimed() | ActionFailed(action=FenceAttempt()):
            return fold_fence(observation, draft, fact)
        case AttemptCancelled() | ActionFailed(action=CancelAttempt()):
            return fold_cancellation(observation, draft, fact)
        case (
            CredentialsGiven()
            | CredentialsWithdrawn()
            | ActionFailed(action=GiveCredentials() | WithdrawCredentials())
        ):
            return fold_credentials(observation, draft, fact)
        case MarkedRetained() | UnmarkedRetained() | ActionFailed(action=MarkRetained() | UnmarkRetained()):
            return fold_mark(observation, draft, fact)
        case DataDeleted() | LeftBehindHandedOver() | ActionFailed():
            return fold_cleanup(observation, draft, fact)


def summarise(observation: ModelObservation, draft: ModelDraft) -> ModelDraft:
    """The draft with what follows from the other conditions: Ready, kstatus' two, the state for columns, the generation."""
    deleting = observation.model.metadata.deletion_timestamp is not None
    draft = _ready(observation, draft, deleting=deleting)
    draft = _kstatus(observation, draft, deleting=deleting)
    return update_status(
        draft,
        observed_generation=observation.model.metadata.generation,
        state=state_of(draft.status, deleting=deleting),
    )


def _ready(observation: ModelObservation, draft: ModelDraft, *, deleting: bool) -> ModelDraft:
    status, deciding = draft.status, _deciding(draft.status)
    hosted = find_condition(status.conditions, HOSTED)
    if deleting:
        message = "The model and its data are being deleted."
        return set_condition(observation, draft, READY, "False", "Deleting", message)
    if status.artifact is not None and is_true(status.conditions, HOSTED):
        message = f"Serving revision {status.artifact.revision}."
        if status.artifact.revision != observation.model.spec.revision and deciding is not None:
            message += f" Revision {observation.model.spec.revision}: {deciding.reason}."
        return set_condition(observation, draft, READY, "True", "Ready", message)
    if deciding is not None and deciding.status == "True" and hosted is not None:
        deciding = hosted
    if deciding is None:
        return draft
    return set_condition(observation, draft, READY, "False", deciding.reason, deciding.message)


def _kstatus(observation: ModelObservation, draft: ModelDraft, *, deleting: bool) -> ModelDraft:
    deciding, hosted = _deciding(draft.status), find_condition(draft.status.conditions, HOSTED)
    if deleting:
        return at_work(observation, draft, "Deleting", "The model and its data are being deleted.")
    if deciding is None or deciding.reason == "RuntimeNotFound" or deciding.reason in UNDER_WAY:
        reason, message = ("Pending", "") if deciding is None else (deciding.reason, deciding.message)
        return at_work(observation, draft, reason, message)
    if deciding.reason == "Suspended":
        return at_rest(observation, draft, "Suspended")
    if deciding.status == "True" and hosted is not None and hosted.status == "True":
        return at_rest(observation, draft, "Ready")
    blocking = hosted if deciding.status == "True" and hosted is not None else deciding
    return stalled(observation, draft, blocking.reason, blocking.message)


def _deciding(status: AvatarModelStatus) -> Condition | None:
    """The condition that says how the wanted revision stands."""
    accepted = find_condition(status.conditions, ACCEPTED)
    if accepted is not None and accepted.status == "False":
        return accepted
    return find_condition(status.conditions, TRAINED)


UNDER_WAY: dict[str, ModelState] = {
    "Pending": "Pending",
    "WaitingForRuntime": "Pending",
    WAITING_FOR_QUOTA: "Pending",
    "RetryScheduled": "Pending",
    "Planned": "Queued",
    "SubmissionDelayed": "Queued",
    "Recovering": "Queued",
    "Queued": "Queued",
    "Preparing": "Preparing",
    "Training": "Training",
    "Packaging": "Packaging",
}
"""Reasons of Trained while something is still to come, and what columns call them."""


def state_of(status: AvatarModelStatus, *, deleting: bool) -> ModelState:
    """One word for columns."""
    if deleting:
        return "Deleting"
    accepted = find_condition(status.conditions, ACCEPTED)
    if accepted is not None and accepted.status == "False":
        return "Pending" if accepted.reason == "RuntimeNotFound" else "Failed"
    trained = find_condition(status.conditions, TRAINED)
    if trained is None:
        return "Pending"
    if trained.status == "True":
        return "Ready" if is_true(status.conditions, HOSTED) else "Failed"
    if trained.reason == "Suspended":
        return "Suspended"
    return UNDER_WAY.get(trained.reason, "Failed")
