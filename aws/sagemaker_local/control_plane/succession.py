"""Which variants of an endpoint have the traffic, which are coming, and which are leaving.

    coming ──(all instances pass)──> serving        serving ──> standing by ──(settled)──> leaving ──> gone
       └────(they do not)──> gone         ^                          │
                                          └──────(shifted back)──────┘

A set that leaves finishes what it has in flight. When the endpoint ends, whatever is there is stopped.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from functools import partial

from sagemaker_local.clock import Clock
from sagemaker_local.control_plane.variants import VariantSet
from sagemaker_local.side_by_side import side_by_side


class Succession:
    """The sets of variants of one endpoint.

    Attributes:
        serving: those that have the traffic; empty while there never were any.
        ended: set once the endpoint ends.
    """

    def __init__(self, endpoint: str, clock: Clock) -> None:
        self.serving = VariantSet({})
        self.ended = threading.Event()
        self._endpoint = endpoint
        self._clock = clock
        self._lock = threading.Lock()
        self._coming = VariantSet({})
        self._standing_by = VariantSet({})
        self._leaving: list[VariantSet] = []

    def resume(self, variants: VariantSet, counts: Mapping[str, int]) -> None:
        """Let variants serve whose instances are still to start. Returns at once."""
        self.serving = variants
        variants.scale(variants.initial_counts(counts))

    def bring_up(self, fresh: VariantSet, counts: Mapping[str, int]) -> str:
        """Start variants beside those that serve, and wait for them. Returns why they will not serve, or an empty string."""
        with self._lock:
            if self.ended.is_set():
                return "the endpoint was closed"
            self._coming = fresh
        counts = fresh.initial_counts(counts)
        fresh.scale(counts)
        return fresh.await_counts(counts)

    def shift(self) -> None:
        """Give the traffic to those that have come; those that had it stand by."""
        with self._lock:
            self._standing_by, self.serving, self._coming = self.serving, self._coming, VariantSet({})

    def shift_back(self) -> None:
        """Give the traffic back to those that stand by; those that had it leave."""
        with self._lock:
            leaving, self.serving, self._standing_by = self.serving, self._standing_by, VariantSet({})
            self._leaving.append(leaving)
        self._drain_later(leaving, 0)

    def settle(self, wait_seconds: float) -> None:
        """Let those that stand by leave, after so many AWS seconds. Returns at once."""
        with self._lock:
            leaving, self._standing_by = self._standing_by, VariantSet({})
            self._leaving.append(leaving)
        self._drain_later(leaving, wait_seconds)

    def drop(self) -> None:
        """Stop those that were coming. Blocks."""
        self._coming.close(drain=False)
        with self._lock:
            self._coming = VariantSet({})

    def close(self, grace: float | None) -> None:
        """Stop everything and wait until it is gone; see `Fleet.close`."""
        with self._lock:
            self.ended.set()
            sets = [self.serving, self._coming, self._standing_by, *self._leaving]
        side_by_side((partial(each.close, False, grace) for each in sets), f"close-{self._endpoint}")

    def _drain_later(self, leaving: VariantSet, wait_seconds: float) -> None:
        def drain() -> None:
            self.ended.wait(self._clock.real(wait_seconds))
            leaving.close(drain=True)
            with self._lock:
                self._leaving.remove(leaving)

        threading.Thread(target=drain, name=f"drain-{self._endpoint}", daemon=True).start()
