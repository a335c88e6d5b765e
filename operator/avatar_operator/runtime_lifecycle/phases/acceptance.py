"""Acceptance: can this runtime work at all? What the schema cannot see is said here, before anything is made for it."""

from avatar_api.avatar_runtime import AvatarRuntime
from avatar_operator.backends.selection import UNKNOWN, backend_name
from avatar_operator.core.condition_drafts import set_condition
from avatar_operator.core.conditions import is_true
from avatar_operator.core.kstatus import stalled
from avatar_operator.locations import runtime_storage
from avatar_operator.runtime_lifecycle.actions import RuntimeDraft
from avatar_operator.runtime_lifecycle.conditions import ACCEPTED
from avatar_operator.runtime_lifecycle.observation import RuntimeObservation


def acceptance(observation: RuntimeObservation, draft: RuntimeDraft) -> RuntimeDraft:
    """Set Accepted, and stop here if it is not True."""
    refused = refusal(observation.runtime) or _overlap_refusal(observation, draft)
    if refused is None:
        return set_condition(observation, draft, ACCEPTED, "True", "Accepted", "")
    draft = set_condition(observation, draft, ACCEPTED, "False", *refused)
    return stalled(observation, draft, *refused).finish()


def _overlap_refusal(observation: RuntimeObservation, draft: RuntimeDraft) -> tuple[str, str] | None:
    """Why a runtime that has never worked does not begin beside one that was there before."""
    overlap = observation.overlap
    if overlap is None or overlap.is_meant or not overlap.other_was_first:
        return None
    # One that works goes on, and so do its objects: what it has stored or shown, no refusal takes back.
    if is_true(draft.status.conditions, ACCEPTED):
        return None
    return (
        "RuntimesOverlap",
        f"{overlap.message} AvatarRuntime {overlap.other} was there first; this one begins when they are apart, or when the"
        " other one is gone.",
    )


def refusal(runtime: AvatarRuntime) -> tuple[str, str] | None:
    """Why a runtime cannot work as its spec stands, as reason and message; None if it can."""
    if backend_name(runtime) == UNKNOWN:
        return (
            "UnsupportedBackend",
            "This version of the operator knows none of the members of spec.backend. Update the operator, or create an"
            " AvatarRuntime with another backend.",
        )
    storage = runtime_storage(runtime)
    if storage.artifacts in (storage.requests, storage.training_output, storage.training_failure):
        return (
            "StorageOverlaps",
            f"spec.storage.artifacts ({storage.artifacts}) is a place for requests and their outcomes, too: a model that is"
            " deleted with deletionPolicy Retain would lose its artifacts with them. The two are immutable: create another"
            " AvatarRuntime with a prefix of its own for each.",
        )
    sagemaker = runtime.spec.backend.sagemaker
    if sagemaker is not None and sagemaker.training.endpoint_name == sagemaker.inference.endpoint_name:
        return (
            "EndpointNamesEqual",
            f"Training and drawing both name endpoint {sagemaker.training.endpoint_name}, and one endpoint cannot do both:"
            " change spec.backend.sagemaker.training.endpointName or inference.endpointName.",
        )
    exceeding = _exceeding_defaults(runtime)
    if exceeding:
        return (
            "DefaultsExceedLimits",
            f"Whoever says nothing would be refused: {'; '.join(exceeding)}. Lower the defaults or raise the limits.",
        )
    return None


def _exceeding_defaults(runtime: AvatarRuntime) -> list[str]:
    training, training_limits = runtime.spec.defaults.training, runtime.spec.limits.training
    inference, inference_limits = runtime.spec.defaults.inference, runtime.spec.limits.inference
    class_images = training.prior_preservation.num_class_images
    checks = (
        ("training.steps", training.steps, training_limits.max_steps),
        ("training.batchSize", training.batch_size, training_limits.max_batch_size),
        ("training.rank", training.rank, training_limits.max_rank),
        ("training.resolution", training.resolution, training_limits.max_resolution),
        ("training.priorPreservation.numClassImages", class_images, training_limits.max_class_images),
        ("inference.steps", inference.steps, inference_limits.max_steps),
        ("inference width x height", inference.width * inference.height, inference_limits.max_pixels),
    )
    return [
        f"spec.defaults.{what} is {value}, and the limit {limit}"
        for what, value, limit in checks
        if value is not None and value > limit
    ]
