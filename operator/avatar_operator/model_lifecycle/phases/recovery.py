"""Recovery: a planned attempt of which nobody knows whether it was submitted.

The plan stands in the status, the answer does not, and it was not this process that planned it (or its answer was
lost). Calling again could bill a training twice, so the attempt is fenced first: see `backends.storage`.
"""

from avatar_api.training_status import SageMakerAttempt
from avatar_operator.core.condition_drafts import set_condition, set_lasting_condition
from avatar_operator.core.decision import HOPELESS_PAUSE_SECONDS, ActionFailed
from avatar_operator.model_lifecycle.actions import (
    AttemptClaimed,
    AttemptFenced,
    FenceAttempt,
    ModelAction,
    ModelDraft,
)
from avatar_operator.model_lifecycle.conditions import TRAINED, update_training
from avatar_operator.model_lifecycle.failure import abandon_attempt
from avatar_operator.model_lifecycle.observation import (
    ModelObservation,
    attempt_reference,
    is_active,
    is_submitted,
    start_of_work,
)


def recovery(observation: ModelObservation, draft: ModelDraft) -> ModelDraft:
    """Fence an attempt whose fate is unknown."""
    training = draft.status.training
    if training is None or not is_active(training) or is_submitted(training):
        return draft
    if observation.runtime is None:
        # Only the runtime says where claims lie; when it is back, so is this model.
        return draft.finish()
    if observation.planned_here:
        return draft
    return draft.act(
        FenceAttempt(attempt_reference(observation.runtime, observation.model, training))
    ).finish()


def fold_fence(
    observation: ModelObservation,
    draft: ModelDraft,
    fact: AttemptFenced | AttemptClaimed | ActionFailed[ModelAction],
) -> ModelDraft:
    """Who holds the attempt's claim."""
    training = draft.status.training
    assert training is not None
    match fact:
        case AttemptFenced():
            return abandon_attempt(observation, draft)
        case AttemptClaimed(since=since):
            started = start_of_work(observation, training, since)
            draft = update_training(
                draft, submitted_time=observation.now, start_time=started, sagemaker=SageMakerAttempt()
            )
            running = f"Attempt {training.attempt} is running."
            return set_condition(observation, draft, TRAINED, "False", "Preparing", running).look_again_in(0)
        case ActionFailed(reason=reason, message=message):
            beginning = f"Whether attempt {training.attempt} was submitted cannot be found out ({reason}): "
            return set_lasting_condition(
                observation,
                draft,
                TRAINED,
                "False",
                "Recovering",
                f"{beginning}{message} It is tried again.",
                beginning=beginning,
            ).retry(fact.as_retry(hopeless_pause=HOPELESS_PAUSE_SECONDS))
