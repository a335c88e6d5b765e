"""Accepted asynchronous invocations on disk, until they have ended.

    state/invocations/<endpoint>/<sequence>.queued     accepted with 202, waiting
    state/invocations/<endpoint>/<sequence>.running    handed to an instance

The sequence is the order of acceptance. The suffix is changed before the container is called, so that after a crash of the
server it is known which requests may have had effects: they follow the rule for containers that died.
"""

from __future__ import annotations

import itertools
import pickle
import shutil
import threading
import time
from contextlib import suppress
from pathlib import Path

from sagemaker_local.async_inference.invocation import Invocation
from sagemaker_local.control_plane.endpoint import Endpoint
from sagemaker_local.persistence.endpoint_records import record_name
from sagemaker_local.persistence.files import write_whole

QUEUED, RUNNING = ".queued", ".running"


class InvocationJournal:
    """The invocations of all endpoints below a directory; None keeps nothing."""

    def __init__(self, directory: Path | None) -> None:
        self._directory = directory
        self._lock = threading.Lock()
        # Later than any sequence of an earlier run, as long as the machine's clock does not run backwards.
        self._sequence = itertools.count(time.time_ns())

    def name(self, endpoint: Endpoint) -> str:
        """The name of the next invocation's record: its place, without suffix."""
        if self._directory is None:
            return ""
        with self._lock:
            return f"{record_name(endpoint)}/{next(self._sequence):020d}"

    def accepted(self, invocation: Invocation) -> None:
        """The invocation waits. Returns when that is written."""
        if self._directory is not None:
            write_whole(self._directory / (invocation.record + QUEUED), pickle.dumps(invocation))

    def started(self, invocation: Invocation) -> None:
        """An instance is about to be given it."""
        self._rename(invocation, QUEUED, RUNNING)

    def put_back(self, invocation: Invocation) -> None:
        """It waits again."""
        self._rename(invocation, RUNNING, QUEUED)

    def ended(self, invocation: Invocation) -> None:
        """Its outcome is written and told."""
        directory = self._directory
        if directory is not None:
            for suffix in (QUEUED, RUNNING):
                (directory / (invocation.record + suffix)).unlink(missing_ok=True)

    def forget(self, endpoint: Endpoint) -> None:
        """The endpoint is gone."""
        if self._directory is not None:
            shutil.rmtree(self._directory / record_name(endpoint), ignore_errors=True)

    def recorded(self, endpoint: Endpoint) -> list[tuple[Invocation, bool]]:
        """What was left of an earlier run, in the order of acceptance, and whether each was running."""
        if self._directory is None:
            return []
        paths = sorted((self._directory / record_name(endpoint)).glob("*"))
        return [
            (pickle.loads(path.read_bytes()), path.suffix == RUNNING)  # noqa: S301  # our own, see moto_pickling
            for path in paths
            if path.suffix in (QUEUED, RUNNING)
        ]

    def close(self) -> None:
        """Leave the records as they are from now on."""
        self._directory = None

    def _rename(self, invocation: Invocation, before: str, after: str) -> None:
        directory = self._directory
        if directory is None:
            return
        # It is gone when the endpoint was deleted meanwhile.
        with suppress(FileNotFoundError):
            (directory / (invocation.record + before)).rename(directory / (invocation.record + after))


NOTHING_KEPT = InvocationJournal(None)
