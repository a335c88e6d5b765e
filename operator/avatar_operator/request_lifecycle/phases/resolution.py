"""Resolution: the artifact that draws, of a model in the request's own namespace and nowhere else.

A name says who is meant only until drawing begins. From then on the request holds to the one artifact that its status
names (model uid, revision, checksum), so that recreating the model, training it again or editing its runtime never puts
another person, or another likeness, into the same batch. When that artifact's model is gone, so is the request's
chance: its person may have wanted just that.
"""

import difflib

from avatar_api.avatar_model import AvatarModel
from avatar_operator.core.condition_drafts import set_condition
from avatar_operator.core.conditions import find_condition
from avatar_operator.own_places import artifact_homes, is_own_artifact, is_own_target_model
from avatar_operator.request_lifecycle.actions import RequestDraft
from avatar_operator.request_lifecycle.conditions import MODEL_RESOLVED, SUCCEEDED
from avatar_operator.request_lifecycle.failure import fail_request
from avatar_operator.request_lifecycle.observation import RequestObservation
from avatar_operator.tenancy import why_foreign

HOSTED = "Hosted"
STALLED = "Stalled"
"""Conditions of an AvatarModel, as the contract has them."""
MODEL_NOT_FOUND = "ModelNotFound"
MODEL_DELETED = "ModelDeleted"
FOREIGN = "ArtifactForeign"
"""Whoever may write a status must not draw anybody with it: an artifact is its model's own, or none."""


def resolution(observation: RequestObservation, draft: RequestDraft) -> RequestDraft:
    """Wait until the model has a hosted artifact; afterwards, see that it is still the same model."""
    request, model = observation.request, observation.model
    pinned = request.status.model
    if pinned is not None:
        lost = loss_of(observation)
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
        name = model.spec.runtime_ref.name
        gone = f"AvatarModel {model.metadata.name} is trained, but its AvatarRuntime {name} is gone."
        message = why_foreign(name) if observation.runtime_is_foreign else gone
        return _wait(observation, draft, "RuntimeNotFound", message)
    artifact = model.status.artifact
    assert artifact is not None
    if not is_own_artifact(artifact.uri, artifact.target_model, artifact_homes(model, observation.runtime)):
        reason, message = FOREIGN, _foreign(f"status.artifact of AvatarModel {model.metadata.name}")
        return _wait(observation, draft, reason, message)
    message = f"Drawing with revision {artifact.revision}."
    return set_condition(observation, draft, MODEL_RESOLVED, "True", "Resolved", message)


def waiting_for(model: AvatarModel) -> tuple[str, str] | None:
    """Why a model cannot be drawn with yet, as reason and message; None if it can."""
    name = model.metadata.name
    if model.metadata.deletion_timestamp is not None:
        return "ModelDeleting", f"AvatarModel {name} is being deleted: nothing is drawn with it any more."
    artifact = model.status.artifact
    if artifact is not None and not is_own_target_model(
        artifact.target_model, model.metadata.namespace, model.metadata.uid, artifact.revision
    ):
        return FOREIGN, _foreign(f"status.artifact of AvatarModel {name}")
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


def loss_of(observation: RequestObservation) -> tuple[str, str] | None:
    """Why a request's artifact is not to be drawn with any more, as reason and message; None if it is, or there is none yet."""
    model, request = observation.model, observation.request
    pinned, namespace = request.status.model, request.metadata.namespace
    if pinned is None:
        return None
    foreign = FOREIGN, _foreign(f"status.model of AvatarRequest {request.metadata.name}")
    if pinned.name != request.spec.model_ref.name or not is_own_target_model(
        pinned.target_model, namespace, pinned.uid, pinned.revision
    ):
        return foreign
    if model is not None and model.metadata.uid != pinned.uid:
        return (
            "ModelReplaced",
            f"AvatarModel {pinned.name} was deleted and created anew while this request was drawn: what is missing is not"
            " drawn, because it would show whoever the new model is of. Create another AvatarRequest.",
        )
    if model is None or model.metadata.deletion_timestamp is not None:
        return MODEL_DELETED, f"AvatarModel {pinned.name} was deleted: nothing more is drawn with it."
    if observation.runtime is not None and not is_own_artifact(
        pinned.uri, pinned.target_model, artifact_homes(model, observation.runtime)
    ):
        return foreign
    return None


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
