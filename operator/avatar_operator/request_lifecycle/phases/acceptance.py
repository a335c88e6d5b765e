"""Acceptance: may this be drawn? And if so, with which artifact from now on.

Judged at every pass: a runtime that withdraws a namespace means it. A request is immutable, so a refusal is final. What is
beyond the namespace's quota is not refused: it waits.
"""

import re
from collections.abc import Mapping

from avatar_api.avatar_request import AvatarRequest, RequestWarning, ResolvedModel
from avatar_api.avatar_runtime import AvatarRuntime
from avatar_operator.core.condition_drafts import set_condition, update_status
from avatar_operator.core.places import waiting_for_quota
from avatar_operator.core.words import counted
from avatar_operator.locations import (
    REQUEST,
    drawing_prefix,
    picture_prefix,
    place_in_namespace,
    runtime_storage,
)
from avatar_operator.request_lifecycle.actions import RequestDraft
from avatar_operator.request_lifecycle.conditions import ACCEPTED, SUCCEEDED
from avatar_operator.request_lifecycle.failure import fail_request
from avatar_operator.request_lifecycle.observation import RequestObservation
from avatar_operator.request_lifecycle.pictures import drawing_settings, wanted_pictures
from avatar_operator.tenancy import (
    location_allowed,
    namespace_allowed,
    reserved,
    why_foreign,
    why_not_allowed,
)

MAX_NAMED = 5


def acceptance(observation: RequestObservation, draft: RequestDraft) -> RequestDraft:
    """Set Accepted, and write down what is drawn with before anything is drawn."""
    request, runtime, model = observation.request, observation.runtime, observation.model
    if runtime is None:
        name = request.status.runtime_name or ""
        message = why_foreign(name) if observation.runtime_is_foreign else f"AvatarRuntime {name} is gone."
        return fail_request(observation, draft, reason="RuntimeNotFound", message=message)
    refused = refusal(runtime, request, observation.namespace_labels)
    if refused is not None:
        return _refuse(observation, draft, *refused)
    if observation.obstacle is not None:
        return _refuse(observation, draft, observation.obstacle.reason, observation.obstacle.message)
    if request.status.model is not None:
        return draft
    assert model is not None
    artifact = model.status.artifact
    assert artifact is not None
    draft = set_condition(observation, draft, ACCEPTED, "True", "Accepted", "")
    if not observation.has_place:
        waiting = _waiting(observation, runtime)
        return set_condition(observation, draft, SUCCEEDED, "Unknown", *waiting).finish()
    count = counted(len(wanted_pictures(request)), "picture")
    message = f"{count} of revision {artifact.revision} to be drawn."
    draft = set_condition(observation, draft, SUCCEEDED, "Unknown", "Drawing", message)
    return (
        update_status(
            draft,
            model=ResolvedModel(
                name=model.metadata.name,
                uid=model.metadata.uid,
                revision=artifact.revision,
                target_model=artifact.target_model,
                uri=artifact.uri,
                sha256=artifact.sha256,
                weights_sha256=artifact.weights_sha256,
            ),
            start_time=observation.now,
            storage_prefix=drawing_prefix(runtime, request),
            runtime_name=runtime.metadata.name,
            warnings=prompt_warnings(request, model.spec.subject.token),
        )
        .look_again_in(0)
        .finish()
    )


def _refuse(observation: RequestObservation, draft: RequestDraft, reason: str, message: str) -> RequestDraft:
    draft = set_condition(observation, draft, ACCEPTED, "False", reason, message)
    return fail_request(observation, draft, reason=reason, message=message)


def _waiting(observation: RequestObservation, runtime: AvatarRuntime) -> tuple[str, str]:
    quota = runtime.spec.quotas.max_waiting_pictures
    assert quota is not None
    namespace = observation.request.metadata.namespace
    return waiting_for_quota(namespace, runtime.metadata.name, "pictures (quotas.maxWaitingPictures)", quota)


def prompt_warnings(request: AvatarRequest, token: str) -> list[RequestWarning]:
    """What is likely to be a mistake in the prompts: without the model's token they show a stranger."""
    without = [
        str(number)
        for number, prompt in enumerate(request.spec.prompts, start=1)
        if not re.search(rf"(?<![a-z0-9]){re.escape(token)}(?![a-z0-9])", prompt.prompt.lower())
    ]
    if not without:
        return []
    named = ", ".join(without[:MAX_NAMED]) + (", ..." if len(without) > MAX_NAMED else "")
    which = "Prompt" if len(without) == 1 else "Prompts"
    return [
        RequestWarning(
            reason="TokenMissing",
            message=f'{which} {named} of {len(request.spec.prompts)} without the model\'s token "{token}": such pictures show'
            f' anybody, not this person. Write "{token}" where the person is meant.',
        )
    ]


def refusal(
    runtime: AvatarRuntime, request: AvatarRequest, namespace_labels: Mapping[str, str]
) -> tuple[str, str] | None:
    """Why a runtime does not take a request, as reason and message; None if it does."""
    name, namespace = runtime.metadata.name, request.metadata.namespace
    if not namespace_allowed(runtime, namespace, namespace_labels):
        return (
            "NamespaceNotAllowed",
            f"AvatarRuntime {name} does not admit namespace {namespace}; its spec.tenancy decides.",
        )
    place = place_in_namespace(runtime_storage(runtime), runtime, namespace, REQUEST)
    if place is not None:
        return "NamespaceReserved", reserved(runtime, namespace, place)
    output, allowed = request.spec.output, runtime.spec.storage.allowed.outputs
    if output is not None and not location_allowed(output.prefix, allowed, namespace):
        return "OutputNotAllowed", why_not_allowed(runtime, output.prefix, allowed, namespace)
    if picture_prefix(runtime, request) != drawing_prefix(runtime, request):
        return (
            "OutputNotAllowed",
            f"status.storagePrefix names {picture_prefix(runtime, request)}, and AvatarRuntime {name} stores pictures elsewhere:"
            " it was created anew with other storage, or somebody else wrote the status. Create another AvatarRequest.",
        )
    exceeded = _exceeded(runtime, request)
    if exceeded:
        return "LimitExceeded", f"AvatarRuntime {name} does not allow this: {'; '.join(exceeded)}."
    return None


def _exceeded(runtime: AvatarRuntime, request: AvatarRequest) -> list[str]:
    limits, spec = runtime.spec.limits.inference, request.spec
    settings = drawing_settings(runtime, request)
    checks = (
        ("number of pictures", len(wanted_pictures(request)), limits.max_pictures),
        ("steps", settings.steps, limits.max_steps),
        ("width x height", settings.width * settings.height, limits.max_pixels),
        ("activeDeadlineSeconds", spec.active_deadline_seconds or 0, limits.active_deadline_seconds),
        ("queueDeadlineSeconds", spec.queue_deadline_seconds or 0, limits.queue_deadline_seconds),
    )
    return [f"{what} is {value}, at most {limit}" for what, value, limit in checks if value > limit]
