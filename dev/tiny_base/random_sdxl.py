"""`python -m tiny_base.random_sdxl DIRECTORY`: an SDXL pipeline of random weights, for code paths and never for pictures.

It is the tiny base's sibling in shape: diffusers' own StableDiffusionXLPipeline with two tokenizers and two text
encoders (the second one with a projection, whose pooled output conditions the UNet), and with SDXL's added conditioning
of picture size and crop (Podell et al., 2307.01952, section 2.2; `addition_embed_type="text_time"`). Nothing was
trained: it draws noise, so it can show that code accepts or refuses this architecture and nothing about quality. The
same seed gives the same bytes, so its digest can be compared.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from diffusers.pipelines.stable_diffusion_xl.pipeline_stable_diffusion_xl import StableDiffusionXLPipeline
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

from tiny_base.architecture import build_scheduler, build_vae, text_configuration
from tiny_base.tokenizer import build_tokenizer

TEXT_WIDTHS = (32, 48)
"""Of the two encoders; cross-attention sees them side by side."""

POOLED_WIDTH = 40
TIME_ID_WIDTH = 8
TIME_IDS = 6
"""Original height and width, crop top and left, target height and width."""


def build_random_sdxl(seed: int = 0) -> StableDiffusionXLPipeline:
    """The pipeline, float32; torch's own generator is left as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        tokenizer = build_tokenizer()
        build: Any = StableDiffusionXLPipeline  # Its annotations leave out that parts are optional.
        pipeline: StableDiffusionXLPipeline = build(
            vae=build_vae(),
            text_encoder=CLIPTextModel(_text_config(tokenizer, TEXT_WIDTHS[0])),
            text_encoder_2=CLIPTextModelWithProjection(_text_config(tokenizer, TEXT_WIDTHS[1])),
            tokenizer=tokenizer,
            tokenizer_2=build_tokenizer(),
            unet=_unet(),
            scheduler=build_scheduler(),
            add_watermarker=False,
        )
    return pipeline


def save_random_sdxl(directory: Path, seed: int = 0) -> None:
    """Writes safetensors in diffusers' layout. The directory is made if it is not there."""
    build_random_sdxl(seed).save_pretrained(directory, safe_serialization=True)


def _text_config(tokenizer: CLIPTokenizer, width: int) -> CLIPTextConfig:
    return text_configuration(tokenizer, width, intermediate=2 * width, projection=POOLED_WIDTH)


def _unet() -> UNet2DConditionModel:
    unet: UNet2DConditionModel = UNet2DConditionModel(
        sample_size=16,
        block_out_channels=(16, 32),
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        layers_per_block=1,
        attention_head_dim=4,
        cross_attention_dim=sum(TEXT_WIDTHS),
        norm_num_groups=8,
        use_linear_projection=True,
        addition_embed_type="text_time",
        addition_time_embed_dim=TIME_ID_WIDTH,
        projection_class_embeddings_input_dim=POOLED_WIDTH + TIME_IDS * TIME_ID_WIDTH,
    )
    return unet


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tiny_base.random_sdxl",
        description="Write an SDXL pipeline of random weights: for code paths, not for pictures.",
    )
    parser.add_argument("directory", type=Path, help="a new directory, such as .cache/random-sdxl")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    if options.directory.exists():
        print(f"error: {options.directory} exists already; name a new directory", file=sys.stderr)
        return 1
    try:
        save_random_sdxl(options.directory, options.seed)
    except OSError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"a random SDXL pipeline, which draws noise, is in {options.directory}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
