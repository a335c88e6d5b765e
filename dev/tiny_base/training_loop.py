"""One loop for every stage: data-parallel processes, a moving average, checkpoints that resume exactly.

A stage gives modules and a loss; the loop does the rest. On two CPU cores, two processes of one thread each beat one
process of two threads, because the single operations are too small to share. The processes step on their own and
average weights and optimiser state every few steps (local SGD, Stich, arXiv 1805.09767): on a machine shared with
other work one process is always late, and averaging gradients would make the other wait for it at every step.
Randomness is drawn from (seed, step, process), never from a running generator: a run that was killed and resumed sees
the same batches as one that was not. The learning rate warms up, stays, and falls linearly in the last part, so that a
run may be shortened or prolonged while it runs by resuming it with another number of steps.

Checkpoints are a safetensors file (weights, moving average, optimiser state) whose header holds the step; a new one
replaces the old in one rename.
"""

from __future__ import annotations

import json
import os
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import connection, parent_process
from pathlib import Path
from typing import Protocol

import safetensors
import safetensors.torch
import torch
import torch.distributed
from torch import Tensor, nn
from torch.multiprocessing.spawn import spawn


@dataclass(frozen=True)
class Schedule:
    """How long and how fast.

    Attributes:
        steps: Optimiser steps in all.
        batch: Samples a step, of each process.
        learning_rate: Of the plateau; a parameter group may scale it (see `Stage.parameter_groups`).
        warmup: Steps of linear warm-up.
        decay_from: Fraction of `steps` after which the rate falls linearly to 2 % of the plateau.
        average: Decay of the moving average of the weights, a step.
        meet_every: Steps between averaging the weights of the processes.
        checkpoint_seconds: Time between checkpoints.
    """

    steps: int
    batch: int
    learning_rate: float
    warmup: int = 100
    decay_from: float = 0.6
    average: float = 0.999
    meet_every: int = 8
    checkpoint_seconds: float = 240.0

    def rate_at(self, step: int) -> float:
        """The learning rate of a step, counted from 0."""
        decay_start = self.steps * self.decay_from
        decay = 1.0
        if step > decay_start:
            decay = max(0.02, (self.steps - step) / max(1.0, self.steps - decay_start))
        return self.learning_rate * min(1.0, (step + 1) / max(1, self.warmup)) * decay


class Stage(Protocol):
    """What the loop trains."""

    modules: nn.Module
    """Everything with weights; trained and saved as a whole."""

    def parameter_groups(self) -> list[tuple[list[nn.Parameter], float]]:
        """Parameters with the factor on their learning rate."""

    def loss(
        self, step: int, progress: float, batch: int, generator: torch.Generator
    ) -> tuple[Tensor, dict[str, float]]:
        """Scalar loss of one batch drawn with this generator, and figures to log; `progress` runs from 0 to 1."""

    def report(self, step: int) -> dict[str, float]:
        """Called at checkpoints in the first process with averaged weights: sample sheets, held-out figures."""


StageFactory = Callable[[torch.device], Stage]


@dataclass(frozen=True)
class Run:
    """One run of the loop: where its files are and on what it runs. `log.jsonl` gets one line a log interval."""

    directory: Path
    schedule: Schedule
    seed: int = 0
    device: str = "cpu"
    processes: int = 1
    log_every: int = 50

    @property
    def checkpoint(self) -> Path:
        return self.directory / "checkpoint.safetensors"


def train(run: Run, build_stage: StageFactory) -> None:
    """Trains to `schedule.steps`, from the checkpoint if there is one. `build_stage` must be picklable."""
    run.directory.mkdir(parents=True, exist_ok=True)
    if run.processes == 1:
        _train_process(0, run, build_stage, None)
        return
    with tempfile.TemporaryDirectory() as scratch:
        rendezvous = Path(scratch) / "rendezvous"
        spawn(_train_process, (run, build_stage, rendezvous), nprocs=run.processes)  # type: ignore[no-untyped-call]


def load_averaged(modules: nn.Module, checkpoint: Path) -> int:
    """Loads a checkpoint's averaged weights into modules of the same shape; returns the step they are from."""
    tensors, step = _read(checkpoint)
    modules.load_state_dict(
        {name[8:]: tensor for name, tensor in tensors.items() if name.startswith("average.")}
    )
    return step


def _train_process(rank: int, run: Run, build_stage: StageFactory, rendezvous: Path | None) -> None:
    schedule, device = run.schedule, torch.device(run.device)
    if device.type == "cpu":
        torch.set_num_threads(1)
    if rendezvous is not None:
        _end_with_parent()
        torch.distributed.init_process_group(
            "gloo", init_method=f"file://{rendezvous}", rank=rank, world_size=run.processes
        )
    torch.manual_seed(run.seed)
    stage = build_stage(device)
    state = _State(stage, schedule)
    step = state.load(run.checkpoint) if run.checkpoint.exists() else 0
    saved_at, logged_at, logged_step = time.monotonic(), time.monotonic(), step
    sums: dict[str, float] = {}
    generator = torch.Generator()
    while step < schedule.steps:
        generator.manual_seed((run.seed * 1_000_003 + step) * 64 + rank)
        stage.modules.train()
        loss, figures = stage.loss(step, step / schedule.steps, schedule.batch, generator)
        loss.backward()  # type: ignore[no-untyped-call]
        state.update(step)
        step += 1
        for name, value in {"loss": float(loss.detach()), **figures}.items():
            sums[name] = sums.get(name, 0.0) + value
        if rank == 0 and step % run.log_every == 0:
            count, now = step - logged_step, time.monotonic()
            line = {name: round(total / count, 5) for name, total in sums.items()}
            speed = count * schedule.batch * run.processes / (now - logged_at)
            _log(
                run,
                {"step": step, **line, "rate": schedule.rate_at(step), "samples_per_second": round(speed, 1)},
            )
            logged_at, logged_step = now, step
            sums.clear()
        met = step % schedule.meet_every == 0 or step == schedule.steps
        if met:
            state.meet(step)
        due = step == schedule.steps or time.monotonic() - saved_at > schedule.checkpoint_seconds
        if rank == 0 and met and due:
            state.save(run.checkpoint, step)
            with state.averaged():
                stage.modules.eval()
                _log(run, {"step": step, **stage.report(step)})
            saved_at = time.monotonic()
    if rendezvous is not None:
        torch.distributed.destroy_process_group()


def _end_with_parent() -> None:
    """A process whose parent was killed would train on unseen, beside the run that resumes it."""
    parent = parent_process()
    assert parent is not None

    def watch() -> None:
        connection.wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()


class _State:
    """Weights, optimiser and moving average of a stage."""

    def __init__(self, stage: Stage, schedule: Schedule) -> None:
        self.modules, self.schedule = stage.modules, schedule
        groups = stage.parameter_groups()
        self.scales = [scale for _, scale in groups]
        self.parameters = [parameter for parameters, _ in groups for parameter in parameters]
        self.optimiser = torch.optim.AdamW(
            [{"params": parameters} for parameters, _ in groups],
            betas=(0.9, 0.99),
            weight_decay=1e-3,
            fused=True,
        )
        self.average = {name: value.detach().clone() for name, value in self.modules.state_dict().items()}

    def update(self, step: int) -> None:
        """One optimiser step from the gradients, clipped to norm 1."""
        nn.utils.clip_grad_norm_(self.parameters, 1.0)
        for group, scale in zip(self.optimiser.param_groups, self.scales, strict=True):
            group["lr"] = self.schedule.rate_at(step) * scale
        self.optimiser.step()
        self.optimiser.zero_grad()

    @torch.no_grad()
    def meet(self, step: int) -> None:
        """Averages weights and optimiser state over the processes, then moves the moving average."""
        if torch.distributed.is_initialized():
            states = [self.optimiser.state[parameter] for parameter in self.parameters]
            tensors = [
                *self.parameters,
                *(state[key] for state in states for key in ("exp_avg", "exp_avg_sq")),
            ]
            flat = torch.cat([tensor.flatten() for tensor in tensors])
            torch.distributed.all_reduce(flat)
            flat /= torch.distributed.get_world_size()
            for tensor, mean in zip(
                tensors, torch.split(flat, [tensor.numel() for tensor in tensors]), strict=True
            ):
                tensor.copy_(mean.view_as(tensor))
        # Early on the average must not remember the initial weights.
        decay = min(self.schedule.average, (1 + step) / (10 + step)) ** self.schedule.meet_every
        for name, value in self.modules.state_dict().items():
            if value.is_floating_point():
                self.average[name].lerp_(value, 1 - decay)
            else:
                self.average[name].copy_(value)

    def averaged(self) -> _Swapped:
        """The moving average in place of the weights, for the length of a with-block."""
        return _Swapped(self.modules, self.average)

    def save(self, path: Path, step: int) -> None:
        tensors = {f"weights.{name}": value for name, value in self.modules.state_dict().items()}
        tensors |= {f"average.{name}": value for name, value in self.average.items()}
        for index, parameter in enumerate(self.parameters):
            for key, value in self.optimiser.state[parameter].items():
                tensors[f"optimiser.{index}.{key}"] = value
        partial = path.with_suffix(".partial")
        copies = {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}
        safetensors.torch.save_file(copies, partial, {"step": str(step)})
        partial.replace(path)

    def load(self, path: Path) -> int:
        tensors, step = _read(path)
        self.modules.load_state_dict(
            {name[8:]: tensors[name] for name in tensors if name.startswith("weights.")}
        )
        for name, value in self.average.items():
            value.copy_(tensors[f"average.{name}"])
        for index, parameter in enumerate(self.parameters):
            prefix = f"optimiser.{index}."
            self.optimiser.state[parameter] = {
                name[len(prefix) :]: value.to(parameter.device if value.dim() else "cpu")
                for name, value in tensors.items()
                if name.startswith(prefix)
            }
        return step


class _Swapped:
    def __init__(self, modules: nn.Module, average: dict[str, Tensor]) -> None:
        self.modules, self.average = modules, average
        self.kept: dict[str, Tensor] = {}

    def __enter__(self) -> None:
        self.kept = {name: value.detach().clone() for name, value in self.modules.state_dict().items()}
        self.modules.load_state_dict(self.average)

    def __exit__(self, *_: object) -> None:
        self.modules.load_state_dict(self.kept)


def _read(path: Path) -> tuple[dict[str, Tensor], int]:
    with safetensors.safe_open(path, "pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}, int(file.metadata()["step"])  # noqa: SIM118


def _log(run: Run, line: dict[str, float]) -> None:
    text = json.dumps(line)
    print(text, flush=True)
    with (run.directory / "log.jsonl").open("a") as log:
        log.write(text + "\n")
