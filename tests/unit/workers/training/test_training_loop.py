"""What the training loop teaches the LoRA, and what it keeps from it.

How fast a part learns is seen in one step: Adam moves no weight further in it than the part's learning rate.
"""

from dataclasses import replace

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


CLASS_PROMPT = "a photo of a person"


def with_prior(weight: float, steps: int) -> TrainingSettings:
    prior = PriorPreservationSettings(weight=weight, num_class_images=2)
    return SETTINGS.model_copy(update={"prior_preservation": prior, "steps": steps})


@pytest.fixture
def examples_with_class(examples: TrainingSet) -> TrainingSet:
    return replace(
        examples, class_latents=torch.randn(2, 4, 16, 16, generator=torch.Generator().manual_seed(2))
    )


def drawn_to(base: BaseModel, prompt: str, photos: PhotoLatents | None = None) -> torch.Tensor:
    """What the UNet predicts under this prompt: of photos with much noise on them, or of noise alone."""
    noise = torch.randn(2, 4, 16, 16, generator=torch.Generator().manual_seed(1))
    latents = noise if photos is None else 0.5 * photos.mean + 0.85 * noise
    embeddings = base.pipeline.encode_prompt([prompt] * len(latents), base.device, 1, False)[0]
    prediction: torch.Tensor = base.pipeline.unet(latents, 500, encoder_hidden_states=embeddings).sample
    return prediction


def test_class_images_are_already_as_the_base_would_have_them_when_training_begins(
    base: BaseModel, examples_with_class: TrainingSet
) -> None:
    losses = []
    for weight in (1.0, 100.0):
        with lora_on_base(base, rank=4, train_text_encoder=True, seed=0) as lora:
            losses.append(train_lora(lora, examples_with_class, with_prior(weight, steps=1), lambda _: None))
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)


@pytest.mark.parametrize("place", ["of noise", "of the photos"])
def test_the_class_stays_nearer_to_what_the_base_predicts_with_prior_preservation(
    base: BaseModel, examples: TrainingSet, examples_with_class: TrainingSet, place: str
) -> None:
    of = examples.photos if place == "of the photos" else None
    moved = []
    for given in (examples, examples_with_class):
        with lora_on_base(base, rank=4, train_text_encoder=True, seed=0) as lora, torch.no_grad():
            before = drawn_to(base, CLASS_PROMPT, of)
            with torch.enable_grad():
                train_lora(lora, given, with_prior(10.0, steps=40), lambda _: None)
            moved.append(float((drawn_to(base, CLASS_PROMPT, of) - before).square().mean()))
    without, kept = moved
    assert kept < without / 2


def test_the_lora_works_again_after_the_base_was_asked(base: BaseModel, examples: TrainingSet) -> None:
    with lora_on_base(base, rank=4, train_text_encoder=True, seed=0) as lora, torch.no_grad():
        untouched = drawn_to(base, CLASS_PROMPT)
        with torch.enable_grad():
            train_lora(lora, examples, with_prior(1.0, steps=5), lambda _: None)
        trained = drawn_to(base, CLASS_PROMPT)
        with lora.switched_off():
            assert torch.equal(drawn_to(base, CLASS_PROMPT), untouched)
        assert torch.equal(drawn_to(base, CLASS_PROMPT), trained)
        assert not torch.equal(trained, untouched)
        assert all(parameter.requires_grad for parameter in lora.parameters())
