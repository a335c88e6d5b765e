"""Puts the trained parts together as a StableDiffusionPipeline and writes it as anybody would load it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import StableDiffusionPipeline
from transformers import CLIPTextModel, CLIPTokenizer

from tiny_base.architecture import build_scheduler

CHECKSUMS = "SHA256SUMS"


def assemble(
    tokenizer: CLIPTokenizer, text_encoder: CLIPTextModel, vae: AutoencoderKL, unet: UNet2DConditionModel
) -> StableDiffusionPipeline:
    """A pipeline of these very modules; no safety checker, as it would be trained on other pictures."""
    build: Any = StableDiffusionPipeline  # Its annotations leave out that these parts are optional.
    pipeline: StableDiffusionPipeline = build(
        vae=vae,
        text_encoder=text_encoder,
        tokenizer=tokenizer,
        unet=unet,
        scheduler=build_scheduler(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    return pipeline


def save_pipeline(pipeline: StableDiffusionPipeline, directory: Path) -> None:
    """Writes fp16 safetensors in diffusers' layout; converts the pipeline's modules in place."""
    pipeline.to(torch.float16)
    pipeline.save_pretrained(directory, safe_serialization=True)
    # transformers 5 loads in the dtype that config.json names, diffusers in float32 unless told otherwise: without
    # this a plain from_pretrained gives a half-precision text encoder beside a full-precision UNet.
    _rewrite(directory / "text_encoder" / "config.json", dtype="float32")
    # Where the VAE was trained means nothing to whoever loads it.
    _rewrite(directory / "vae" / "config.json", _name_or_path="")
    for path in directory.rglob("*.safetensors"):
        path.chmod(0o644)


def _rewrite(config: Path, **changes: str) -> None:
    config.write_text(json.dumps(json.loads(config.read_text()) | changes, indent=2) + "\n")


def write_checksums(directory: Path) -> None:
    """Writes SHA256SUMS over every other file, in the format of `sha256sum -c`."""
    files = sorted(path for path in directory.rglob("*") if path.is_file() and path.name != CHECKSUMS)
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(directory)}\n" for path in files
    ]
    (directory / CHECKSUMS).write_text("".join(lines))
