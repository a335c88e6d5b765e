"""How good the judge, the VAE and the base are on held-out people; `make bench-quality` prints what this returns.

Every figure of the model cards comes from here. Prompt following draws held-out captions that name three or four
attributes and asks the judge about exactly the named ones; beside it stands what guessing the commonest value of each
attribute would score.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import diffusers
import numpy as np
import torch
import transformers
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import StableDiffusionPipeline

from synthetic_people import ATTRIBUTES, held_out_people, random_caption
from tiny_base.data import Images, attributes_of, render_held_out_data
from tiny_base.judge import Judge
from tiny_base.pixels import decibels, to_images, to_tensor

_BATCH = 16

Expectation = Mapping[str, str]
"""The attributes a picture ought to have: all it shows, or only the ones its caption names."""


@dataclass(frozen=True)
class ReadingFigures:
    """What the judge reads in pictures of which everything is known; shares of pictures.

    Attributes:
        by_attribute: attributes read right.
        rank_one: the person at rank 1 among the held-out people.
    """

    by_attribute: Mapping[str, float]
    rank_one: float


@dataclass(frozen=True)
class RoundTripFigures:
    """Pictures encoded and decoded again by the VAE: what the judge reads in them, and the mean signal-to-noise ratio."""

    reading: ReadingFigures
    decibels: float


@dataclass(frozen=True)
class PromptFigures:
    """Shares of pictures that show what their caption names, beside chance, and seconds a picture."""

    followed: Mapping[str, float]
    chance: Mapping[str, float]
    seconds_per_picture: float


def accuracy(read: Sequence[Mapping[str, str]], expected: Sequence[Expectation]) -> dict[str, float]:
    """Share of right readings per attribute, over the pictures that are expected to have it."""
    right: dict[str, list[bool]] = {name: [] for name in ATTRIBUTES}
    for reading, expectation in zip(read, expected, strict=True):
        for name, value in expectation.items():
            right[name].append(reading[name] == value)
    return {name: float(np.mean(hits)) for name, hits in right.items() if hits}


def chance(expected: Sequence[Expectation]) -> dict[str, float]:
    """What always guessing the commonest expected value would score, per attribute."""
    values: dict[str, Counter[str]] = {name: Counter() for name in ATTRIBUTES}
    for expectation in expected:
        for name, value in expectation.items():
            values[name][value] += 1
    return {name: max(count.values()) / count.total() for name, count in values.items() if count}


def measure_judge(judge: Judge, count: int = 1000) -> ReadingFigures:
    """Attributes and identity on real renders of held-out people."""
    images, labels = render_held_out_data(count, seed=11)
    return _reading(judge, images, [attributes_of(row) for row in labels])


def measure_round_trip(pipeline: StableDiffusionPipeline, judge: Judge, count: int = 500) -> RoundTripFigures:
    """Round trip of held-out renders through the VAE: decibels, and the attributes that the judge still reads."""
    images, labels = render_held_out_data(count, seed=12)
    drawn = []
    with torch.no_grad():
        for start in range(0, count, 50):
            pixels = to_tensor(images[start : start + 50])
            drawn.append(pipeline.vae.decode(pipeline.vae.encode(pixels).latent_dist.mean).sample)
    back = torch.cat(drawn)
    reading = _reading(judge, to_images(back), [attributes_of(row) for row in labels])
    return RoundTripFigures(reading, decibels(back, to_tensor(images)))


def measure_prompts(
    pipeline: StableDiffusionPipeline,
    judge: Judge,
    count: int,
    steps: int,
    guidance: float,
    on_drawn: Callable[[int], None] = lambda _: None,
) -> PromptFigures:
    """Prompt following on held-out captions that name three or four attributes.

    Args:
        pipeline: the base.
        judge: reads the pictures.
        count: how many captions, one picture each.
        steps: denoising steps.
        guidance: scale of classifier-free guidance.
        on_drawn: told after each batch how many pictures are done.
    """
    rng = random.Random(13)
    _, labels = render_held_out_data(count, seed=13)
    captions, expected = [], []
    for row in labels:
        attributes = attributes_of(row)
        caption, named = random_caption(attributes, rng, rng.choice((3, 4)))
        captions.append(caption)
        expected.append({name: attributes[name] for name in named})
    started = time.monotonic()
    pictures = draw(pipeline, captions, steps=steps, guidance=guidance, seed=13, on_drawn=on_drawn)
    seconds = time.monotonic() - started
    return PromptFigures(accuracy(judge.read(pictures), expected), chance(expected), seconds / count)


def draw(
    pipeline: StableDiffusionPipeline,
    prompts: Sequence[str],
    steps: int,
    guidance: float,
    seed: int,
    on_drawn: Callable[[int], None] = lambda _: None,
) -> Images:
    """Draws one picture a prompt, in batches of 16, each from a seed of its own; uint8 [n, 64, 64, 3]."""
    pipeline.set_progress_bar_config(disable=True)
    parts = []
    for start in range(0, len(prompts), _BATCH):
        batch = list(prompts[start : start + _BATCH])
        generators = [
            torch.Generator().manual_seed(seed * 100_000 + start + index) for index in range(len(batch))
        ]
        drawn = pipeline(
            batch, num_inference_steps=steps, guidance_scale=guidance, generator=generators,
            width=64, height=64, output_type="np",
        ).images  # fmt: skip
        parts.append((drawn * 255).round().astype(np.uint8))
        on_drawn(start + len(batch))
    return np.concatenate(parts)


def load_base(directory: Path) -> StableDiffusionPipeline:
    """The base as anybody would load it: float32, local files, safetensors."""
    # Progress bars of loading would stand between the lines of a report.
    diffusers.utils.logging.disable_progress_bar()
    transformers.utils.logging.disable_progress_bar()
    return StableDiffusionPipeline.from_pretrained(directory, use_safetensors=True, local_files_only=True)


def _reading(judge: Judge, images: Images, truth: Sequence[Mapping[str, str]]) -> ReadingFigures:
    return ReadingFigures(accuracy(judge.read(images), truth), _rank_one(judge, images, truth))


def _rank_one(judge: Judge, images: Images, truth: Sequence[Mapping[str, str]]) -> float:
    people = held_out_people()
    hits = []
    for person in people:
        mine = [
            index
            for index, attributes in enumerate(truth)
            if all(attributes[name] == value for name, value in person.attributes().items())
        ]
        if mine:
            hits += list(judge.ranks(images[mine], person, people) == 1)
    return float(np.mean(hits))
