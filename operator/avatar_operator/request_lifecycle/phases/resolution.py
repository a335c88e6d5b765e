"""Resolution: the artifact that draws, of a model in the request's own namespace and nowhere else.

A name says who is meant only until drawing begins. From then on the request holds to the one artifact that its status
names (model uid, revision, checksum), so that recreating the model, training it again or editing its runtime never puts
another person, or another likeness, into the same batch. When that artifact's model is gone, so is the request's
chance: its person may have wanted just that.
"""

import difflib

from avatar_api.avatar_model import AvatarModel
from avatar_api.avatar_request import ResolvedModel
from avatar_operator.core.condition_drafts import set_condition
from avatar_operator.core.conditions import find_condition
from avatar_operator.locations import object_directory
from avatar_operator.request_lifecycle.actions import RequestDraft
from avatar_operator.request_lifecycle.conditions import MODEL_RESOLVED, SUCCEEDED
from avatar_operator.request_lifecycle.failure import fail_request
from avatar_operator.request_lifecycle.observation import RequestObservation

HOSTED = "Hosted"
STALLED = "Stalled"
"""Conditions of an AvatarModel, as the contract has them."""
MODEL_NOT_FOUND = "ModelNotFound"
MODEL_DELETED = "ModelDeleted"


def resolution(observation: RequestObservation, draft: RequestDraft) -> RequestDraft:
    """Wait until the model has a hosted artifact; afterwards, see that it is still the same model."""
    request, model = observation.request, observation.model
    pinned = request.status.model
    if pinned is not None:
        lost = _loss_of(pinned, observation)
        if lost is None:
            return draft
        reason, message = lost
        draft = set_condition(observation, draft, MODEL_RESOLVED, "False", reason, message)
        return fail_request(observation, draft, reason=reason, message=message)
    if model is None:
        return _wait(observation, draft, *_missing(observation))
    waiting = waiting_for(model)
    if waiting is not None:
        return _wait(observation, draft, *waiting)
    if observation.runtime is None:
        message = f"AvatarModel {model.metadata.name} is trained, but its AvatarRuntime {model.spec.runtime_ref.name} is gone."
        return _wait(observation, draft, "RuntimeNotFound", message)
    assert model.status.artifact is not None
    message = f"Drawing with revision {model.status.artifact.revision}."
    return set_condition(observation, draft, MODEL_RESOLVED, "True", "Resolved", message)


def waiting_for(model: AvatarModel) -> tuple[str, str] | None:
    """Why a model cannot be drawn with yet, as reason and message; None if it can."""
    name = model.metadata.name
    if model.metadata.deletion_timestamp is not None:
        return "ModelDeleting", f"AvatarModel {name} is being deleted: nothing is drawn with it any more."
    artifact = model.status.artifact
    if artifact is not None and not _is_own(
        artifact.target_model, model.metadata.namespace, model.metadata.uid
    ):
        return "ArtifactForeign", _foreign(f"status.artifact of AvatarModel {name}")
    hosted = find_condition(model.status.conditions, HOSTED)
    if artifact is not None and (hosted is None or hosted.status != "False"):
        return None
    failed = find_condition(model.status.conditions, STALLED)
    if failed is not None and failed.status == "True":
        return "ModelFailed", f"AvatarModel {name} cannot be drawn with ({failed.reason}): {failed.message}"
    # The same words at each step of a training: a request that waits is written once.
    return (
        "WaitingForModel",
        f"AvatarModel {name} is not trained yet; `kubectl get avm {name}` says how far it is.",
    )


def _loss_of(pinned: ResolvedModel, observation: RequestObservation) -> tuple[str, str] | None:
    """Why the artifact is not to be drawn with any more, as reason and message; None if it is."""
    model, namespace = observation.model, observation.request.metadata.namespace
    if not _is_own(pinned.target_model, namespace, pinned.uid):
        return "ArtifactForeign", _foreign(
            f"status.model of AvatarRequest {observation.request.metadata.name}"
        )
    if model is not None and model.metadata.uid != pinned.uid:
        return (
            "ModelReplaced",
            f"AvatarModel {pinned.name} was deleted and created anew while this request was drawn: what is missing is not"
            " drawn, because it would show whoever the new model is of. Create another AvatarRequest.",
        )
    if model is None or model.metadata.deletion_timestamp is not None:
        return MODEL_DELETED, f"AvatarModel {pinned.name} was deleted: nothing more is drawn with it."
    return None


def _is_own(target_model: str, namespace: str, uid: str) -> bool:
    """Whether an artifact is that of a model: whoever may write a status must not draw anybody with it."""
    return target_model.startswith(object_directory(namespace, uid))


def _foreign(where: str) -> str:
    return f"{where} names an artifact that is not this model's own, and it was not the operator that wrote that."


def _missing(observation: RequestObservation) -> tuple[str, str]:
    reference = observation.request.spec.model_ref.name
    before = find_condition(observation.request.status.conditions, MODEL_RESOLVED)
    if before is not None and before.reason != MODEL_NOT_FOUND:
        return (
            MODEL_DELETED,
            f"AvatarModel {reference} was deleted while this request waited for it; it waits for another of that name.",
        )
    return MODEL_NOT_FOUND, _not_found(observation)


def _not_found(observation: RequestObservation) -> str:
    reference, namespace = observation.request.spec.model_ref.name, observation.request.metadata.namespace
    if not observation.model_names:
        return (
            f"There is no AvatarModel {reference}, nor any other, in namespace {namespace}; a request reaches only models"
            " in its own namespace."
        )
    close = difflib.get_close_matches(reference, observation.model_names, n=1)
    hint = f"is {close[0]} meant?" if close else "`kubectl get avm` lists those there are."
    return f"There is no AvatarModel {reference} in namespace {namespace}: {hint}"


def _wait(observation: RequestObservation, draft: RequestDraft, reason: str, message: str) -> RequestDraft:
    draft = set_condition(observation, draft, MODEL_RESOLVED, "False", reason, message)
    return set_condition(observation, draft, SUCCEEDED, "Unknown", reason, message).finish()
