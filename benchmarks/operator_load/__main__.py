"""The command line of the benchmark."""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from benchmarks.operator_load.crowd import measure_crowd
from benchmarks.operator_load.fairness import measure_fairness
from benchmarks.operator_load.figures import Figure, table_of
from benchmarks.operator_load.notifications import measure_in_flight, measure_latency
from benchmarks.operator_load.stage import Stage, set_up
from benchmarks.operator_load.two_operators import measure_sagemaker, measure_simulated
from benchmarks.operator_load.waiting import BenchmarkError

FILE_COLUMNS = 150
REPLICAS_MODELS = 100
REPLICAS_MODELS_ON_AWS = 60
PARTS = ("crowd", "fairness", "latency", "in-flight", "replicas", "replicas-sagemaker")
Measurement = tuple[str, Callable[[], Iterable[Figure]]]


def main() -> int:
    """Run what was asked for, and print a table of each measurement; 1 if a goal was missed."""
    arguments = _arguments()
    chosen = {name: part for name, part in _measurements(arguments).items() if name in arguments.only}
    missed = False
    for title, measure in chosen.values():
        figures = _collect(title, measure())
        _console().print(table_of(title, figures))
        missed = missed or any(figure.holds is False for figure in figures)
    return int(missed)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.operator_load", description=__doc__)
    parser.add_argument("--models", type=int, default=200, help="of the crowd [200]")
    parser.add_argument("--idle-seconds", type=float, default=90.0, help="how long it is watched idle [90]")
    parser.add_argument("--attempts", type=int, default=120, help="whose notifications are timed [120]")
    parser.add_argument("--in-flight", type=int, default=1000, help="attempts that wait at once [1000]")
    parser.add_argument(
        "--in-flight-seconds", type=float, default=150.0, help="how long they are watched [150]"
    )
    parser.add_argument("--requests", type=int, default=1000, help="of one tenant, of 64 pictures [1000]")
    parser.add_argument("--faults", type=int, default=10, help="that befall two replicas [10]")
    parser.add_argument("--seed", type=int, default=None, help="of the faults [a new one each time]")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="which measurements")
    return parser.parse_args()


def _measurements(arguments: argparse.Namespace) -> dict[str, Measurement]:
    seed = random.randrange(1_000_000) if arguments.seed is None else arguments.seed
    return {
        "crowd": (
            f"{arguments.models} AvatarModels, simulated backend",
            _on_stage(lambda stage: measure_crowd(stage, arguments.models, arguments.idle_seconds)),
        ),
        "fairness": (
            f"One request of one picture beside {arguments.requests} of 64, in virtual time, seed {seed}",
            lambda: measure_fairness(arguments.requests, seed),
        ),
        "latency": (
            "From SNS to the status, one attempt a second",
            _on_stage(lambda stage: measure_latency(stage, arguments.attempts)),
        ),
        "in-flight": (
            f"{arguments.in_flight} attempts in flight",
            _on_stage(
                lambda stage: measure_in_flight(stage, arguments.in_flight, arguments.in_flight_seconds)
            ),
        ),
        "replicas": (
            f"Two operators, simulated backend, seed {seed}",
            _on_stage(lambda stage: measure_simulated(stage, REPLICAS_MODELS, arguments.faults, seed)),
        ),
        "replicas-sagemaker": (
            f"Two operators, sagemaker_local, seed {seed}",
            _on_stage(lambda stage: measure_sagemaker(stage, REPLICAS_MODELS_ON_AWS, arguments.faults, seed)),
        ),
    }


def _on_stage(measure: Callable[[Stage], Iterable[Figure]]) -> Callable[[], Iterator[Figure]]:
    """A measurement on a cluster of its own."""

    def measured() -> Iterator[Figure]:
        with tempfile.TemporaryDirectory() as directory, set_up(Path(directory)) as stage:
            yield from measure(stage)

    return measured


def _collect(title: str, figures: Iterable[Figure]) -> list[Figure]:
    collected = []
    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task(title, total=None)
        for figure in figures:
            collected.append(figure)
            progress.update(task, description=f"{title}: {figure.what} {figure.value}")
    return collected


def _console() -> Console:
    """The terminal; wide enough for a line, if it is a file."""
    return Console() if sys.stdout.isatty() else Console(width=FILE_COLUMNS)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BenchmarkError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
