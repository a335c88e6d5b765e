"""`python -m avatar_demo up|down|status|restart`: from twelve photos to pictures, on one machine."""

from __future__ import annotations

import argparse
import sys
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console

from avatar_demo.aws_account import AwsAccount
from avatar_demo.ending import EXPECTED_ERRORS, stop_cleanly_when_told
from avatar_demo.environment import (
    STOPPED,
    EnvironmentStart,
    locked,
    running_parts,
    sagemaker_local_service,
    stop_environment,
)
from avatar_demo.example import namespace_of
from avatar_demo.report import columns, object_counts
from avatar_demo.settings import DEFAULT_AWS_PORT, DEFAULT_OPERATOR_PORT, DEFAULT_STATE, EXAMPLE, DemoSettings
from avatar_demo.walkthrough import Walkthrough
from avatar_demo.watching import FlowFailed
from local_cluster.errors import one_line

__all__ = ["main"]

_TIMEOUT_SECONDS = 900.0


def main(arguments: list[str] | None = None) -> int:
    """Run one command.

    Returns:
        0 on success; 1 on an error, or from `status` if something does not run; 130 when interrupted.
    """
    options = _parser().parse_args(arguments)
    settings = DemoSettings(options.state_dir.absolute(), options.aws_port, options.operator_port)
    stop_cleanly_when_told()
    try:
        if options.command == "up":
            return _up(settings, options.timeout)
        if options.command == "restart":
            return _restart_operator(settings)
        return _down(settings) if options.command == "down" else _status(settings)
    except EXPECTED_ERRORS as error:
        print(f"error: {one_line(str(error), 1000)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130


def _up(settings: DemoSettings, timeout: float) -> int:
    walkthrough = Walkthrough(settings, Console(), timeout)
    try:
        walkthrough.run()
    except FlowFailed as error:
        print(f"error: {one_line(str(error), 1000)}", file=sys.stderr)
        print(_STAYS_UP, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        up = walkthrough.is_up
        print(f"interrupted; {_STAYS_UP if up else 'what this run started is stopped'}", file=sys.stderr)
        return 130
    return 0


_STAYS_UP = "the environment stays up to be looked at: `source .demo/env.sh`, logs in .demo/environment, `make down` stops it"


def _down(settings: DemoSettings) -> int:
    if not settings.environment.is_dir():
        print("nothing runs")
        return 0
    with locked(settings):
        stopped = stop_environment(settings)
    print(f"stopped {', '.join(stopped)}" if stopped else "nothing ran")
    return 0


def _restart_operator(settings: DemoSettings) -> int:
    with locked(settings), ExitStack() as started:
        url = EnvironmentStart(settings, namespace_of(EXAMPLE), started, print).restart_operator()
        started.pop_all()
    print(f"it goes on where it was: {url}/metrics")
    return 0


def _status(settings: DemoSettings) -> int:
    parts = running_parts(settings)
    for line in columns(list(parts.items())):
        print(line)
    port = sagemaker_local_service(settings).ready_port()
    if port is not None:
        print("\nobjects in S3:")
        counts = object_counts(AwsAccount(f"http://127.0.0.1:{port}"))
        for line in columns([(prefix, str(count)) for prefix, count in counts.items()]):
            print(line)
    return 0 if STOPPED not in parts.values() else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="avatar_demo", description=(__doc__ or "").strip())
    commands = parser.add_subparsers(dest="command", required=True, metavar="up|down|status|restart")
    up = commands.add_parser("up", help="start everything and go the whole way from photos to pictures")
    up.add_argument("--aws-port", type=_port, help=f"where AWS shall listen (default {DEFAULT_AWS_PORT})")
    up.add_argument(
        "--operator-port",
        type=_port,
        help=f"where the operator shall listen (default {DEFAULT_OPERATOR_PORT})",
    )
    up.add_argument("--timeout", type=float, default=_TIMEOUT_SECONDS, help="seconds for the whole run")
    down = commands.add_parser("down", help="stop everything")
    status = commands.add_parser("status", help="say what runs, and what lies in S3")
    restart = commands.add_parser("restart", help="start the operator again, after a kill -9 for instance")
    restart.add_argument("part", choices=["operator"], help="what to start again")
    for command in (up, down, status, restart):
        command.add_argument("--state-dir", type=Path, default=DEFAULT_STATE, help="where the demo lives")
        command.set_defaults(aws_port=None, operator_port=None)
    return parser


def _port(text: str) -> int:
    if not (text.isdecimal() and 1 <= int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"{text!r} is not a port number (1 to 65535)")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
