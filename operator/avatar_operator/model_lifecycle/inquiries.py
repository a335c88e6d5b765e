"""What has to be found out before an AvatarModel can be decided on. Pure: asking costs, so it is asked only then."""

from dataclasses import replace

from avatar_api.avatar_runtime import AvatarRuntime
from avatar_operator.core.conditions import find_condition
from avatar_operator.core.places import WAITING_FOR_QUOTA
from avatar_operator.model_lifecycle.conditions import TRAINED
from avatar_operator.model_lifecycle.lifecycle import decide
from avatar_operator.model_lifecycle.observation import ModelObservation, is_active, is_settled, is_submitted
from avatar_operator.model_lifecycle.phases.acceptance import refusal
from avatar_operator.model_lifecycle.phases.deadline import deadline_of
from avatar_operator.model_lifecycle.phases.planning import planning
from avatar_operator.runtime_readiness import endpoints_ready


def is_overdue(observation: ModelObservation) -> bool:
    """Whether the attempt is about to be stopped: a message that was lost must not end a training that is over."""
    training = observation.model.status.training
    if observation.runtime is None or training is None:
        return False
    limit = deadline_of(observation.runtime, observation.model, training)
    return limit is not None and observation.now >= limit.due


def needs_photos(observation: ModelObservation) -> bool:
    """Whether an attempt is about to be planned or submitted, and the photos decide whether it is."""
    model, runtime, training = observation.model, observation.runtime, observation.model.status.training
    if runtime is None or model.metadata.deletion_timestamp is not None or model.spec.suspend:
        return False
    if training is not None and training.revision == model.spec.revision:
        if is_submitted(training) or is_settled(training):
            return False
        if is_active(training):
            return observation.planned_here and _is_taken(observation, runtime)
        if training.retry_time is not None and observation.now < training.retry_time:
            return False
    return _is_taken(observation, runtime) and endpoints_ready(runtime)


def _is_taken(observation: ModelObservation, runtime: AvatarRuntime) -> bool:
    """Whether the runtime takes the model: whoever may not train may not make us look into a bucket either."""
    return (
        refusal(runtime, observation.model, observation.namespace_labels) is None
        and observation.obstacle is None
    )


def needs_place(observation: ModelObservation) -> bool:
    """Whether an attempt would be planned, if the namespace's quota left room for it and the runtime was ready."""
    draft = decide(replace(observation, has_place=False))
    trained = find_condition(draft.status.conditions, TRAINED)
    return (
        draft.decided_by == planning.__name__ and trained is not None and trained.reason == WAITING_FOR_QUOTA
    )
