"""Several things that each take a while, done at the same time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable


def side_by_side(actions: Iterable[Callable[[], object]], name: str) -> None:
    """Carry out all actions, each on a thread of this name, and wait until all are done."""
    threads = [threading.Thread(target=action, name=name, daemon=True) for action in actions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
