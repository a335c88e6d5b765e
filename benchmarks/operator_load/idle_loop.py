"""The peer of the operator's event loop: a loop in a process of its own that does nothing but beat.

On a busy machine a process waits for its turn, and a beat comes late though nobody held the loop. What an idle loop
beside the operator's saw in the same minutes is what the machine has added.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from typing import Self

from prometheus_client import CollectorRegistry

from avatar_operator.loop_watch import LoopWatch


class IdleLoop:
    """Runs for as long as the block; `longest_pause_seconds` is known after it."""

    def __init__(self) -> None:
        self.longest_pause_seconds = 0.0

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        return self

    def __exit__(self, *_: object) -> None:
        self.longest_pause_seconds = float(self._process.communicate(timeout=60)[0])


async def _beat_until_told() -> float:
    registry = CollectorRegistry()
    beat = asyncio.create_task(LoopWatch(registry).run())
    await asyncio.to_thread(sys.stdin.read)
    beat.cancel()
    return registry.get_sample_value("avatar_event_loop_longest_pause_seconds") or 0.0


if __name__ == "__main__":
    print(asyncio.run(_beat_until_told()))
