"""How good the shipped base and judge are, and whether the trainer learns people on them: `make bench-quality`.

Everything is measured on the 100 people that no training has seen: the judge on renders, the VAE's round trip, the
base's prompt following, and DreamBooth by the project's own workers with the first example's hyperparameters. Each
figure stands beside what it must be; the exit code is 1 if one is not.

Figures of likeness are exact on one machine (everything is seeded); seconds are those of this machine and of what else
runs on it.
"""

from __future__ import annotations

import argparse
import functools
import logging
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import structlog
import torch
from pydantic import ValidationError
from rich.console import Console
from rich.progress import Progress, TaskID

from avatar_api.documents.training import TrainingSettings
from avatar_api.runtime_limits import InferenceDefaults
from avatar_demo.settings import BASE_MODEL, JUDGE
from avatar_workers.errors import WorkerFailure
from avatar_workers.training.torch_threads import torch_threads_from_environment
from benchmarks.example_settings import example_drawing, example_training, training_options
from benchmarks.people_sheet import people_sheet
from benchmarks.quality_table import (
    Line,
    attribute_table,
    dreambooth_lines,
    dreambooth_table,
    judge_lines,
    mean_right,
    prompt_lines,
    round_trip_lines,
    verdict_table,
)
from synthetic_people import HELD_OUT_SEEDS, Person
from tiny_base.dreambooth_figures import PersonFigures, draw_measured, measure_person
from tiny_base.in_process_workers import InProcessWorkers
from tiny_base.judge import Judge
from tiny_base.measure import load_base, measure_judge, measure_prompts, measure_round_trip
from tiny_base.moto_bucket import moto_bucket

PARTS = ("judge", "vae", "prompts", "dreambooth")


class Quality:
    """Measures part by part, and collects columns and lines."""

    def __init__(self, base: Path, judge: Judge, drawing: InferenceDefaults, progress: Progress) -> None:
        self._base = base
        self._judge = judge
        self._drawing = drawing
        self._progress = progress
        self.attributes: dict[str, Mapping[str, float]] = {}
        self.lines: list[Line] = []

    def measure_judge(self) -> None:
        """The judge on real renders."""
        figures = measure_judge(self._judge)
        self.attributes["judge"] = figures.by_attribute
        self.lines += judge_lines(figures)
        self._say("the judge is measured on renders")

    def measure_vae(self) -> None:
        """Renders through the VAE and back."""
        figures = measure_round_trip(load_base(self._base), self._judge)
        self.attributes["VAE"] = figures.reading.by_attribute
        self.lines += round_trip_lines(figures)
        self._say(f"the VAE's round trip is measured: {figures.decibels:.2f} dB")

    def measure_prompts(self, captions: int) -> None:
        """What the base draws when it is told."""
        task = self._progress.add_task("prompts", total=captions)
        figures = measure_prompts(
            load_base(self._base),
            self._judge,
            captions,
            self._drawing.steps,
            float(self._drawing.guidance),
            on_drawn=lambda done: self._progress.update(task, completed=done),
        )
        self.attributes |= {"followed": figures.followed, "chance": figures.chance}
        self.lines += prompt_lines(figures)
        self._say(f"{captions} captions are drawn, {figures.seconds_per_picture:.2f} s each")

    def measure_dreambooth(self, seeds: Sequence[int], settings: TrainingSettings) -> list[PersonFigures]:
        """One personal model after the other, by the project's own workers."""
        people: list[PersonFigures] = []
        with moto_bucket() as (storage, bucket), tempfile.TemporaryDirectory() as scratch:
            workers = InProcessWorkers(self._base, storage, bucket, self._drawing, Path(scratch))
            by_base = draw_measured(workers, None)
            self._say("the base has drawn what the personal models will draw")
            for seed in seeds:
                task = self._progress.add_task(f"person {seed}")
                show = functools.partial(self._show_training, task, seed)
                figures = measure_person(
                    workers, self._judge, Person.from_seed(seed), settings, by_base, show
                )
                self._progress.remove_task(task)
                people.append(figures)
                self._say(
                    f"person {seed} ({', '.join(figures.person.attributes().values())}): rank 1 in"
                    f" {figures.personal.rank_one:.2f}, identity {figures.personal.identity:.2f} (base"
                    f" {figures.base.identity:.2f}), background {figures.personal.right['background']:.2f},"
                    f" {figures.training_seconds:.0f} s of training"
                )
        self.attributes["base, sks person"] = mean_right([person.base for person in people])
        self.attributes["personal model"] = mean_right([person.personal for person in people])
        self.lines += dreambooth_lines(people)
        return people

    def _show_training(self, task: TaskID, seed: int, stage: str, step: int, total: int) -> None:
        self._progress.update(
            task, description=f"person {seed}: {stage}", completed=step, total=total or None
        )

    def _say(self, line: str) -> None:
        self._progress.console.print(line, markup=False, highlight=False, soft_wrap=True)


def main(arguments: list[str] | None = None) -> int:
    """Runs the benchmark; returns 1 if a figure is not as it must be or something cannot be used."""
    options = _parser().parse_args(arguments)
    console = Console()
    # The workers' log says of each step what the progress bar shows.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    try:
        settings = example_training(training_options(options.training))
        drawing = example_drawing()
        torch.set_num_threads(options.threads or torch_threads_from_environment())
        with Progress(console=console) as progress:
            quality = Quality(options.base, Judge.load(options.judge), drawing, progress)
            people: list[PersonFigures] = []
            if "judge" in options.only:
                quality.measure_judge()
            if "vae" in options.only:
                quality.measure_vae()
            if "prompts" in options.only:
                quality.measure_prompts(options.captions)
            if "dreambooth" in options.only:
                people = quality.measure_dreambooth(HELD_OUT_SEEDS[: options.people], settings)
    except (OSError, ValueError, WorkerFailure) as error:
        print(f"error: {_one_line(error)}", file=sys.stderr)
        return 1
    print(f"\n{attribute_table(quality.attributes)}")
    if people:
        print(f"\n{dreambooth_table(people)}")
        print(f"\ntraining: {settings.to_wire()}")
    print(f"\n{verdict_table(quality.lines)}")
    if people and options.sheet is not None:
        options.sheet.parent.mkdir(parents=True, exist_ok=True)
        people_sheet(people, HELD_OUT_SEEDS.start).save(options.sheet)
        print(f"\nthe contact sheet is {options.sheet}")
    return 0 if all(line.holds for line in quality.lines) else 1


def _one_line(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    return str(error)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="measure only these")
    parser.add_argument("--people", type=_up_to(len(HELD_OUT_SEEDS)), default=10, help="personal models")
    parser.add_argument("--captions", type=_up_to(10_000), default=256, help="captions for prompt following")
    parser.add_argument("--threads", type=_up_to(1024), help="torch's; by default as the workers choose")
    parser.add_argument("--base", type=Path, default=BASE_MODEL)
    parser.add_argument("--judge", type=Path, default=JUDGE)
    parser.add_argument("--sheet", type=Path, help="write a contact sheet of the people (PNG)")
    parser.add_argument(
        "--training",
        nargs="+",
        default=[],
        metavar="NAME=VALUE",
        help="other hyperparameters than the example's, as in spec.training: steps=100 learningRate=0.002",
    )
    return parser


def _up_to(most: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if not (text.isdecimal() and 1 <= int(text) <= most):
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 to {most}")
        return int(text)

    return number


if __name__ == "__main__":
    sys.exit(main())
