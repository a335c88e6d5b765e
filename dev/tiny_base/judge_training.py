"""Trains the judge on renders: cross-entropy of every attribute, on pictures made a little worse than renders are.

Generated pictures are softer and noisier than renders; random blur, noise, brightness and shifts keep the judge from
relying on pixel-sharp edges, without ever showing it a generated picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F  # noqa: N812 (torch's own convention)
from torch import Tensor, nn

from synthetic_people import ATTRIBUTES
from tiny_base.data import Images, Labels, render_held_out_data, render_pretraining_data
from tiny_base.judge import Judge, JudgeNetwork
from tiny_base.pixels import to_tensor


@dataclass(frozen=True)
class JudgeStageFactory:
    """Builds the stage in each process from the rendered files."""

    data: Path
    count: int
    seed: int

    def __call__(self, device: torch.device) -> JudgeStage:
        images, labels = render_pretraining_data(self.data, self.count, self.seed, processes=1)
        return JudgeStage(images, labels, device)


class JudgeStage:
    def __init__(self, images: Images, labels: Labels, device: torch.device) -> None:
        self.network = JudgeNetwork().to(device)
        self.modules: nn.Module = self.network
        self.images, self.labels, self.device = images, labels, device

    def parameter_groups(self) -> list[tuple[list[nn.Parameter], float]]:
        return [(list(self.network.parameters()), 1.0)]

    def loss(
        self, step: int, progress: float, batch: int, generator: torch.Generator
    ) -> tuple[Tensor, dict[str, float]]:
        indices = torch.randint(len(self.images), (batch,), generator=generator).sort().values.numpy()
        pixels = worsened(to_tensor(self.images[indices]), generator).to(self.device)
        targets = torch.from_numpy(self.labels[indices]).long().to(self.device)
        logits = self.network(pixels)
        losses = [F.cross_entropy(logits[name], targets[:, column]) for column, name in enumerate(ATTRIBUTES)]
        return torch.stack(losses).sum(), {}

    def report(self, step: int) -> dict[str, float]:
        images, labels = render_held_out_data(300, seed=3)
        scores = Judge(self.network).scores(images)
        right = {
            name: (scores[name].argmax(1) == labels[:, column]).mean()
            for column, name in enumerate(ATTRIBUTES)
        }
        return {name: round(float(share), 4) for name, share in right.items()}


def worsened(pixels: Tensor, generator: torch.Generator) -> Tensor:
    """A batch [n, 3, h, w] with, each at random: a shift of up to 3 pixels, blur, brightness, contrast, noise."""
    count = len(pixels)
    down, right = (int(value) for value in torch.randint(-3, 4, (2,), generator=generator))
    padded = F.pad(pixels, (3, 3, 3, 3), mode="replicate")
    height, width = pixels.shape[-2:]
    pixels = padded[..., 3 + down : 3 + down + height, 3 + right : 3 + right + width]
    soft = F.avg_pool2d(F.pad(pixels, (1, 1, 1, 1), mode="replicate"), 3, stride=1)
    blur, contrast, brightness, noise = torch.rand((4, count, 1, 1, 1), generator=generator)
    pixels = pixels + blur * (soft - pixels)
    pixels = pixels * (0.85 + 0.3 * contrast) + 0.2 * (brightness - 0.5)
    worse: Tensor = pixels + 0.12 * noise * torch.randn(pixels.shape, generator=generator)
    return worse
