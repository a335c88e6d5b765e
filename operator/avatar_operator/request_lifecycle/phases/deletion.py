"""Deletion: the pictures go with their request, unless it says Retain."""

from avatar_operator.core.decision import Notice
from avatar_operator.request_lifecycle.actions import DeletePictures, RequestDraft
from avatar_operator.request_lifecycle.observation import RequestObservation

CLEANUP_PATIENCE_SECONDS = 600


def deletion(observation: RequestObservation, draft: RequestDraft) -> RequestDraft:
    """Remove the pictures, then let the request go."""
    request = observation.request
    if request.metadata.deletion_timestamp is None:
        return draft
    if request.spec.deletion_policy == "Delete" and request.status.storage_prefix is not None:
        if observation.runtime is None:
            draft = draft.tell(
                Notice(
                    "Warning",
                    "CleanupImpossible",
                    f"AvatarRuntime {request.status.runtime_name} is gone, so nobody has access to its storage;"
                    f" whatever lies under {request.status.storage_prefix} has been left there.",
                )
            )
        else:
            age = (observation.now - request.metadata.deletion_timestamp).total_seconds()
            draft = draft.act(DeletePictures(give_up=age >= CLEANUP_PATIENCE_SECONDS))
    return draft.remove_finalizer().finish()
