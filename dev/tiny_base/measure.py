"""`python -m tiny_base.measure judge|vae|prompts`: how good the judge, the VAE and the base are, on held-out people.

Every figure of the model cards comes from here. Prompt following draws held-out captions that name three or four
attributes and asks the judge about exactly the named ones; beside it stands what guessing the commonest value of each
attribute would score.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import StableDiffusionPipeline

from synthetic_people import ATTRIBUTES, IDENTITY_ATTRIBUTES, held_out_people, random_caption
from tiny_base.data import Images, attributes_of, render_held_out_data
from tiny_base.judge import Judge
from tiny_base.pixels import decibels, to_images, to_tensor
from tiny_base.sample_sheet import save_sheet

Expectation = Mapping[str, str]
"""The attributes a picture ought to have: all it shows, or only the ones its caption names."""


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


def measure_judge(judge: Judge, count: int = 1000) -> None:
    """Attributes and identity on real renders of held-out people."""
    images, labels = render_held_out_data(count, seed=11)
    truth = [attributes_of(row) for row in labels]
    _print_table(["judge on renders"], [accuracy(judge.read(images), truth)])
    print(f"identity at rank 1 among {len(held_out_people())}: {_rank_one(judge, images, truth):.3f}")


def measure_vae(pipeline: StableDiffusionPipeline, judge: Judge, count: int = 500) -> None:
    """Round trip of held-out renders: decibels, and the attributes that the judge still reads."""
    images, labels = render_held_out_data(count, seed=12)
    truth = [attributes_of(row) for row in labels]
    drawn = []
    with torch.no_grad():
        for start in range(0, count, 50):
            pixels = to_tensor(images[start : start + 50])
            drawn.append(pipeline.vae.decode(pipeline.vae.encode(pixels).latent_dist.mean).sample)
    back = torch.cat(drawn)
    _print_table(["VAE round trip"], [accuracy(judge.read(to_images(back)), truth)])
    print(
        f"identity at rank 1 among {len(held_out_people())}: {_rank_one(judge, to_images(back), truth):.3f}"
    )
    print(f"peak signal to noise: {decibels(back, to_tensor(images)):.2f} dB")


def measure_prompts(
    pipeline: StableDiffusionPipeline,
    judge: Judge,
    count: int,
    steps: int,
    guidance: float,
    sheet: Path | None,
) -> None:
    """Prompt following on held-out captions that name three or four attributes."""
    rng = random.Random(13)
    truth, labels = render_held_out_data(count, seed=13)
    captions, expected = [], []
    for row in labels:
        attributes = attributes_of(row)
        caption, named = random_caption(attributes, rng, rng.choice((3, 4)))
        captions.append(caption)
        expected.append({name: attributes[name] for name in named})
    started = time.monotonic()
    pictures = draw(pipeline, captions, steps=steps, guidance=guidance, seed=13)
    seconds = time.monotonic() - started
    _print_table(["followed", "chance"], [accuracy(judge.read(pictures), expected), chance(expected)])
    print(f"{count} pictures, {steps} steps, guidance {guidance}: {seconds / count:.2f} s a picture")
    if sheet is not None:
        save_sheet(np.concatenate([truth[:16], pictures[:16], pictures[16:32]]), columns=16, path=sheet)
        sheet.with_suffix(".txt").write_text("\n".join(captions[:32]) + "\n")


def draw(
    pipeline: StableDiffusionPipeline, prompts: Sequence[str], steps: int, guidance: float, seed: int
) -> Images:
    """Draws one picture a prompt, in batches of 16, each from a seed of its own; uint8 [n, 64, 64, 3]."""
    pipeline.set_progress_bar_config(disable=True)
    parts = []
    for start in range(0, len(prompts), 16):
        batch = list(prompts[start : start + 16])
        generators = [
            torch.Generator().manual_seed(seed * 100_000 + start + index) for index in range(len(batch))
        ]
        drawn = pipeline(
            batch, num_inference_steps=steps, guidance_scale=guidance, generator=generators,
            width=64, height=64, output_type="np",
        ).images  # fmt: skip
        parts.append((drawn * 255).round().astype(np.uint8))
    return np.concatenate(parts)


def load_base(directory: Path) -> StableDiffusionPipeline:
    """The base as anybody would load it: float32, local files, safetensors."""
    return StableDiffusionPipeline.from_pretrained(directory, use_safetensors=True, local_files_only=True)


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


def _print_table(columns: Sequence[str], figures: Sequence[Mapping[str, float]]) -> None:
    print("| attribute | " + " | ".join(columns) + " |")
    print("|---|" + "---|" * len(columns))
    for name in figures[0]:
        print(f"| {name} | " + " | ".join(f"{column[name]:.3f}" for column in figures) + " |")
    identity = [name for name in figures[0] if name in IDENTITY_ATTRIBUTES]
    for title, names in (("identity, mean", identity), ("all, mean", list(figures[0]))):
        means = [float(np.mean([column[name] for name in names])) for column in figures]
        print(f"| {title} | " + " | ".join(f"{mean:.3f}" for mean in means) + " |")


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns the exit code."""
    models = Path("dev/models")
    parser = argparse.ArgumentParser(prog="python -m tiny_base.measure", description=__doc__)
    parser.add_argument("what", choices=("judge", "vae", "prompts"))
    parser.add_argument("--base", type=Path, default=models / "tiny-people")
    parser.add_argument("--judge", type=Path, default=models / "tiny-judge")
    parser.add_argument("--count", type=int, default=256, help="captions to draw (prompts)")
    parser.add_argument("--steps", type=int, default=25)
    parser.add_argument("--guidance", type=float, default=4.0)
    parser.add_argument("--sheet", type=Path, help="write a contact sheet and its captions (prompts)")
    options = parser.parse_args(arguments)
    try:
        judge = Judge.load(options.judge)
        commands: dict[str, Callable[[], None]] = {
            "judge": lambda: measure_judge(judge),
            "vae": lambda: measure_vae(load_base(options.base), judge),
            "prompts": lambda: measure_prompts(
                load_base(options.base), judge, options.count, options.steps, options.guidance, options.sheet
            ),
        }
        commands[options.what]()
    except (OSError, ValueError) as error:
        print(f"tiny_base.measure: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    torch.set_num_threads(1)
    sys.exit(main())
