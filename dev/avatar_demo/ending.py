"""How a demo's command ends other than by reaching its end: an error in one line, or Ctrl-C."""

from __future__ import annotations

import http.client
import signal
import sys
from types import FrameType

from botocore.exceptions import BotoCoreError, ClientError
from kubernetes.client.exceptions import ApiException
from urllib3.exceptions import HTTPError

from avatar_demo.errors import DemoError
from avatar_workers.base_model.directory_digest import BaseModelRefused
from local_cluster.errors import LocalClusterError

EXPECTED_ERRORS = (
    DemoError,
    LocalClusterError,
    BaseModelRefused,
    BotoCoreError,
    ClientError,
    ApiException,
    HTTPError,
    http.client.HTTPException,
    OSError,
)
"""What is told in a line, without a traceback."""


def stop_cleanly_when_told() -> None:
    """Have Ctrl-C and SIGTERM raise KeyboardInterrupt in the main thread, once."""
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, _stop)


def _stop(_signal: int, _frame: FrameType | None) -> None:
    # Whoever is impatient presses Ctrl-C twice; the second must not interrupt the cleaning up.
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, signal.SIG_IGN)
    print("\nstopping", file=sys.stderr, flush=True)
    raise KeyboardInterrupt
