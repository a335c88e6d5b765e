"""Credentials: those of the attempt that is out there never grow old, and go when it is over.

When they were given is remembered by this process alone. One that starts gives newer ones at once, which costs a call; what a
process leaves behind that ended in the wrong moment is worth nothing within the hour, and goes with the model.

A submitted attempt is not judged again, but what a session opens is: photos that its model came to name afterwards, or a place
that only its status names, are granted to nobody. Then the last session runs out.
"""

from datetime import timedelta

from avatar_api.avatar_model import AvatarModel
from avatar_api.avatar_runtime import AvatarRuntime
from avatar_operator.core.decision import HOPELESS_PAUSE_SECONDS, ActionFailed
from avatar_operator.model_lifecycle.actions import (
    CredentialsGiven,
    CredentialsWithdrawn,
    GiveCredentials,
    ModelAction,
    ModelDraft,
    WithdrawCredentials,
)
from avatar_operator.model_lifecycle.observation import (
    ModelObservation,
    attempt_reference,
    is_active,
    is_submitted,
)
from avatar_operator.model_lifecycle.phases.acceptance import photo_locations
from avatar_operator.own_places import is_storage_of
from avatar_operator.tenancy import location_allowed


def credentials(observation: ModelObservation, draft: ModelDraft) -> ModelDraft:
    """Renew the credentials of the attempt in time, or take them away."""
    runtime, training, due = observation.runtime, draft.status.training, observation.credentials_due
    if runtime is None or training is None or training.inference_id is None or not has_attempt_role(runtime):
        return draft
    attempt = attempt_reference(runtime, observation.model, training)
    if is_submitted(training):
        if not _may_be_renewed(runtime, observation.model):
            return draft
        if due is None or observation.now >= due:
            return draft.act(GiveCredentials(attempt))
        return draft.look_again_in((due - observation.now) / timedelta(seconds=1))
    if due is not None and not is_active(training):
        return draft.act(WithdrawCredentials(attempt))
    return draft


def _may_be_renewed(runtime: AvatarRuntime, model: AvatarModel) -> bool:
    recorded, allowed = model.status.storage, runtime.spec.storage.allowed.photos
    namespace = model.metadata.namespace
    return (recorded is None or is_storage_of(recorded, runtime)) and all(
        location_allowed(location, allowed, namespace) for location in photo_locations(model)
    )


def fold_credentials(
    observation: ModelObservation,
    draft: ModelDraft,
    fact: CredentialsGiven | CredentialsWithdrawn | ActionFailed[ModelAction],
) -> ModelDraft:
    """When newer ones are due. Those that were given are good for a while yet, so a failure ends nothing by itself."""
    match fact:
        case CredentialsGiven(renew_after=seconds):
            return draft.look_again_in(seconds)
        case CredentialsWithdrawn():
            return draft
        case ActionFailed():
            return draft.retry(fact.as_retry(hopeless_pause=HOPELESS_PAUSE_SECONDS))


def has_attempt_role(runtime: AvatarRuntime) -> bool:
    """Whether workers are given credentials at all."""
    sagemaker = runtime.spec.backend.sagemaker
    return sagemaker is not None and sagemaker.attempt_role_arn is not None
