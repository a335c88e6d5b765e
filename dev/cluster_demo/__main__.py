"""`python -m cluster_demo`: from twelve photos to pictures, in Pods on a real node of this machine; root, Linux."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from rich.console import Console

from avatar_demo.aws_account import leave_other_clouds
from avatar_demo.ending import EXPECTED_ERRORS, stop_cleanly_when_told
from avatar_demo.settings import DEFAULT_STATE
from cluster_demo.run import ClusterRun
from container_images.base import why_not as why_no_image
from container_images.errors import ImageError
from local_cluster.errors import one_line
from local_cluster.node.requirements import why_not as why_no_node

__all__ = ["main"]

_TIMEOUT_SECONDS = 900.0


def main(arguments: list[str] | None = None) -> int:
    """Run the demo.

    Returns:
        0 on success; 1 on an error; 130 when interrupted.
    """
    options = _parser().parse_args(arguments)
    # Before anything is built for minutes.
    reason = why_no_node() or why_no_image()
    if reason is not None:
        print(f"error: {reason}", file=sys.stderr)
        return 1
    stop_cleanly_when_told()
    leave_other_clouds()
    run = ClusterRun(options.state_dir.absolute(), Console(), options.timeout)
    try:
        run.run()
    except (*EXPECTED_ERRORS, ImageError) as error:
        print(f"error: {one_line(str(error), 1000)}", file=sys.stderr)
        print(f"logs are in {run.logs}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; nothing is left running", file=sys.stderr)
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="cluster_demo", description=(__doc__ or "").strip())
    parser.add_argument("--timeout", type=float, default=_TIMEOUT_SECONDS, help="seconds for the whole run")
    parser.add_argument(
        "--state-dir", type=Path, default=DEFAULT_STATE / "in-a-cluster", help="where it keeps things"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
