"""Credentials: those of the attempt that is out there never grow old, and go when it is over.

When they were given is remembered by this process alone. One that starts gives newer ones at once, which costs a call; what a
process leaves behind that ended in the wrong moment is worth nothing within the hour, and goes with the model.

They open what the attempt was sent with, by its own request document. Its model may name other photos by now, if it was edited
in the moment of the plan: that takes nothing away from whoever trains, and gives nothing. A submitted attempt is not judged
again, but what a session opens is: photos that the runtime does not allow (any more), and a place that only a status names, are
granted to nobody. Then the last session runs out.
"""

from datetime import timedelta

from avatar_api.avatar_runtime import AvatarRuntime
from avatar_api.documents.training import TrainingRequest
from avatar_operator.backends.attempts import AttemptReference
from avatar_operator.backends.failures import BackendError
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
from avatar_operator.own_places import is_storage_of
from avatar_operator.tenancy import location_allowed


def credentials(observation: ModelObservation, draft: ModelDraft) -> ModelDraft:
    """Renew the credentials of the attempt in time, or take them away."""
    runtime, training, due = observation.runtime, draft.status.training, observation.credentials_due
    if runtime is None or training is None or training.inference_id is None or not has_attempt_role(runtime):
        return draft
    attempt = attempt_reference(runtime, observation.model, training)
    if is_submitted(training):
        if due is not None and observation.now < due:
            return draft.look_again_in((due - observation.now) / timedelta(seconds=1))
        return _renewed(observation, draft, runtime, attempt)
    if due is not None and not is_active(training):
        return draft.act(WithdrawCredentials(attempt))
    return draft


def renewal_is_due(observation: ModelObservation) -> bool:
    """Whether newer credentials are to be given, so that it has to be known what the attempt was sent with."""
    model, runtime, due = observation.model, observation.runtime, observation.credentials_due
    recorded = model.status.storage
    return (
        runtime is not None
        and model.metadata.deletion_timestamp is None
        and is_submitted(model.status.training)
        and has_attempt_role(runtime)
        and (due is None or observation.now >= due)
        and (recorded is None or is_storage_of(recorded, runtime))
    )


def _renewed(
    observation: ModelObservation, draft: ModelDraft, runtime: AvatarRuntime, attempt: AttemptReference
) -> ModelDraft:
    sent = observation.sent
    if isinstance(sent, BackendError):
        return draft.retry(sent.as_retry())
    if sent is None or not _is_allowed(sent, runtime, observation.model.metadata.namespace):
        return draft
    return draft.act(GiveCredentials(attempt, sent))


def _is_allowed(sent: TrainingRequest, runtime: AvatarRuntime, namespace: str) -> bool:
    allowed = runtime.spec.storage.allowed.photos
    return all(location_allowed(photo.uri, allowed, namespace) for photo in sent.photos)


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
