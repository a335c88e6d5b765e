"""The life of an AvatarModel, as a list. Read it from top to bottom: the first phase that finishes a pass wins it.

protection, deletion   what holds at every time
revision               another revision starts over
acceptance             may this be trained at all
outcome, deadline,     the attempt that is out there
progress, recovery
retention              the end of a finished model
planning, submission   the next attempt: first its name, then the call
"""

from avatar_api.avatar_model import AvatarModelStatus, ModelState
from avatar_api.group import FINALIZER
from avatar_operator.core.condition_drafts import set_condition, update_status
from avatar_operator.core.conditions import find_condition, is_true
from avatar_operator.core.decision import Draft, run_phases
from avatar_operator.model_lifecycle.actions import ModelDraft
from avatar_operator.model_lifecycle.conditions import ACCEPTED, HOSTED, READY, TRAINED
from avatar_operator.model_lifecycle.observation import ModelObservation
from avatar_operator.model_lifecycle.phases.acceptance import acceptance
from avatar_operator.model_lifecycle.phases.deadline import deadline
from avatar_operator.model_lifecycle.phases.deletion import deletion
from avatar_operator.model_lifecycle.phases.outcome import outcome
from avatar_operator.model_lifecycle.phases.planning import planning
from avatar_operator.model_lifecycle.phases.progress import progress
from avatar_operator.model_lifecycle.phases.recovery import recovery
from avatar_operator.model_lifecycle.phases.retention import retention
from avatar_operator.model_lifecycle.phases.revision import revision
from avatar_operator.model_lifecycle.phases.submission import submission


def protection(observation: ModelObservation, draft: ModelDraft) -> ModelDraft:
    """Hold the object before it causes anything; leave one alone that is going and not held."""
    held = FINALIZER in observation.model.metadata.finalizers
    if observation.model.metadata.deletion_timestamp is not None:
        return draft if held else draft.finish()
    return draft if held else draft.add_finalizer()


PHASES = (
    protection,
    deletion,
    revision,
    acceptance,
    outcome,
    deadline,
    progress,
    recovery,
    retention,
    planning,
    submission,
)


def decide(observation: ModelObservation) -> ModelDraft:
    """What to do about an AvatarModel. Pure: the same observation gives the same decision."""
    return run_phases(PHASES, observation, Draft(status=observation.model.status))


def summarise(observation: ModelObservation, draft: ModelDraft) -> ModelDraft:
    """The draft with what follows from the other conditions: Ready, the state for columns, the generation."""
    status = draft.status
    deciding = find_condition(status.conditions, TRAINED)
    accepted = find_condition(status.conditions, ACCEPTED)
    if accepted is not None and accepted.status == "False":
        deciding = accepted
    if observation.model.metadata.deletion_timestamp is not None:
        draft = set_condition(
            observation, draft, READY, "False", "Deleting", "The model and its data are being deleted."
        )
    elif status.artifact is not None and is_true(status.conditions, HOSTED):
        message = f"Serving revision {status.artifact.revision}."
        if status.artifact.revision != observation.model.spec.revision and deciding is not None:
            message += f" Revision {observation.model.spec.revision}: {deciding.reason}."
        draft = set_condition(observation, draft, READY, "True", "Ready", message)
    elif deciding is not None:
        draft = set_condition(observation, draft, READY, "False", deciding.reason, deciding.message)
    return update_status(
        draft,
        observed_generation=observation.model.metadata.generation,
        state=state_of(draft.status, deleting=observation.model.metadata.deletion_timestamp is not None),
    )


_STATE_BY_TRAINED_REASON: dict[str, ModelState] = {
    "Pending": "Pending",
    "WaitingForRuntime": "Pending",
    "RetryScheduled": "Pending",
    "Suspended": "Suspended",
    "Planned": "Queued",
    "SubmissionDelayed": "Queued",
    "Queued": "Queued",
    "Preparing": "Preparing",
    "Training": "Training",
    "Packaging": "Packaging",
}


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
        return "Ready"
    return _STATE_BY_TRAINED_REASON.get(trained.reason, "Failed")
