"""The command line of whatever puts programs into the cache: progress and errors to standard error, their directory to standard output."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from local_cluster.binary_cache import Report
from local_cluster.errors import LocalClusterError

__all__ = ["print_directory"]


def print_directory(ensure: Callable[[Report], Path]) -> int:
    """Make sure that programs are there, and print where.

    Args:
        ensure: finds or makes them, told where progress goes; returns their directory, and raises LocalClusterError.

    Returns:
        The exit status: 0, 1 after an error, 130 if interrupted.
    """
    signal.signal(signal.SIGTERM, _stop_cleanly)
    try:
        directory = ensure(lambda line: print(line, file=sys.stderr, flush=True))
    except LocalClusterError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; nothing was installed", file=sys.stderr)
        return 130
    print(directory)
    return 0


def _stop_cleanly(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
