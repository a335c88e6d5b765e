"""DreamBooth on latents: denoise the person under their own word, and the class under its old one.

Each step draws `batch_size` photos and as many samples of the class, noises them at random times, and takes one AdamW step
on the weighted mean squared error of both (Ruiz et al., 2208.12242, equation 2; `denoising.py`).
The class's samples are class images and the photos themselves, and under the class's prompt they are not to be denoised as
they were made, but as the base would denoise them (learning without forgetting: Li and Hoiem, 1606.09282). The photos are
where "a person" would turn into this person, so there above all it must stay what it was; the base's answer has no noise
of its own, and asking for it costs little: a forward pass of half the batch with the LoRA off, for several steps at once.
On the tiny base this brought the person's rank among a hundred in pictures of "a person" from 44 back to the base's 50.
The learning rate rises over the first 5 % and then falls along a cosine. The text encoder learns at a share of it: it must
give the person's word a meaning, and not one that drowns the words after it. On the tiny base, one rate for both gave a
likeness at every place but the one asked for, and a frozen text encoder made everybody look a little like the person;
shares of .15, .20, .225 and .25 gave eight people .84, .88, .94 and .96 of their identity attributes, and .98, .94, .94 and
.81 of the places that were asked for.
Everything random comes from one generator on the CPU: the same request gives the same weights on the same machine.
"""

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from diffusers.optimization import get_cosine_schedule_with_warmup

from avatar_api.documents.training import TrainingSettings
from avatar_workers.errors import WorkerFailure
from avatar_workers.training.denoising import Denoising, NoisyLatents
from avatar_workers.training.latents import PhotoLatents
from avatar_workers.training.lora import LoraOnBase

TEXT_ENCODER_RATE_SHARE = 0.225
WARM_UP_SHARE = 0.05
MAX_GRADIENT_NORM = 1.0
WEIGHT_DECAY = 1e-4
FINAL_LOSS_SHARE = 0.1
CLASS_IMAGES_AT_ONCE = 16


@dataclass(frozen=True)
class TrainingSet:
    """What is learned from. `class_latents` are of the class images; None without prior preservation."""

    photos: PhotoLatents
    instance_prompt: str
    class_latents: torch.Tensor | None
    class_prompt: str


def train_lora(
    lora: LoraOnBase, examples: TrainingSet, settings: TrainingSettings, on_step: Callable[[int], None]
) -> float:
    """Train the LoRA in place.

    Args:
        lora: on its base.
        examples: photos and class images as latents.
        settings: hyperparameters.
        on_step: told after each step how many are done. May raise to stop.

    Returns:
        The mean loss of the last tenth of the steps.

    Raises:
        WorkerFailure: TrainingDiverged, if the loss or a weight is no finite number.
    """
    generator = torch.Generator().manual_seed(settings.seed)
    parameters = lora.parameters()
    optimizer = torch.optim.AdamW(_parameter_groups(lora, settings), weight_decay=WEIGHT_DECAY)
    schedule = get_cosine_schedule_with_warmup(
        optimizer, math.ceil(settings.steps * WARM_UP_SHARE), settings.steps
    )
    step_loss = _StepLoss(lora, examples, settings, generator)
    losses: list[float] = []
    for step in range(1, settings.steps + 1):
        loss = step_loss.compute()
        losses.append(loss.item())
        if not math.isfinite(losses[-1]):
            raise _diverged(step)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(parameters, MAX_GRADIENT_NORM)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad(set_to_none=True)
        on_step(step)
    if not all(bool(parameter.isfinite().all()) for parameter in parameters):
        raise _diverged(settings.steps)
    last = losses[-max(1, round(settings.steps * FINAL_LOSS_SHARE)) :]
    return sum(last) / len(last)


def _parameter_groups(lora: LoraOnBase, settings: TrainingSettings) -> list[dict[str, Any]]:
    """The UNet's LoRA at the learning rate asked for, the text encoder's at a share of it."""
    groups: list[dict[str, Any]] = []
    for model in lora.models():
        share = TEXT_ENCODER_RATE_SHARE if model is lora.base.pipeline.text_encoder else 1.0
        groups.append({"params": lora.parameters_of(model), "lr": settings.learning_rate * share})
    return groups


class _StepLoss:
    """One step's loss, as a tensor to be differentiated."""

    def __init__(
        self, lora: LoraOnBase, examples: TrainingSet, settings: TrainingSettings, generator: torch.Generator
    ) -> None:
        self._lora = lora
        self._base = lora.base
        self._examples = examples
        self._settings = settings
        self._generator = generator
        self._denoising = Denoising(lora.base, generator)
        self._photo_indices = _shuffled_for_ever(len(examples.photos.mean), generator)
        with torch.no_grad(), lora.switched_off():
            self._base_embeddings = self._encode_prompts()
        self._class_examples = (
            None
            if examples.class_latents is None
            else self._as_the_base_predicts(torch.cat([examples.class_latents, examples.photos.mean]))
        )

    def compute(self) -> torch.Tensor:
        count = self._settings.batch_size
        photos = self._examples.photos.sample(_take(self._photo_indices, count), self._generator)
        noisy = self._denoising.noised(photos)
        if self._class_examples is not None:
            noisy = noisy.followed_by(next(self._class_examples))
        embeddings = self._encode_prompts() if self._lora.with_text_encoder else self._base_embeddings
        per_sample = embeddings.repeat_interleave(count, dim=0)[: len(noisy)]
        errors = self._denoising.errors(self._denoising.predict(noisy, per_sample), noisy)
        loss = errors[:count].mean()
        if self._class_examples is not None:
            loss = loss + self._settings.prior_preservation.weight * errors[count:].mean()
        return loss

    def _as_the_base_predicts(self, class_latents: torch.Tensor) -> Iterator[NoisyLatents]:
        """The class's samples of one step after the other. The base is asked for several steps at once, which is cheaper."""
        count = self._settings.batch_size
        steps = max(1, CLASS_IMAGES_AT_ONCE // count)
        indices = _shuffled_for_ever(len(class_latents), self._generator)
        while True:
            noisy = self._denoising.noised(class_latents[_take(indices, steps * count)])
            with torch.no_grad(), self._lora.switched_off():
                by_base = self._denoising.predict(noisy, self._base_embeddings[1:].expand(len(noisy), -1, -1))
            rows = [torch.split(each, count) for each in (noisy.latents, noisy.times, by_base)]
            yield from itertools.starmap(NoisyLatents, zip(*rows, strict=True))

    def _encode_prompts(self) -> torch.Tensor:
        pipeline = self._base.pipeline
        device = self._base.device
        with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
            embeddings: torch.Tensor = pipeline.encode_prompt(
                [self._examples.instance_prompt, self._examples.class_prompt], device, 1, False
            )[0]
        return embeddings


def _shuffled_for_ever(count: int, generator: torch.Generator) -> Iterator[int]:
    """Every index once in each round, each round in another order."""
    while True:
        yield from torch.randperm(count, generator=generator).tolist()


def _take(indices: Iterator[int], count: int) -> torch.Tensor:
    return torch.tensor([next(indices) for _ in range(count)])


def _diverged(step: int) -> WorkerFailure:
    return WorkerFailure(
        "TrainingDiverged",
        f"the training diverged at step {step} (a value that is no number); lower the learning rate",
    )
