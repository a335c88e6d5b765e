"""What is saved is what was trained, to half precision; a layer dropped on the way would show in the pictures."""

from pathlib import Path

import numpy as np
import pytest
import torch

from avatar_workers.artifact.lora_weights import read_lora_weights
from avatar_workers.base_model.pipeline import BaseModel
from avatar_workers.training.lora import lora_on_base


def predict(base: BaseModel) -> torch.Tensor:
    """What the base, with whatever is on it, predicts for one fixed latent and prompt."""
    pipeline = base.pipeline
    latents = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        words = pipeline.encode_prompt("a photo of sks person", base.device, 1, False)[0]
        prediction: torch.Tensor = pipeline.unet(latents, 500, encoder_hidden_states=words).sample
    return prediction


@pytest.mark.parametrize("train_text_encoder", [False, True])
def test_a_saved_lora_predicts_after_loading_what_it_did_before_saving(
    base: BaseModel, tmp_path: Path, train_text_encoder: bool
) -> None:
    untouched = predict(base)
    with lora_on_base(base, rank=4, train_text_encoder=train_text_encoder, seed=0) as lora:
        generator = torch.Generator().manual_seed(1)
        for parameter in lora.parameters():
            parameter.data += 0.1 * torch.randn(parameter.shape, generator=generator)
        trained = predict(base)
        lora.save(tmp_path)
        layers = len(lora.parameters())
    assert len(read_lora_weights(tmp_path / "pytorch_lora_weights.safetensors", max_rank=4).tensors) == layers
    base.pipeline.load_lora_weights(tmp_path, use_safetensors=True, local_files_only=True)
    try:
        loaded = predict(base)
    finally:
        base.pipeline.unload_lora_weights()
    effect = (trained - untouched).abs().mean()
    assert effect > 0.01
    np.testing.assert_allclose(loaded, trained, atol=0.02 * float(effect), rtol=0)


def test_it_begins_as_nothing_and_leaves_nothing(base: BaseModel) -> None:
    untouched = predict(base)
    with lora_on_base(base, rank=4, train_text_encoder=True, seed=0):
        assert torch.equal(predict(base), untouched)
    assert torch.equal(predict(base), untouched)


def test_the_base_comes_back_when_something_fails(base: BaseModel) -> None:
    untouched = predict(base)

    def fail_half_way() -> None:
        with lora_on_base(base, rank=4, train_text_encoder=True, seed=0) as lora:
            for parameter in lora.parameters():
                parameter.data += 1
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_half_way()
    assert torch.equal(predict(base), untouched)
