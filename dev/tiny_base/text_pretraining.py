"""Teaches the text encoder alone what captions name, before any picture is drawn.

From the hidden states at and after the end token, linear heads predict every attribute's value, or that the caption
does not name it. It takes minutes and no pictures; without it the UNet was seen to ignore prompts for as long as the
text features carried nothing, and the text encoder to learn nothing for as long as the UNet ignored it.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

import torch
import torch.nn.functional as F  # noqa: N812 (torch's own convention)
from torch import Tensor, nn
from transformers import CLIPTokenizer

from synthetic_people import ATTRIBUTES, Person, PhotoAttributes, random_caption
from tiny_base.architecture import TEXT_WIDTH, build_text_encoder
from tiny_base.tokenizer import build_tokenizer


def tokenize(tokenizer: CLIPTokenizer, captions: Sequence[str]) -> Tensor:
    """int64 [n, 40], padded as StableDiffusionPipeline pads."""
    ids: Tensor = tokenizer(
        list(captions), padding="max_length", truncation=True, return_tensors="pt"
    ).input_ids
    return ids


def build_text_stage(device: torch.device) -> TextStage:
    """The stage factory; it needs nothing but the device."""
    return TextStage(device)


class TextStage:
    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.tokenizer = build_tokenizer()
        classes = [len(values) + 1 for values in ATTRIBUTES.values()]
        self.text_encoder = build_text_encoder(self.tokenizer)
        # The backward pass of fused attention is slow on a CPU; nothing of this is saved.
        self.text_encoder.set_attn_implementation("eager")
        self.heads = nn.Linear(TEXT_WIDTH, sum(classes))
        self.modules: nn.Module = nn.ModuleDict({"text_encoder": self.text_encoder, "heads": self.heads}).to(
            device
        )
        self.classes = classes

    def parameter_groups(self) -> list[tuple[list[nn.Parameter], float]]:
        return [(list(self.modules.parameters()), 1.0)]

    def loss(
        self, step: int, progress: float, batch: int, generator: torch.Generator
    ) -> tuple[Tensor, dict[str, float]]:
        logits, targets = self._predict(batch, generator)
        losses = [F.cross_entropy(part, target) for part, target in zip(logits, targets.T, strict=True)]
        named = targets != 0
        right = torch.stack([part.argmax(1) for part in logits], 1) == targets
        return torch.stack(losses).mean(), {"named_accuracy": float(right[named].float().mean())}

    @torch.no_grad()
    def report(self, step: int) -> dict[str, float]:
        _, figures = self.loss(step, 1.0, 512, torch.Generator().manual_seed(-1))
        return {"fresh_captions_" + name: round(value, 4) for name, value in figures.items()}

    def _predict(self, batch: int, generator: torch.Generator) -> tuple[list[Tensor], Tensor]:
        rng = random.Random(int(torch.randint(2**62, (1,), generator=generator)))
        captions, targets = [], []
        for _ in range(batch):
            attributes = Person.random(rng).attributes() | PhotoAttributes.random(rng).attributes()
            caption, named = random_caption(attributes, rng, rng.randint(1, len(attributes)))
            captions.append(caption)
            targets.append(
                [
                    values.index(attributes[name]) + 1 if name in named else 0
                    for name, values in ATTRIBUTES.items()
                ]
            )
        ids = tokenize(self.tokenizer, captions).to(self.device)
        hidden = self.text_encoder(ids).last_hidden_state
        ends = (ids == self.tokenizer.eos_token_id).int().argmax(1)
        # Any position from the end token on: the UNet attends to the padding as well.
        spread = torch.rand(batch, generator=generator).to(self.device) * (ids.shape[1] - ends)
        chosen = hidden[torch.arange(batch, device=self.device), ends + spread.long()]
        logits = list(self.heads(chosen).split(self.classes, 1))
        return logits, torch.tensor(targets, device=self.device)
