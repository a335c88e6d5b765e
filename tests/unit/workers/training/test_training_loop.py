"""How fast each part of the LoRA learns: Adam moves no weight further in one step than its learning rate."""

import pytest
import torch

from avatar_api.documents.training import PriorPreservationSettings, TrainingSettings
from avatar_workers.base_model.pipeline import BaseModel
from avatar_workers.training.latents import PhotoLatents
from avatar_workers.training.lora import lora_on_base
from avatar_workers.training.training_loop import TEXT_ENCODER_RATE_SHARE, TrainingSet, train_lora

RATE = 1e-3
SETTINGS = TrainingSettings(
    method="LoRA",
    # The schedule's first step has a rate of zero; the second is the first that moves.
    steps=2,
    batch_size=1,
    learning_rate=RATE,
    rank=4,
    resolution=64,
    text_encoder="Train",
    prior_preservation=PriorPreservationSettings(weight=1.0, num_class_images=0),
    seed=0,
)


@pytest.fixture
def examples() -> TrainingSet:
    latents = torch.randn(2, 4, 16, 16, generator=torch.Generator().manual_seed(0))
    return TrainingSet(
        PhotoLatents(latents, torch.zeros_like(latents)), "a photo of sks person", None, "a photo of a person"
    )


def test_the_text_encoder_learns_at_a_share_of_the_unets_rate(base: BaseModel, examples: TrainingSet) -> None:
    with lora_on_base(base, rank=4, train_text_encoder=True, seed=0) as lora:
        before = {id(parameter): parameter.detach().clone() for parameter in lora.parameters()}
        train_lora(lora, examples, SETTINGS, lambda _: None)
        unet, text_encoder = (
            max(float((p.detach() - before[id(p)]).abs().max()) for p in lora.parameters_of(model))
            for model in lora.models()
        )
    assert 0.5 * RATE < unet <= 1.1 * RATE
    assert 0.5 * TEXT_ENCODER_RATE_SHARE * RATE < text_encoder <= 1.1 * TEXT_ENCODER_RATE_SHARE * RATE
