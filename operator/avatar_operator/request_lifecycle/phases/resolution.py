"""Resolution: the model that draws, in the request's own namespace and nowhere else."""

from avatar_operator.core.condition_drafts import set_condition, update_status
from avatar_operator.request_lifecycle.actions import RequestDraft
from avatar_operator.request_lifecycle.conditions import MODEL_RESOLVED, SUCCEEDED
from avatar_operator.request_lifecycle.observation import RequestObservation


def resolution(observation: RequestObservation, draft: RequestDraft) -> RequestDraft:
    """Wait until the model has a hosted artifact. The model's own changes bring the request back here."""
    model = observation.model
    # A model that is being deleted draws no more: its artifact may be gone at any moment, and its person wants it gone.
    if model is not None and model.metadata.deletion_timestamp is not None:
        model = None
    if model is not None and model.status.artifact is not None and observation.runtime is not None:
        message = f"Drawing with revision {model.status.artifact.revision}."
        return set_condition(observation, draft, MODEL_RESOLVED, "True", "Resolved", message)
    name = observation.request.spec.model_ref.name
    # One message whether the model is missing or not ready yet: a request that waits is written once, not at each step.
    message = f"There is no AvatarModel {name} with a hosted artifact in this namespace yet; `kubectl get avm {name}` says more."
    draft = set_condition(observation, draft, MODEL_RESOLVED, "False", "WaitingForModel", message)
    draft = set_condition(observation, draft, SUCCEEDED, "Unknown", "WaitingForModel", message)
    return update_status(draft, state="Pending").finish()
