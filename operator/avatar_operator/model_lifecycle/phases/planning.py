"""Planning: give the next attempt its name, and write it down before anything is called.

What is beyond the namespace's quota gets no plan: SageMaker's queue is first come, first served, and what is in it cannot
be taken out again. The plan is all that this pass does. Only once it stands in the status does `submission` call the
backend, so whoever finds the object after a crash knows which attempt may be out there.
"""

from avatar_api.avatar_model import MAX_FORMER_STORAGES, FormerStorage, ModelStorage
from avatar_api.avatar_runtime import AvatarRuntime
from avatar_operator.core.condition_drafts import set_condition, update_status
from avatar_operator.core.places import waiting_for_quota
from avatar_operator.model_lifecycle.actions import ModelDraft
from avatar_operator.model_lifecycle.base_models import base_model_word
from avatar_operator.model_lifecycle.conditions import TRAINED, update_training
from avatar_operator.model_lifecycle.failure import record_refusal
from avatar_operator.model_lifecycle.observation import ModelObservation, is_active, is_settled
from avatar_operator.names import inference_id
from avatar_operator.runtime_readiness import endpoints_ready


def planning(observation: ModelObservation, draft: ModelDraft) -> ModelDraft:
    """Plan the next attempt if one is due and everything it needs is there."""
    training = draft.status.training
    assert training is not None
    if is_active(training) or is_settled(training):
        return draft
    assert observation.runtime is not None
    if observation.model.spec.suspend:
        return set_condition(
            observation, draft, TRAINED, "False", "Suspended", "spec.suspend is true: no attempt is started."
        ).finish()
    if training.retry_time is not None and observation.now < training.retry_time:
        return draft.look_again_in((training.retry_time - observation.now).total_seconds()).finish()
    runtime = observation.runtime
    storage = storage_record(runtime, draft.status.storage)
    if storage is None:
        message = (
            f"The model's data lie in {MAX_FORMER_STORAGES + 1} places, because AvatarRuntime {runtime.metadata.name} was"
            " created anew with other storage each time, and this would be one more. Create another AvatarModel."
        )
        draft = record_refusal(observation, draft, reason="TooManyStorages", message=message, retryable=False)
        return set_condition(observation, draft, TRAINED, "False", "TooManyStorages", message).finish()
    if not observation.has_place:
        return set_condition(observation, draft, TRAINED, "False", *_waiting(observation, runtime)).finish()
    if not endpoints_ready(runtime):
        message = f"AvatarRuntime {runtime.metadata.name} has no endpoints in service yet."
        return set_condition(observation, draft, TRAINED, "False", "WaitingForRuntime", message).finish()
    attempt = training.attempt + 1
    if storage != draft.status.storage:
        # What is stored there is not marked yet.
        draft = update_status(draft, storage=storage, retained_time=None)
    draft = update_training(
        draft,
        attempt=attempt,
        inference_id=inference_id(observation.model.metadata.uid, training.revision, attempt),
        base_model=base_model_word(runtime.spec.base_model),
        steps=None,
        sagemaker=None,
        output_location=None,
        failure_location=None,
        planned_time=observation.now,
        submitted_time=None,
        start_time=None,
        completion_time=None,
        retry_time=None,
        progress=None,
        seconds=None,
        estimated_cost=None,
        log_url=None,
    )
    draft = set_condition(
        observation, draft, TRAINED, "False", "Planned", f"Attempt {attempt} is about to be submitted."
    )
    return draft.look_again_in(0).finish()


def _waiting(observation: ModelObservation, runtime: AvatarRuntime) -> tuple[str, str]:
    quota = runtime.spec.quotas.max_running_trainings
    assert quota is not None
    namespace = observation.model.metadata.namespace
    return waiting_for_quota(
        namespace, runtime.metadata.name, "trainings (quotas.maxRunningTrainings)", quota
    )


def storage_record(runtime: AvatarRuntime, known: ModelStorage | None) -> ModelStorage | None:
    """Where a model's things lie from this attempt on, and where they have lain before.

    A runtime's storage never changes, so its uid tells whether it is the same; one that was created anew under the name may
    have other storage. What lies in the former one has to be found when the model goes.

    Args:
        runtime: is about to train.
        known: what is recorded.

    Returns:
        The record, or None if it cannot name one place more.
    """
    storage, former = runtime.spec.storage, []
    if known is not None:
        if known.runtime_uid == runtime.metadata.uid:
            return known
        places = [*known.former, FormerStorage(requests=known.requests, artifacts=known.artifacts)]
        today = FormerStorage(requests=storage.requests, artifacts=storage.artifacts)
        former = [place for place in places if place != today]
    if len(former) > MAX_FORMER_STORAGES:
        return None
    return ModelStorage(
        runtime_name=runtime.metadata.name,
        runtime_uid=runtime.metadata.uid,
        requests=storage.requests,
        artifacts=storage.artifacts,
        former=former,
    )
