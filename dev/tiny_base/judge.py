"""The judge: reads a synthetic person's attributes from a picture, so that likeness and prompt following are numbers.

A small convolutional network, trained on renders only (with blur, noise and shifts), never on generated pictures.
Whose picture it is follows from the identity attributes: the log-likelihood of a person is the sum of the log-
probabilities of that person's attribute values, and people are ranked by it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import safetensors.torch
import torch
from PIL import Image
from torch import Tensor, nn

from synthetic_people import ATTRIBUTES, IDENTITY_ATTRIBUTES, Person
from tiny_base.data import SIZE, Images
from tiny_base.pixels import to_tensor

_WEIGHTS = "model.safetensors"
_CONFIG = "config.json"
_BATCH = 64

Scores = dict[str, npt.NDArray[np.float32]]


class JudgeNetwork(nn.Module):
    """64 x 64 pictures in -1..1 to one vector of logits an attribute."""

    def __init__(self, width: int = 24) -> None:
        super().__init__()
        self.width = width
        self.features = nn.Sequential(
            *_block(3, width, stride=2),
            *_block(width, 2 * width, stride=2),
            *_block(2 * width, 2 * width, stride=1),
            *_block(2 * width, 4 * width, stride=2),
            nn.Conv2d(4 * width, 2 * width, 1),
            nn.Flatten(),
            nn.Dropout(0.1),
            nn.Linear(2 * width * 8 * 8, 128),
            nn.ReLU(),
        )
        self.heads = nn.ModuleDict({name: nn.Linear(128, len(values)) for name, values in ATTRIBUTES.items()})

    def forward(self, pixels: Tensor) -> dict[str, Tensor]:
        features = self.features(pixels)
        return {name: head(features) for name, head in self.heads.items()}


def _block(channels_in: int, channels_out: int, stride: int) -> tuple[nn.Module, ...]:
    convolution = nn.Conv2d(channels_in, channels_out, 3, stride, padding=1)
    return convolution, nn.GroupNorm(8, channels_out), nn.ReLU()


class Judge:
    """Reads attributes and ranks people.

    Args:
        network: A trained network; kept in evaluation mode.
    """

    def __init__(self, network: JudgeNetwork) -> None:
        self.network = network.eval()

    @classmethod
    def load(cls, directory: Path) -> Judge:
        """Reads what `save` wrote. Raises FileNotFoundError if it is not there, ValueError if it reads other values."""
        config = json.loads((directory / _CONFIG).read_text())
        if config["attributes"] != {name: list(values) for name, values in ATTRIBUTES.items()}:
            raise ValueError(f"the judge in {directory} was trained for other attributes: train it again")
        network = JudgeNetwork(config["width"])
        weights = safetensors.torch.load_file(directory / _WEIGHTS)
        network.load_state_dict({name: value.float() for name, value in weights.items()})
        return cls(network)

    def save(self, directory: Path) -> None:
        """Writes weights (fp16 safetensors) and what they mean."""
        directory.mkdir(parents=True, exist_ok=True)
        weights = {name: value.half().contiguous() for name, value in self.network.state_dict().items()}
        (directory / _WEIGHTS).write_bytes(safetensors.torch.save(weights))
        config = {"width": self.network.width, "attributes": ATTRIBUTES}
        (directory / _CONFIG).write_text(json.dumps(config, indent=2) + "\n")

    @torch.no_grad()
    def scores(self, pictures: Sequence[Image.Image] | Images) -> Scores:
        """Log-probabilities: attribute -> float32 [n, values]. PIL pictures of any size are shrunk to 64 x 64."""
        images = pictures if isinstance(pictures, np.ndarray) else _shrunk(pictures)
        parts: dict[str, list[Tensor]] = {name: [] for name in ATTRIBUTES}
        for start in range(0, len(images), _BATCH):
            logits = self.network(to_tensor(images[start : start + _BATCH]))
            for name, values in logits.items():
                parts[name].append(values.log_softmax(1))
        return {name: torch.cat(values).numpy() for name, values in parts.items()}

    def read(self, pictures: Sequence[Image.Image] | Images) -> list[dict[str, str]]:
        """The likeliest value of every attribute, a dict a picture."""
        scores = self.scores(pictures)
        return [
            {name: ATTRIBUTES[name][int(scores[name][index].argmax())] for name in ATTRIBUTES}
            for index in range(len(pictures))
        ]

    def ranks(
        self, pictures: Sequence[Image.Image] | Images, subject: Person, among: Sequence[Person]
    ) -> npt.NDArray[np.int64]:
        """The subject's rank for each picture, 1 = likeliest of all, against `among` (who may include the subject)."""
        scores = self.scores(pictures)
        likelihood = np.stack([_likelihood(scores, person) for person in among if person != subject], 1)
        ranks: npt.NDArray[np.int64] = 1 + (likelihood >= _likelihood(scores, subject)[:, None]).sum(1)
        return ranks


def _likelihood(scores: Scores, person: Person) -> npt.NDArray[np.float32]:
    attributes = person.attributes()
    columns = [
        scores[name][:, values.index(attributes[name])] for name, values in IDENTITY_ATTRIBUTES.items()
    ]
    total: npt.NDArray[np.float32] = np.sum(columns, axis=0)
    return total


def _shrunk(pictures: Sequence[Image.Image]) -> Images:
    resized = [picture.convert("RGB").resize((SIZE, SIZE), Image.Resampling.LANCZOS) for picture in pictures]
    return np.stack([np.asarray(picture) for picture in resized])
