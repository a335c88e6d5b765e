"""The networks of the tiny base: diffusers' and transformers' own classes, only small.

The sizes come from measurements on CPU: latents of 16 x 16 (a VAE with factor 4) keep glasses and moustaches that a
factor of 8 loses, and an 8 x 8 UNet would not be faster; attention sits at 8 x 8 and 4 x 4, where it is cheap.
"""

from __future__ import annotations

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from diffusers.schedulers.scheduling_ddim import DDIMScheduler
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from tiny_base.tokenizer import MAX_LENGTH, RARE_TOKENS

TEXT_WIDTH = 128
LATENT_SCALE = 0.18215
"""SD 1.5's scaling factor; `vae_training` folds the standardisation of the latents into the VAE so that it holds."""


_RARE_TOKEN_FACTOR = 4.0
"""How much longer the embeddings of `RARE_TOKENS` are than an initial one."""


def build_vae() -> AutoencoderKL:
    """64 x 64 x 3 pictures to 16 x 16 x 4 latents and back."""
    vae: AutoencoderKL = AutoencoderKL(
        sample_size=64,
        block_out_channels=(16, 32, 64),
        down_block_types=("DownEncoderBlock2D",) * 3,
        up_block_types=("UpDecoderBlock2D",) * 3,
        layers_per_block=1,
        norm_num_groups=8,
        latent_channels=4,
        scaling_factor=LATENT_SCALE,
    )
    return vae


def build_text_encoder(tokenizer: CLIPTokenizer) -> CLIPTextModel:
    """Two-layer CLIP text transformer for this tokenizer's vocabulary.

    No caption uses the rare tokens, so their embeddings stay as they begin, and short ones leave "sks person" nearly
    "a person" to the UNet: DreamBooth then has to move the whole text encoder to tell them apart, and the words behind
    the subject suffer (places followed fell from 1.0 to 0.1 where the likeness was right). Long ones differ from the
    first step.
    """
    text_encoder = CLIPTextModel(
        text_configuration(tokenizer, TEXT_WIDTH, intermediate=4 * TEXT_WIDTH, projection=TEXT_WIDTH)
    )
    rare = tokenizer.convert_tokens_to_ids([f"{token}</w>" for token in RARE_TOKENS])
    with torch.no_grad():
        text_encoder.embeddings.token_embedding.weight[rare] *= _RARE_TOKEN_FACTOR
    return text_encoder


def text_configuration(
    tokenizer: CLIPTokenizer, width: int, *, intermediate: int, projection: int
) -> CLIPTextConfig:
    """Two layers of four heads over this tokenizer's vocabulary.

    Args:
        width: of the hidden states.
        intermediate: width inside the feed-forward layers.
        projection: width of the pooled output, where a model has one.
    """
    return CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=width,
        intermediate_size=intermediate,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=MAX_LENGTH,
        hidden_act="quick_gelu",
        projection_dim=projection,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )


def build_unet() -> UNet2DConditionModel:
    """Noise prediction on 16 x 16 x 4 latents, conditioned on text by cross-attention."""
    unet: UNet2DConditionModel = UNet2DConditionModel(
        sample_size=16,
        block_out_channels=(64, 128, 128),
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        layers_per_block=1,
        attention_head_dim=4,
        cross_attention_dim=TEXT_WIDTH,
        norm_num_groups=16,
    )
    return unet


def build_scheduler() -> DDIMScheduler:
    """SD 1.5's schedule and prediction type, unchanged."""
    scheduler: DDIMScheduler = DDIMScheduler(
        num_train_timesteps=1000,
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        prediction_type="epsilon",
        steps_offset=1,
        set_alpha_to_one=False,
        clip_sample=False,
    )
    return scheduler
