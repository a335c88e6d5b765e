"""Does the likeness that the end-to-end test asks for tell a sound trainer from a broken one? `make bench-broken-trainers`.

The workers train and draw the test's person as they are, and broken in three ways that leave every status green:

- learning rate 0: the schedule multiplies the rate away, so the LoRA stays nothing (this happened to its prototype);
- adapter not loaded: the serving worker draws with the bare base;
- wrong person's photos: the training gets somebody else's, who shares no attribute with her.

Each score stands beside the threshold; the exit code is 1 unless the sound workers pass it and all broken ones fail.
"""

from __future__ import annotations

import logging
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from unittest.mock import patch

import structlog
import torch
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from avatar_demo.settings import BASE_MODEL, JUDGE
from avatar_workers.errors import WorkerFailure
from avatar_workers.training import training_loop
from avatar_workers.training.torch_threads import torch_threads_from_environment
from benchmarks.example_settings import example_training
from synthetic_people import IDENTITY_ATTRIBUTES, held_out_people, photo_set
from tiny_base.in_process_workers import InProcessWorkers, PersonalModel
from tiny_base.judge import Judge
from tiny_base.likeness import (
    DRAWING,
    FIRST_SEED,
    LIKE_HER,
    PERSON,
    PICTURES_A_PLACE,
    TRAINING,
    likeness,
    prompts,
)
from tiny_base.moto_bucket import moto_bucket

_PHOTOS = 12


def main() -> int:
    """Runs the benchmark; returns the exit code."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    try:
        torch.set_num_threads(torch_threads_from_environment())
        judge = Judge.load(JUDGE)
        with moto_bucket() as (storage, bucket), tempfile.TemporaryDirectory() as scratch:
            workers = InProcessWorkers(BASE_MODEL, storage, bucket, DRAWING, Path(scratch))
            scores = {}
            for name, train in _trainers(workers).items():
                scores[name] = _score(workers, judge, train)
                print(f"{name:<22} {scores[name]:.2f} (threshold {LIKE_HER})", flush=True)
    except (OSError, ValueError, WorkerFailure) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    sound = scores.pop("sound") >= LIKE_HER
    told_apart = sound and all(score < LIKE_HER for score in scores.values())
    print("the test tells them apart" if told_apart else "THE TEST DOES NOT TELL THEM APART")
    return 0 if told_apart else 1


def _trainers(workers: InProcessWorkers) -> Mapping[str, Callable[[], PersonalModel | None]]:
    settings = example_training(TRAINING)
    photos = photo_set(PERSON, _PHOTOS)
    stranger = next(
        person for person in held_out_people() if person.differences(PERSON) == len(IDENTITY_ATTRIBUTES)
    )

    def train_at_rate_zero() -> PersonalModel:
        with patch.object(training_loop, "get_cosine_schedule_with_warmup", _rate_zero):
            return workers.train(photos, settings)

    return {
        "sound": lambda: workers.train(photos, settings),
        "learning rate 0": train_at_rate_zero,
        "adapter not loaded": lambda: None,
        "wrong person's photos": lambda: workers.train(photo_set(stranger, _PHOTOS), settings),
    }


def _rate_zero(optimizer: Optimizer, *_: int) -> LambdaLR:
    return LambdaLR(optimizer, lambda _: 0.0)


def _score(workers: InProcessWorkers, judge: Judge, train: Callable[[], PersonalModel | None]) -> float:
    model = train()
    drawn = workers.draw(model, [prompt for prompt in prompts() for _ in range(PICTURES_A_PLACE)], FIRST_SEED)
    return likeness(judge, drawn)


if __name__ == "__main__":
    sys.exit(main())
