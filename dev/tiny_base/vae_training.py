"""Trains the VAE on the renders, then standardises its latents.

The loss is L1 + squared error + L1 of horizontal and vertical differences (edges carry glasses and moustaches) + a weak
KL term. After training, the mean and deviation of every latent channel are folded into `quant_conv` and
`post_quant_conv`: exact, and latents then have mean 0 and deviation 1 under SD 1.5's own scaling factor.
"""

from __future__ import annotations

import multiprocessing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F  # noqa: N812 (torch's own convention)
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from torch import Tensor, nn

from tiny_base.architecture import LATENT_SCALE, build_vae
from tiny_base.data import Images, render_held_out_data, render_pretraining_data
from tiny_base.pixels import decibels, to_images, to_tensor
from tiny_base.sample_sheet import save_sheet

_KL_WEIGHT = 1e-3
_ENCODE_CHUNK = 2048


@dataclass(frozen=True)
class VaeStageFactory:
    """Builds the stage in each process from the rendered files."""

    data: Path
    directory: Path
    count: int
    seed: int

    def __call__(self, device: torch.device) -> VaeStage:
        images, _ = render_pretraining_data(self.data, self.count, self.seed, processes=1)
        return VaeStage(images, self.directory, device)


class VaeStage:
    def __init__(self, images: Images, directory: Path, device: torch.device) -> None:
        self.vae = build_vae()
        self.modules: nn.Module = nn.Module.to(self.vae, device)
        self.images, self.directory, self.device = images, directory, device
        self.held_out = to_tensor(render_held_out_data(64, seed=1)[0]).to(device)

    def parameter_groups(self) -> list[tuple[list[nn.Parameter], float]]:
        return [(list(self.vae.parameters()), 1.0)]

    def loss(
        self, step: int, progress: float, batch: int, generator: torch.Generator
    ) -> tuple[Tensor, dict[str, float]]:
        indices = torch.randint(len(self.images), (batch,), generator=generator)
        pixels = to_tensor(self.images[indices.sort().values.numpy()]).to(self.device)
        with torch.autocast(self.device.type, torch.bfloat16):
            posterior = self.vae.encode(pixels).latent_dist
            noise = torch.randn(posterior.mean.shape, generator=generator).to(self.device)
            drawn = self.vae.decode(posterior.mean + posterior.std * noise).sample
        error = drawn.float() - pixels
        kl = (
            0.5
            * (posterior.mean.float().square() + posterior.var.float() - 1 - posterior.logvar.float()).mean()
        )
        loss = picture_loss(error) + _KL_WEIGHT * kl
        return loss, {"l1": float(error.detach().abs().mean()), "kl": float(kl.detach())}

    @torch.no_grad()
    def report(self, step: int) -> dict[str, float]:
        drawn = self.vae.decode(self.vae.encode(self.held_out).latent_dist.mean).sample
        rows = np.concatenate([to_images(self.held_out[:16]), to_images(drawn[:16])])
        save_sheet(rows, columns=16, path=self.directory / f"sheet-{step:06d}.png")
        return {"held_out_db": round(decibels(drawn, self.held_out), 2)}


def picture_loss(error: Tensor) -> Tensor:
    """L1, squared, and L1 of the differences between neighbours, of an error [n, 3, h, w]."""
    across = (error[..., 1:] - error[..., :-1]).abs().mean()
    down = (error[..., 1:, :] - error[..., :-1, :]).abs().mean()
    return error.abs().mean() + error.square().mean() + 0.5 * (across + down)


@torch.no_grad()
def standardise(vae: AutoencoderKL, images: Images) -> None:
    """Changes the VAE in place so that scaled latents of these pictures have mean 0 and deviation 1 per channel."""
    parts = [
        vae.encode(to_tensor(images[start : start + 64])).latent_dist.mean
        for start in range(0, len(images), 64)
    ]
    latents = torch.cat(parts)
    mean, deviation = latents.mean((0, 2, 3)), latents.std((0, 2, 3))
    factor = 1 / (LATENT_SCALE * deviation)
    channels = len(mean)
    weights = dict(vae.named_parameters())
    weight, bias = weights["quant_conv.weight"], weights["quant_conv.bias"]
    weight[:channels] *= factor.view(-1, 1, 1, 1)
    bias[:channels] = (bias[:channels] - mean) * factor
    bias[channels:] += 2 * factor.log()
    weight, bias = weights["post_quant_conv.weight"], weights["post_quant_conv.bias"]
    bias.add_(F.conv2d(mean.view(1, -1, 1, 1), weight).flatten())
    weight.div_(factor.view(1, -1, 1, 1))


def encode_files(vae: Path, images: Path, latents: Path, count: int, device: str, processes: int) -> None:
    """Writes the scaled latent means of the first `count` pictures of a .npy file: float16 [count, 4, 16, 16]."""
    chunks = [
        (vae, images, start, min(start + _ENCODE_CHUNK, count), device)
        for start in range(0, count, _ENCODE_CHUNK)
    ]
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        np.save(latents, np.concatenate(pool.map(_encode_chunk, chunks, chunksize=1)))


@torch.no_grad()
def _encode_chunk(chunk: tuple[Path, Path, int, int, str]) -> npt.NDArray[np.float16]:
    directory, images_path, start, stop, device = chunk
    torch.set_num_threads(1)
    vae = AutoencoderKL.from_pretrained(directory, use_safetensors=True, local_files_only=True).to(device)
    images = np.load(images_path, mmap_mode="r")
    parts = []
    for first in range(start, stop, 64):
        with torch.autocast(torch.device(device).type, torch.bfloat16):
            latents = vae.encode(to_tensor(images[first : min(first + 64, stop)]).to(device)).latent_dist.mean
        parts.append((latents.float() * LATENT_SCALE).half().cpu().numpy())
    encoded: npt.NDArray[np.float16] = np.concatenate(parts)
    return encoded
