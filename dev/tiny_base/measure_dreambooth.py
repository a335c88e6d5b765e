"""`python -m tiny_base.measure_dreambooth`: does the project's own trainer learn a person on the tiny base?

For each held-out person: twelve photos, DreamBooth LoRA with the worker's training code, then pictures of
"a photo of sks person, <place>" drawn by the base and by the personal model from the same noise. The judge says whether
the person is at rank 1 among the 100 held-out people, which attributes are right, and whether the place is; and whether
"a photo of a person" has become the subject, which it must not. S3, packaging and the containers are left out: other
tests have them.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from avatar_api.documents.training import PriorPreservationSettings, TrainingSettings
from avatar_workers.base_model.pipeline import BaseModel, load_base_model
from avatar_workers.training.latents import class_image_latents, encode_photos
from avatar_workers.training.lora import lora_on_base
from avatar_workers.training.preparation.cropping import choose_square, cut
from avatar_workers.training.training_loop import TrainingSet, train_lora
from synthetic_people import PHOTO_ATTRIBUTES, Person, caption, held_out_people, photo_set
from tiny_base.data import SIZE, Images
from tiny_base.judge import Judge
from tiny_base.measure import accuracy, draw
from tiny_base.sample_sheet import save_sheet

_SUBJECT = "sks person"
_CLASS_PROMPT = "a photo of a person"
_CLASS_IMAGES = 16


@dataclass(frozen=True)
class Figures:
    """One row of the table, of one person; shares of pictures, but `class_rank`, a median rank."""

    rank_one: float
    identity: float
    background: float
    class_rank: float
    by_attribute: Mapping[str, float]


@dataclass(frozen=True)
class Pictures:
    """What one model drew: the subject at every place, and the class."""

    subject: Images
    of_class: Images


def _draw_all(base: BaseModel, steps: int, guidance: float) -> Pictures:
    prompts = [caption({"background": place}, _SUBJECT) for place in PHOTO_ATTRIBUTES["background"]]
    return Pictures(
        draw(base.pipeline, prompts, steps, guidance, seed=31),
        draw(base.pipeline, [_CLASS_PROMPT] * 8, steps, guidance, seed=32),
    )


def _figures(judge: Judge, person: Person, pictures: Pictures) -> Figures:
    people = held_out_people()
    expected = [person.attributes() | {"background": place} for place in PHOTO_ATTRIBUTES["background"]]
    right = accuracy(judge.read(pictures.subject), expected)
    return Figures(
        rank_one=float((judge.ranks(pictures.subject, person, people) == 1).mean()),
        identity=float(np.mean([right[name] for name in person.attributes()])),
        background=right["background"],
        class_rank=float(np.median(judge.ranks(pictures.of_class, person, people))),
        by_attribute=right,
    )


def _photos_of(person: Person) -> list[Images]:
    return [
        np.asarray(cut(image, choose_square(image.width, image.height, None, min_side=SIZE), SIZE))
        for image in (photo.image.convert("RGB") for photo in photo_set(person))
    ]


def measure(
    base: BaseModel,
    judge: Judge,
    people: Sequence[Person],
    settings: TrainingSettings,
    guidance: float,
    sheet: Path,
) -> None:
    """Trains and draws every person, prints the table, and writes the contact sheet."""
    steps = 25
    untrained = _draw_all(base, steps, guidance)
    rows: dict[str, list[Figures]] = {"base": [], "personal model": []}
    sheet_rows: list[Images] = []
    seconds: list[float] = []
    with tempfile.TemporaryDirectory() as cache:
        for person in people:
            photos = _photos_of(person)
            started = time.monotonic()
            examples = _training_set(base, photos, Path(cache))
            with lora_on_base(
                base,
                rank=settings.rank,
                train_text_encoder=settings.text_encoder == "Train",
                seed=settings.seed,
            ) as lora:
                train_lora(lora, examples, settings, lambda _: None)
                seconds.append(time.monotonic() - started)
                for model in lora.models():
                    model.eval()
                personal = _draw_all(base, steps, guidance)
            for name, pictures in (("base", untrained), ("personal model", personal)):
                rows[name].append(_figures(judge, person, pictures))
            sheet_rows.append(np.stack([*photos[:4], *untrained.subject[:4], *personal.subject[:8]]))
            latest = rows["personal model"][-1]
            print(
                f"{', '.join(person.attributes().values())}: rank 1 {latest.rank_one:.2f}, identity "
                f"{latest.identity:.2f}, place {latest.background:.2f}, {seconds[-1]:.0f} s",
                flush=True,
            )
    _print(rows, seconds)
    save_sheet(np.concatenate(sheet_rows), columns=sheet_rows[0].shape[0], path=sheet)


def _training_set(base: BaseModel, photos: Sequence[Images], cache: Path) -> TrainingSet:
    latents = encode_photos(base, [Image.fromarray(photo) for photo in photos])
    of_class = class_image_latents(
        base, _CLASS_PROMPT, resolution=SIZE, count=_CLASS_IMAGES, cache=cache, on_image=lambda _: None
    )
    return TrainingSet(latents, f"a photo of {_SUBJECT}", of_class, _CLASS_PROMPT)


def _print(rows: Mapping[str, Sequence[Figures]], seconds: Sequence[float]) -> None:
    print("| | right person at rank 1 | identity attributes | place | rank of subject for the class |")
    print("|---|---|---|---|---|")
    for name, figures in rows.items():
        means = [
            np.mean([getattr(row, column) for row in figures])
            for column in ("rank_one", "identity", "background")
        ]
        print(f"| {name} | " + " | ".join(f"{mean:.3f}" for mean in means), end="")
        print(f" | {np.median([row.class_rank for row in figures]):.0f} |")
    personal = rows["personal model"]
    attributes = {
        name: np.mean([row.by_attribute[name] for row in personal]) for name in personal[0].by_attribute
    }
    print(
        "personal model, by attribute: "
        + ", ".join(f"{name} {share:.2f}" for name, share in attributes.items())
    )
    print(f"training: {np.mean(seconds):.0f} s a person")


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tiny_base.measure_dreambooth", description=__doc__)
    parser.add_argument("--base", type=Path, default=Path("dev/models/tiny-people"))
    parser.add_argument("--judge", type=Path, default=Path("dev/models/tiny-judge"))
    parser.add_argument("--people", type=int, default=10, help="how many held-out people, 1 to 100")
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--rank", type=int, default=16)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--guidance", type=float, default=4.0)
    parser.add_argument("--prior", type=float, default=1.0, help="weight of prior preservation")
    parser.add_argument("--sheet", type=Path, default=Path(".cache/tiny-base/contact-sheet.png"))
    options = parser.parse_args(arguments)
    settings = TrainingSettings(
        method="LoRA",
        steps=options.steps,
        batch_size=options.batch,
        learning_rate=options.rate,
        rank=options.rank,
        resolution=SIZE,
        text_encoder="Train",
        prior_preservation=PriorPreservationSettings(weight=options.prior, num_class_images=_CLASS_IMAGES),
        seed=0,
    )
    base = load_base_model(options.base, sha256="0" * 64, source="tiny-people", device=torch.device("cpu"))
    people = held_out_people()[: options.people]
    measure(base, Judge.load(options.judge), people, settings, options.guidance, options.sheet)
    return 0


if __name__ == "__main__":
    torch.set_num_threads(1)
    sys.exit(main())
