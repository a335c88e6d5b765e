"""Pictures as arrays and as tensors, and how far two differ."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from tiny_base.data import Images


def to_tensor(images: Images) -> Tensor:
    """uint8 [n, h, w, 3] -> float [n, 3, h, w] in -1..1."""
    return torch.from_numpy(np.array(images)).permute(0, 3, 1, 2).float() / 127.5 - 1


def to_images(pixels: Tensor) -> Images:
    """float [n, 3, h, w] in -1..1 -> uint8 [n, h, w, 3]; what lies outside is clipped."""
    levels = ((pixels.float() + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
    images: Images = levels.permute(0, 2, 3, 1).cpu().numpy()
    return images


def decibels(pixels: Tensor, truth: Tensor) -> float:
    """Mean over pictures of the peak signal-to-noise ratio; both in -1..1."""
    error = ((pixels.clamp(-1, 1) - truth) / 2).square().flatten(1).mean(1)
    return float((-10 * torch.log10(error)).mean())
