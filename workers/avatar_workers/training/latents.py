"""Pictures and class images as latents, made once: the VAE never runs inside the training loop.

A photo is kept as its posterior's mean and standard deviation, so that every step still samples. Class images are kept
as the latents that the base itself ended on, without a detour over pixels. They contain no user data and depend only
on (base, class prompt, resolution, number): everybody's trainings share them, through a cache directory.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from avatar_workers.base_model.pipeline import BaseModel
from avatar_workers.scratch import scratch_directory

ENCODE_BATCH = 4
CLASS_IMAGE_STEPS = 25
CLASS_IMAGE_BATCH = 4
MAX_CACHED_SETS = 64


@dataclass(frozen=True)
class PhotoLatents:
    """Scaled posteriors of N photos: mean and standard deviation, each float32 [N, channels, height, width]."""

    mean: torch.Tensor
    deviation: torch.Tensor

    def sample(self, indices: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """One latent of each of the photos named, float32 [len(indices), channels, height, width]."""
        noise = torch.randn(len(indices), *self.mean.shape[1:], generator=generator)
        return self.mean[indices] + self.deviation[indices] * noise


@torch.no_grad()
def encode_photos(base: BaseModel, pictures: Sequence[Image.Image]) -> PhotoLatents:
    """Run the base's VAE encoder over training pictures."""
    vae = base.pipeline.vae
    means: list[torch.Tensor] = []
    deviations: list[torch.Tensor] = []
    for start in range(0, len(pictures), ENCODE_BATCH):
        batch = np.stack([np.asarray(picture) for picture in pictures[start : start + ENCODE_BATCH]])
        pixels = torch.from_numpy(batch).permute(0, 3, 1, 2).float() / 127.5 - 1
        posterior = vae.encode(pixels.to(base.device, vae.dtype)).latent_dist
        means.append(posterior.mean.float().cpu())
        deviations.append(posterior.std.float().cpu())
    shift = getattr(vae.config, "shift_factor", None) or 0.0
    scale = vae.config.scaling_factor
    return PhotoLatents((torch.cat(means) - shift) * scale, torch.cat(deviations) * scale)


def class_image_latents(
    base: BaseModel,
    prompt: str,
    *,
    resolution: int,
    count: int,
    cache: Path,
    on_image: Callable[[int], None],
) -> torch.Tensor:
    """Latents of pictures of the class, drawn by the base or found in the cache.

    Args:
        base: without any adapter on it.
        prompt: the class prompt.
        resolution: side in pixels.
        count: how many.
        cache: directory that latents are kept in.
        on_image: told how many are there, before each batch and at the end. May raise to stop.

    Returns:
        float32 [count, channels, height, width] on the CPU.
    """
    key = {"base": base.sha256, "prompt": prompt, "resolution": resolution, "count": count}
    name = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()
    kept = cache / f"{name}.safetensors"
    latents = _load(kept)
    if latents is None:
        latents = _draw(base, prompt, resolution, count, on_image)
        _keep(latents, kept)
    on_image(count)
    return latents


def _load(kept: Path) -> torch.Tensor | None:
    try:
        latents: torch.Tensor = load_file(kept)["latents"]
        kept.touch()
    except (FileNotFoundError, SafetensorError):
        return None
    return latents


def _keep(latents: torch.Tensor, kept: Path) -> None:
    """Write a cache entry as a whole, and drop those that were not used for longest: users choose the class prompts."""
    with scratch_directory(kept.parent) as scratch:
        save_file({"latents": latents}, scratch / kept.name)
        (scratch / kept.name).replace(kept)
    entries = sorted(kept.parent.glob("*.safetensors"), key=lambda entry: entry.stat().st_mtime)
    for entry in entries[:-MAX_CACHED_SETS]:
        entry.unlink(missing_ok=True)


def _draw(
    base: BaseModel, prompt: str, resolution: int, count: int, on_image: Callable[[int], None]
) -> torch.Tensor:
    drawn: list[torch.Tensor] = []
    for start in range(0, count, CLASS_IMAGE_BATCH):
        on_image(start)
        seeds = range(start, min(start + CLASS_IMAGE_BATCH, count))
        result = base.pipeline(
            prompt=[prompt] * len(seeds),
            height=resolution,
            width=resolution,
            num_inference_steps=CLASS_IMAGE_STEPS,
            generator=[torch.Generator().manual_seed(seed) for seed in seeds],
            output_type="latent",
        )
        drawn.append(result.images.float().cpu())
    return torch.cat(drawn).contiguous()
