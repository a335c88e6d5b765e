"""How long a process's main thread waits for a processor: what the machine adds to every pause of its event loop.

The operator, the API server, etcd and the crowd share this machine. A beat of the loop that comes late may have been held
by the loop's own work, or by the kernel, which let others run first. The kernel says how long it was the latter
(schedstat: nanoseconds on the run queue, counted when the thread gets its turn).
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Self

SAMPLE_SECONDS = 0.02


class ProcessorWaits:
    """Watches a process for as long as the block.

    Args:
        pid: the process; its first thread is watched.
    """

    def __init__(self, pid: int) -> None:
        self.longest_seconds = 0.0
        self._source = Path(f"/proc/{pid}/task/{pid}/schedstat")
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="processor-waits", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        waited = self._waited_seconds()
        while not self._ended.wait(SAMPLE_SECONDS):
            before, waited = waited, self._waited_seconds()
            self.longest_seconds = max(self.longest_seconds, waited - before)

    def _waited_seconds(self) -> float:
        return int(self._source.read_text().split()[1]) / 1e9
