"""Acceptance: may this be drawn? A request is immutable, so a refusal is final."""

from avatar_api.avatar_request import AvatarRequest
from avatar_api.avatar_runtime import AvatarRuntime
from avatar_operator.core.condition_drafts import set_condition, update_status
from avatar_operator.locations import picture_prefix
from avatar_operator.request_lifecycle.actions import RequestDraft
from avatar_operator.request_lifecycle.conditions import ACCEPTED, SUCCEEDED
from avatar_operator.request_lifecycle.failure import fail_request
from avatar_operator.request_lifecycle.observation import RequestObservation
from avatar_operator.request_lifecycle.pictures import draw_call, wanted_pictures
from avatar_operator.tenancy import location_allowed, namespace_allowed


def acceptance(observation: RequestObservation, draft: RequestDraft) -> RequestDraft:
    """Set Accepted once, and say that drawing begins before it does."""
    request, runtime = observation.request, observation.runtime
    assert runtime is not None
    if request.status.state == "Running":
        return draft
    refused = refusal(runtime, request)
    if refused is not None:
        reason, message = refused
        draft = set_condition(observation, draft, ACCEPTED, "False", reason, message)
        return fail_request(observation, draft, reason=reason, message=message)
    draft = set_condition(observation, draft, ACCEPTED, "True", "Accepted", "")
    count = len(wanted_pictures(request))
    draft = set_condition(
        observation, draft, SUCCEEDED, "Unknown", "Drawing", f"{count} pictures are being drawn."
    )
    prefix = picture_prefix(runtime, request)
    return (
        update_status(draft, state="Running", storage_prefix=prefix, runtime_name=runtime.metadata.name)
        .look_again_in(0)
        .finish()
    )


def refusal(runtime: AvatarRuntime, request: AvatarRequest) -> tuple[str, str] | None:
    """Why a runtime does not take a request, as reason and message; None if it does."""
    name, namespace = runtime.metadata.name, request.metadata.namespace
    if not namespace_allowed(runtime, namespace):
        return (
            "NamespaceNotAllowed",
            f"AvatarRuntime {name} does not admit namespace {namespace}; its spec.tenancy.allowedNamespaces decides.",
        )
    allowed = runtime.spec.storage.allowed.outputs
    if request.spec.output is not None and not location_allowed(
        request.spec.output.prefix, allowed, namespace
    ):
        listed = ", ".join(allowed) or "none but the runtime's own default"
        return (
            "OutputNotAllowed",
            f"{request.spec.output.prefix} is outside what AvatarRuntime {name} allows to namespace {namespace}: {listed}",
        )
    limits = runtime.spec.limits.inference
    call = draw_call(runtime, request, "", [])
    checks = (
        ("number of pictures", len(wanted_pictures(request)), limits.max_pictures),
        ("steps", call.num_inference_steps, limits.max_steps),
        ("width x height", call.width * call.height, limits.max_pixels),
    )
    exceeded = [f"{what} is {value}, at most {limit}" for what, value, limit in checks if value > limit]
    if exceeded:
        return "LimitExceeded", f"AvatarRuntime {name} does not allow this: {'; '.join(exceeded)}."
    return None
