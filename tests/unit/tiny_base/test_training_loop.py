import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import safetensors.torch
import torch
from torch import Tensor, nn

from tiny_base.text_pretraining import TextStage, build_text_stage
from tiny_base.training_loop import Run, Schedule, load_averaged, train


class _LineStage:
    """Fits y = 3 x + 1; small enough that a run takes milliseconds."""

    def __init__(self, device: torch.device) -> None:
        self.modules: nn.Module = nn.Linear(1, 1).to(device)

    def parameter_groups(self) -> list[tuple[list[nn.Parameter], float]]:
        return [(list(self.modules.parameters()), 1.0)]

    def loss(
        self, step: int, progress: float, batch: int, generator: torch.Generator
    ) -> tuple[Tensor, dict[str, float]]:
        x = torch.randn((batch, 1), generator=generator)
        return (self.modules(x) - (3 * x + 1)).square().mean(), {}

    def report(self, step: int) -> dict[str, float]:
        return {"reported_at": float(step)}


def _run(directory: Path, steps: int) -> Run:
    schedule = Schedule(
        steps=steps,
        batch=16,
        learning_rate=0.1,
        warmup=1,
        decay_from=1.0,
        average=0.5,
        meet_every=4,
        checkpoint_seconds=1e9,
    )
    return Run(directory, schedule, log_every=4)


def _weights(run: Run) -> dict[str, Tensor]:
    return safetensors.torch.load_file(run.checkpoint)


def test_training_learns_and_the_average_follows(tmp_path: Path) -> None:
    run = _run(tmp_path, 300)
    train(run, _LineStage)
    line = nn.Linear(1, 1)
    assert load_averaged(line, run.checkpoint) == 300
    assert line.weight.item() == pytest.approx(3, abs=0.05)
    assert line.bias.item() == pytest.approx(1, abs=0.05)


def test_a_resumed_run_ends_with_the_same_weights_as_one_that_was_not_interrupted(tmp_path: Path) -> None:
    whole = _run(tmp_path / "whole", 24)
    train(whole, _LineStage)
    train(_run(tmp_path / "parts", 12), _LineStage)
    parts = _run(tmp_path / "parts", 24)
    train(parts, _LineStage)
    expected, resumed = _weights(whole), _weights(parts)
    assert expected.keys() == resumed.keys()
    for name, value in expected.items():
        torch.testing.assert_close(resumed[name], value, rtol=0, atol=0)


def test_a_finished_run_is_left_as_it_is(tmp_path: Path) -> None:
    run = _run(tmp_path, 8)
    train(run, _LineStage)
    before = run.checkpoint.read_bytes()
    train(run, _LineStage)
    assert run.checkpoint.read_bytes() == before


def test_the_log_holds_losses_and_reports(tmp_path: Path) -> None:
    run = _run(tmp_path, 8)
    train(run, _LineStage)
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [4, 8, 8]
    assert lines[0]["loss"] > 0
    assert lines[-1] == {"step": 8, "reported_at": 8.0}


def test_the_rate_warms_up_stays_and_falls() -> None:
    schedule = Schedule(steps=1000, batch=1, learning_rate=1.0, warmup=100, decay_from=0.6)
    assert schedule.rate_at(0) == pytest.approx(0.01)
    assert schedule.rate_at(99) == schedule.rate_at(600) == 1.0
    assert schedule.rate_at(800) == pytest.approx(0.5)
    assert schedule.rate_at(999) == pytest.approx(0.02)


@pytest.mark.slow
def test_two_processes_train_one_text_encoder(tmp_path: Path) -> None:
    schedule = Schedule(steps=2, batch=4, learning_rate=1e-3, meet_every=2)
    run = Run(tmp_path, schedule, processes=2)
    train(run, build_text_stage)
    stage = TextStage(torch.device("cpu"))
    untouched = {name: value.clone() for name, value in stage.modules.state_dict().items()}
    assert load_averaged(stage.modules, run.checkpoint) == 2
    changed = [name for name, value in stage.modules.state_dict().items() if not value.equal(untouched[name])]
    assert "heads.weight" in changed


_TWO_PROCESSES = """
import sys
from pathlib import Path
from tiny_base.text_pretraining import build_text_stage
from tiny_base.training_loop import Run, Schedule, train
if __name__ == "__main__":
    schedule = Schedule(steps=1_000_000, batch=1, learning_rate=1e-3)
    train(Run(Path(sys.argv[1]), schedule, log_every=1, processes=2), build_text_stage)
"""


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.slow
def test_training_processes_end_when_the_command_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "two_processes.py"
    script.write_text(_TWO_PROCESSES)
    command = subprocess.Popen([sys.executable, str(script), str(tmp_path / "run")])
    deadline = time.monotonic() + 300
    try:
        while not (tmp_path / "run" / "log.jsonl").exists():
            assert command.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.1)
        children = Path(f"/proc/{command.pid}/task/{command.pid}/children").read_text().split()
        trainers = [
            int(pid) for pid in children if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()
        ]
        assert len(trainers) == 2
    finally:
        os.kill(command.pid, signal.SIGKILL)
        command.wait()
    while any(_alive(pid) for pid in trainers):
        assert time.monotonic() < deadline
        time.sleep(0.1)
