"""The command line: run for some time, and draw what the chart's dashboards show of it."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.operator_load.waiting import BenchmarkError
from benchmarks.watched_operator.run import watched_run
from dashboards.__main__ import FOLDER
from dashboards.picture import picture
from dashboards.prometheus_server import PrometheusFailed
from debian_programs import ProgramMissing

COLUMNS = (("avatar-platform", "avatar-endpoints"), ("avatar-operator", "avatar-tenant"))
_LEADER_LOST_AT = 0.4


def main() -> int:
    """Run and draw."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.watched_operator", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="the PNG")
    parser.add_argument("--seconds", type=float, default=110, help="how long users work [110]")
    arguments = parser.parse_args()
    boards = [[json.loads((FOLDER / f"{uid}.json").read_text()) for uid in column] for column in COLUMNS]
    with tempfile.TemporaryDirectory() as directory, watched_run(Path(directory)) as run:
        begin = time.time() - run.seen.began
        run.live(lambda seconds: seconds - begin > _LEADER_LOST_AT * arguments.seconds)
        run.lose_the_leader()
        run.live(lambda seconds: seconds - begin > arguments.seconds)
        arguments.out.write_bytes(picture(boards, run.seen.answers, run.seen.began, time.time()))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (BenchmarkError, ProgramMissing, PrometheusFailed) as error:
        sys.exit(f"error: {error}")
