"""Acceptance: may this be trained at all? Asked until an attempt is under way, so a platform team's fix is noticed."""

from collections.abc import Mapping, Sequence

from avatar_api.avatar_model import AvatarModel
from avatar_api.avatar_runtime import AvatarRuntime
from avatar_api.documents.training import PhotoLocation
from avatar_operator.backends.failures import BackendError
from avatar_operator.core.condition_drafts import set_condition, update_status
from avatar_operator.core.conditions import find_condition
from avatar_operator.locations import MODEL, place_in_namespace, storage_of
from avatar_operator.model_lifecycle.actions import ModelDraft
from avatar_operator.model_lifecycle.conditions import ACCEPTED
from avatar_operator.model_lifecycle.failure import record_refusal
from avatar_operator.model_lifecycle.observation import ModelObservation, is_active, is_settled
from avatar_operator.model_lifecycle.training_request import exceeded_limits
from avatar_operator.tenancy import (
    location_allowed,
    namespace_allowed,
    reserved,
    why_foreign,
    why_not_allowed,
)

PHOTOS_LOOK_SECONDS = 30
"""A bucket need not tell of uploads: how often missing photos are looked for anyway."""


def acceptance(observation: ModelObservation, draft: ModelDraft) -> ModelDraft:
    """Set Accepted, and stop here if it is not True."""
    training = draft.status.training
    if is_active(training) or is_settled(training):
        return draft
    name = observation.model.spec.runtime_ref.name
    if observation.runtime is None:
        missing = f"There is no AvatarRuntime {name}; `kubectl get avatarruntimes` lists those there are."
        message = why_foreign(name) if observation.runtime_is_foreign else missing
        return set_condition(observation, draft, ACCEPTED, "False", "RuntimeNotFound", message).finish()
    refused = refusal(observation.runtime, observation.model, observation.namespace_labels)
    if refused is not None:
        return _refuse(observation, draft, *refused, retryable=False)
    obstacle = observation.obstacle
    if obstacle is not None:
        return _refuse(observation, draft, obstacle.reason, obstacle.message, retryable=False)
    photos = observation.photos
    if isinstance(photos, BackendError) and photos.retryable:
        return draft.retry(photos.as_retry()).finish()
    refused = photo_refusal(observation.runtime, photos)
    if refused is not None:
        reason, message = refused
        explanation = f"{message} They are looked for again every {PHOTOS_LOOK_SECONDS} s."
        draft = _refuse(observation, draft, reason, explanation, retryable=True)
        return draft.look_again_in(PHOTOS_LOOK_SECONDS)
    accepted = find_condition(draft.status.conditions, ACCEPTED)
    if accepted is not None and accepted.status == "False":
        draft = update_status(draft, last_failure=None)
    return set_condition(observation, draft, ACCEPTED, "True", "Accepted", "")


def _refuse(
    observation: ModelObservation, draft: ModelDraft, reason: str, message: str, *, retryable: bool
) -> ModelDraft:
    """The draft of a model that is not trained as it is."""
    draft = record_refusal(observation, draft, reason=reason, message=message, retryable=retryable)
    return set_condition(observation, draft, ACCEPTED, "False", reason, message).finish()


def refusal(
    runtime: AvatarRuntime, model: AvatarModel, namespace_labels: Mapping[str, str]
) -> tuple[str, str] | None:
    """Why a runtime does not take a model, as reason and message; None if it does."""
    name = runtime.metadata.name
    namespace = model.metadata.namespace
    if not namespace_allowed(runtime, namespace, namespace_labels):
        return (
            "NamespaceNotAllowed",
            f"AvatarRuntime {name} does not admit namespace {namespace}; its spec.tenancy decides.",
        )
    place = place_in_namespace(storage_of(model, runtime), runtime, namespace, MODEL)
    if place is not None:
        return "NamespaceReserved", reserved(runtime, namespace, place)
    allowed = runtime.spec.storage.allowed.photos
    for location in photo_locations(model):
        if not location_allowed(location, allowed, namespace):
            return "PhotosNotAllowed", why_not_allowed(runtime, location, allowed, namespace)
    exceeded = exceeded_limits(runtime, model)
    if exceeded:
        return "LimitExceeded", f"AvatarRuntime {name} does not allow this: {'; '.join(exceeded)}."
    return None


def photo_refusal(
    runtime: AvatarRuntime, photos: Sequence[PhotoLocation] | BackendError | None
) -> tuple[str, str] | None:
    """Why a runtime does not take the photos that were found, as reason and message; None if it does, or none were looked
    for.
    """
    if photos is None:
        return None
    if isinstance(photos, BackendError):
        return photos.reason, photos.message
    limits = runtime.spec.limits.photos
    if limits.min_count <= len(photos) <= limits.max_count:
        return None
    return (
        "PhotoCountOutOfLimits",
        f"{len(photos)} photos were found; AvatarRuntime {runtime.metadata.name} takes"
        f" {limits.min_count} to {limits.max_count}.",
    )


def photo_locations(model: AvatarModel) -> list[str]:
    """Every S3 location of photos that the model names."""
    photos = model.spec.photos
    if photos.s3_prefix is not None:
        return [photos.s3_prefix]
    return [photo.uri for photo in photos.objects or ()]
