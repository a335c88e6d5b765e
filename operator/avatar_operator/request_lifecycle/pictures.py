"""Which pictures a request asks for, under which names, with which seeds. Pure.

A picture is named by its place in the request and its seed, so what is missing can be told from what lies in storage,
and a request that was interrupted continues where it stood.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from avatar_api.avatar_request import AvatarRequest, ResolvedModel
from avatar_api.avatar_runtime import AvatarRuntime
from avatar_api.documents.inference import PictureRequest
from avatar_operator.backends.compute import DrawCall
from avatar_operator.locations import drawing_prefix

SEED_RANGE = 2**32


def wanted_pictures(request: AvatarRequest) -> list[PictureRequest]:
    """Every picture of the request, in order."""
    return [
        PictureRequest(
            prompt=prompt.prompt,
            negative_prompt=prompt.negative_prompt or "",
            seed=(_first_seed(request, prompt_index, prompt.seed) + image_index) % SEED_RANGE,
            prompt_index=prompt_index,
            image_index=image_index,
        )
        for prompt_index, prompt in enumerate(request.spec.prompts)
        for image_index in range(prompt.num_images)
    ]


@dataclass(frozen=True)
class DrawingSettings:
    """How pictures are drawn: as the user says, else as the runtime does by default."""

    steps: int
    guidance: float
    width: int
    height: int
    scheduler: str


def drawing_settings(runtime: AvatarRuntime, request: AvatarRequest) -> DrawingSettings:
    """The settings that count for a request."""
    spec, defaults = request.spec, runtime.spec.defaults.inference
    return DrawingSettings(
        steps=spec.steps or defaults.steps,
        guidance=float(spec.guidance if spec.guidance is not None else defaults.guidance),
        width=spec.width or defaults.width,
        height=spec.height or defaults.height,
        scheduler=spec.scheduler or defaults.scheduler,
    )


def draw_call(
    runtime: AvatarRuntime, request: AvatarRequest, pinned: ResolvedModel, pictures: Sequence[PictureRequest]
) -> DrawCall:
    """One invocation for some pictures with the artifact that the request recorded."""
    settings = drawing_settings(runtime, request)
    return DrawCall(
        request_uid=request.metadata.uid,
        target_model=pinned.target_model,
        artifact=pinned.uri,
        weights_sha256=pinned.weights_sha256,
        pictures=tuple(pictures),
        num_inference_steps=settings.steps,
        guidance_scale=settings.guidance,
        width=settings.width,
        height=settings.height,
        scheduler=settings.scheduler,
        output_prefix=drawing_prefix(runtime, request),
    )


def _first_seed(request: AvatarRequest, prompt_index: int, seed: int | None) -> int:
    if seed is not None:
        return seed
    digest = hashlib.sha256(f"{request.metadata.uid}/{prompt_index}".encode()).digest()
    return int.from_bytes(digest[:4], "big")
