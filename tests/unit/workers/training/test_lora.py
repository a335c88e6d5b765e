"""What is saved is what diffusers reads: every layer of it."""

from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import StableDiffusionPipeline
from safetensors.torch import load_file

from avatar_workers.base_model.pipeline import BaseModel
from avatar_workers.training.lora import ADAPTER_NAME, lora_on_base


@pytest.fixture
def saved(base: BaseModel, tmp_path: Path) -> tuple[Path, int, torch.Tensor]:
    """A LoRA whose every layer does something: its directory, how many UNet layers it has, what the UNet then says."""
    with lora_on_base(base, rank=2, train_text_encoder=True, seed=1) as lora:
        with torch.no_grad():
            for parameter in lora.parameters():
                parameter.copy_(torch.randn_like(parameter) * 0.05)
        lora.save(tmp_path)
        return tmp_path, _adapted_layers(base.pipeline.unet), _noise(base.pipeline.unet)


def test_diffusers_takes_every_layer_of_a_saved_lora(
    saved: tuple[Path, int, torch.Tensor], base_directory: Path
) -> None:
    directory, layers, said = saved
    pipeline: Any = StableDiffusionPipeline.from_pretrained(base_directory, local_files_only=True)
    pipeline.load_lora_weights(directory, adapter_name=ADAPTER_NAME)
    assert _adapted_layers(pipeline.unet) == layers
    torch.testing.assert_close(_noise(pipeline.unet), said, atol=2e-3, rtol=1e-2)


def test_a_saved_lora_has_half_precision_weights_for_both_models(
    saved: tuple[Path, int, torch.Tensor],
) -> None:
    weights = load_file(saved[0] / "pytorch_lora_weights.safetensors")
    assert {tensor.dtype for tensor in weights.values()} == {torch.float16}
    assert {name.split(".")[0] for name in weights} == {"unet", "text_encoder"}


def _adapted_layers(unet: torch.nn.Module) -> int:
    return sum(1 for module in unet.modules() if ADAPTER_NAME in getattr(module, "lora_A", {}))


def _noise(unet: Any) -> torch.Tensor:
    generator = torch.Generator().manual_seed(7)
    size = unet.config.sample_size
    sample = torch.randn(1, unet.config.in_channels, size, size, generator=generator)
    words = torch.randn(1, 8, unet.config.cross_attention_dim, generator=generator)
    with torch.no_grad():
        predicted: torch.Tensor = unet(sample, 500, words).sample
    return predicted
