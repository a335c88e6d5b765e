"""Sharpens the finished VAE's decoder alone, on the cached latents.

The UNet learns on latents, so the encoder must not change once they are cached; the decoder may. A little noise on the
latents makes it forgiving: what the UNet draws is never exactly what the encoder would have said.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from torch import Tensor, nn

from tiny_base.architecture import LATENT_SCALE
from tiny_base.data import Images, render_held_out_data
from tiny_base.pixels import decibels, to_images, to_tensor
from tiny_base.sample_sheet import save_sheet
from tiny_base.vae_training import picture_loss

_LATENT_NOISE = 0.05


@dataclass(frozen=True)
class DecoderStageFactory:
    """Builds the stage in each process.

    Attributes:
        images: .npy file, uint8 [n, 64, 64, 3].
        latents: .npy file, float16 [m, 4, 16, 16] with m <= n, of the first m pictures.
        vae: Directory of the finished VAE.
        directory: Where sample sheets go.
    """

    images: Path
    latents: Path
    vae: Path
    directory: Path

    def __call__(self, device: torch.device) -> DecoderStage:
        return DecoderStage(self, device)


class DecoderStage:
    def __init__(self, files: DecoderStageFactory, device: torch.device) -> None:
        self.device, self.directory = device, files.directory
        self.vae = AutoencoderKL.from_pretrained(files.vae, use_safetensors=True, local_files_only=True)
        self.modules: nn.Module = nn.ModuleList([self.vae.post_quant_conv, self.vae.decoder])
        nn.Module.to(self.vae, device)
        self.latents = torch.from_numpy(np.load(files.latents))
        self.images: Images = np.load(files.images, mmap_mode="r")
        self.held_out = to_tensor(render_held_out_data(64, seed=1)[0]).to(device)

    def parameter_groups(self) -> list[tuple[list[nn.Parameter], float]]:
        return [(list(self.modules.parameters()), 1.0)]

    def loss(
        self, step: int, progress: float, batch: int, generator: torch.Generator
    ) -> tuple[Tensor, dict[str, float]]:
        indices = torch.randint(len(self.latents), (batch,), generator=generator).sort().values
        latents = self.latents[indices].float()
        latents += _LATENT_NOISE * torch.randn(latents.shape, generator=generator)
        pixels = to_tensor(self.images[indices.numpy()]).to(self.device)
        with torch.autocast(self.device.type, torch.bfloat16):
            drawn = self.vae.decode(latents.to(self.device) / LATENT_SCALE).sample
        error = drawn.float() - pixels
        return picture_loss(error), {"l1": float(error.detach().abs().mean())}

    @torch.no_grad()
    def report(self, step: int) -> dict[str, float]:
        drawn = self.vae.decode(self.vae.encode(self.held_out).latent_dist.mean).sample
        rows = np.concatenate([to_images(self.held_out[:16]), to_images(drawn[:16])])
        save_sheet(rows, columns=16, path=self.directory / f"sheet-{step:06d}.png")
        return {"held_out_db": round(decibels(drawn, self.held_out), 2)}
