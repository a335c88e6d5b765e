"""Noise latents at random times, predict what was added, and weigh the error: what photos and class images have in common.

A sample's squared error is weighted by its clamped signal-to-noise ratio (min-SNR-5: Hang et al., 2303.09556), for bases
that predict the noise and for those that predict a velocity. Times and noise come from a generator on the CPU, so that
they are the same on every device.
"""

from dataclasses import dataclass
from typing import Any

import torch
from diffusers import DDPMScheduler
from diffusers.training_utils import compute_snr

from avatar_workers.base_model.pipeline import BaseModel

MIN_SNR_GAMMA = 5.0


@dataclass(frozen=True)
class NoisyLatents:
    """Latents with noise, and what is to be predicted of them. One row a sample, on the base's device.

    Attributes:
        latents: float32, (samples, channels, height, width).
        times: of the noise, (samples,).
        target: what a prediction should be, shaped as `latents`.
    """

    latents: torch.Tensor
    times: torch.Tensor
    target: torch.Tensor

    def __len__(self) -> int:
        return len(self.latents)

    def followed_by(self, other: "NoisyLatents") -> "NoisyLatents":
        """Both, one after the other."""
        return NoisyLatents(
            torch.cat([self.latents, other.latents]),
            torch.cat([self.times, other.times]),
            torch.cat([self.target, other.target]),
        )


class Denoising:
    """The base's UNet as something that learns.

    Args:
        base: with or without a LoRA on it.
        generator: of noise and times, on the CPU.
    """

    def __init__(self, base: BaseModel, generator: torch.Generator) -> None:
        self._base = base
        self._generator = generator
        self._scheduler: Any = DDPMScheduler.from_config(base.pipeline.scheduler.config)

    @property
    def _by_velocity(self) -> bool:
        return bool(self._scheduler.config.prediction_type == "v_prediction")

    def noised(self, latents: torch.Tensor) -> NoisyLatents:
        """Latents under fresh noise, each at a random time; the target is that noise, or the velocity."""
        noise = torch.randn(latents.shape, generator=self._generator)
        times = torch.randint(
            0, self._scheduler.config.num_train_timesteps, (len(latents),), generator=self._generator
        )
        device = self._base.device
        latents, noise, times = latents.to(device), noise.to(device), times.to(device)
        target = self._scheduler.get_velocity(latents, noise, times) if self._by_velocity else noise
        return NoisyLatents(self._scheduler.add_noise(latents, noise, times), times, target)

    def predict(self, noisy: NoisyLatents, embeddings: torch.Tensor) -> torch.Tensor:
        """What the UNet says, float32; one prompt embedding for each sample."""
        device = self._base.device
        with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
            predicted: torch.Tensor = self._base.pipeline.unet(
                noisy.latents, noisy.times, encoder_hidden_states=embeddings
            ).sample
        return predicted.float()

    def errors(self, predicted: torch.Tensor, noisy: NoisyLatents) -> torch.Tensor:
        """The weighted mean squared error of each sample."""
        ratio: torch.Tensor = compute_snr(self._scheduler, noisy.times)
        weights = ratio.clamp(max=MIN_SNR_GAMMA) / (ratio + 1 if self._by_velocity else ratio)
        squared: torch.Tensor = (predicted - noisy.target).square().mean(dim=(1, 2, 3))
        return squared * weights
