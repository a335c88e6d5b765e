"""Trains the UNet, and the text encoder with it, on cached latents.

Three choices come from measurements. Noise gets a random offset per channel (0.25): SD's schedule leaves so much of the
mean colour at its last step that a model trained without reads the background from the noise, never from the words.
Captions are short at first (one to four attributes named), longer later. The plain attention processor replaces fused
attention while training, whose backward pass is slow on CPU; nothing of that is saved.

The loss is the squared error of the predicted noise, weighted by min-SNR with gamma 5 (Hang et al., arXiv 2303.09556);
one caption in ten is empty, for classifier-free guidance.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers.models.attention_processor import AttnProcessor
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from torch import Tensor, nn
from transformers import CLIPTextModel

from synthetic_people import random_caption
from tiny_base.architecture import build_scheduler, build_unet
from tiny_base.data import Labels, attributes_of, render_held_out_data
from tiny_base.pipeline_files import assemble
from tiny_base.sample_sheet import save_sheet
from tiny_base.text_pretraining import TextStage, tokenize
from tiny_base.tokenizer import build_tokenizer
from tiny_base.training_loop import load_averaged

NOISE_OFFSET = 0.25
_SNR_GAMMA = 5.0
_EMPTY_CAPTIONS = 0.1
_LONG_CAPTIONS = 0.3
_SHORT_ONLY_UNTIL = 0.25
_TEXT_RATE = 0.2


@dataclass(frozen=True)
class UnetStageFactory:
    """Builds the stage in each process.

    Attributes:
        latents: .npy file, float16 [n, 4, 16, 16].
        labels: .npy file, int8 [n, 9].
        vae: Directory of the finished VAE, for sample sheets.
        text_checkpoint: Checkpoint of the text stage.
        directory: Where sample sheets go.
    """

    latents: Path
    labels: Path
    vae: Path
    text_checkpoint: Path
    directory: Path

    def __call__(self, device: torch.device) -> UnetStage:
        return UnetStage(self, device)


class UnetStage:
    def __init__(self, files: UnetStageFactory, device: torch.device) -> None:
        self.device, self.directory = device, files.directory
        self.tokenizer = build_tokenizer()
        self.unet: UNet2DConditionModel = build_unet()
        self.unet.set_attn_processor(AttnProcessor())
        self.text_encoder: CLIPTextModel = pretrained_text_encoder(files.text_checkpoint)
        self.modules: nn.Module = nn.ModuleDict({"unet": self.unet, "text_encoder": self.text_encoder}).to(
            device
        )
        self.vae = AutoencoderKL.from_pretrained(files.vae, use_safetensors=True, local_files_only=True)
        nn.Module.to(self.vae, device)
        self.latents: Tensor = torch.from_numpy(np.load(files.latents))
        self.labels: Labels = np.load(files.labels)
        self.alphas = build_scheduler().alphas_cumprod

    def parameter_groups(self) -> list[tuple[list[nn.Parameter], float]]:
        return [(list(self.unet.parameters()), 1.0), (list(self.text_encoder.parameters()), _TEXT_RATE)]

    def loss(
        self, step: int, progress: float, batch: int, generator: torch.Generator
    ) -> tuple[Tensor, dict[str, float]]:
        indices = torch.randint(len(self.latents), (batch,), generator=generator)
        latents = self.latents[indices].float()
        rng = random.Random(int(torch.randint(2**62, (1,), generator=generator)))
        captions = [self._caption(self.labels[index], progress, rng) for index in indices.tolist()]
        noise = torch.randn(latents.shape, generator=generator)
        noise += NOISE_OFFSET * torch.randn((batch, 4, 1, 1), generator=generator)
        # A little more of the noisy steps, where words decide what is drawn.
        timesteps = (1000 * torch.rand(batch, generator=generator) ** 0.8).long().clamp(max=999)
        alpha = self.alphas[timesteps].view(-1, 1, 1, 1)
        noisy = alpha.sqrt() * latents + (1 - alpha).sqrt() * noise
        weight = (_SNR_GAMMA * (1 - alpha) / alpha).clamp(max=1).flatten().to(self.device)
        ids = tokenize(self.tokenizer, captions).to(self.device)
        with torch.autocast(self.device.type, torch.bfloat16):
            hidden = self.text_encoder(ids).last_hidden_state
            predicted = self.unet(noisy.to(self.device), timesteps.to(self.device), hidden).sample
        error = (predicted.float() - noise.to(self.device)).square().mean((1, 2, 3))
        return (error * weight).mean(), {}

    def report(self, step: int) -> dict[str, float]:
        """A sheet of 16 held-out pictures above what the base draws from captions that name four of their attributes."""
        rng = random.Random(5)
        truth, labels = render_held_out_data(16, seed=2)
        captions = [random_caption(attributes_of(row), rng, 4)[0] for row in labels]
        pipeline = assemble(self.tokenizer, self.text_encoder, self.vae, self.unet)
        pipeline.set_progress_bar_config(disable=True)
        drawn = pipeline(
            captions, num_inference_steps=20, guidance_scale=4.0, generator=torch.Generator().manual_seed(7),
            width=64, height=64, output_type="np",
        ).images  # fmt: skip
        pictures = (drawn * 255).round().astype(np.uint8)
        save_sheet(
            np.concatenate([truth, pictures]), columns=16, path=self.directory / f"sheet-{step:06d}.png"
        )
        (self.directory / "sheet-captions.txt").write_text("\n".join(captions) + "\n")
        return {"sheet": float(step)}

    def _caption(self, labels: Labels, progress: float, rng: random.Random) -> str:
        if rng.random() < _EMPTY_CAPTIONS:
            return ""
        long = progress > _SHORT_ONLY_UNTIL and rng.random() < _LONG_CAPTIONS
        return random_caption(attributes_of(labels), rng, rng.randint(5, 9) if long else rng.randint(1, 4))[0]


def pretrained_text_encoder(checkpoint: Path) -> CLIPTextModel:
    """The text encoder as the text stage left it."""
    stage = TextStage(torch.device("cpu"))
    load_averaged(stage.modules, checkpoint)
    return stage.text_encoder
