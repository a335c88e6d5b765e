"""The metrics of a serving container that does not exist, moved by a plausible day's work.

The series are those of the real one (`ServingMetrics`), with their labels and buckets; only who moves them is pretended.
"""

from __future__ import annotations

import random
from typing import Final, Self

from prometheus_client import start_http_server

from avatar_workers.serving.metrics import ServingMetrics

_BUDGET_BYTES: Final = 2 * 2**30
_ADAPTER_BYTES: Final = 96 * 2**20
_HIT_SHARE: Final = 0.8
_LOADS_A_REFUSAL: Final = 6


class PlayedServing:
    """Publishes on a free port of this machine as long as the context.

    Args:
        seed: of everything that happens by chance.
    """

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._metrics = ServingMetrics()
        self._resident = self._asked = 0

    def __enter__(self) -> Self:
        self._metrics.adapter_budget_bytes.set(_BUDGET_BYTES)
        self._server, self._thread = start_http_server(0, "127.0.0.1", self._metrics.registry)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def address(self) -> str:
        """Where it can be scraped, as host:port."""
        return f"127.0.0.1:{self._server.server_port}"

    def work(self) -> None:
        """A second of work: some invocations, some of which load a personal model first."""
        self._metrics.invocations_in_progress.set(self._chance.randrange(4))
        for _ in range(self._chance.randrange(1, 4)):
            model = self._chance.choice(("base", "personal", "personal"))
            if model == "personal" and self._chance.random() > _HIT_SHARE and not self._load():
                self._metrics.invocations.labels(model, "InsufficientMemory").inc()
                continue
            self._metrics.draw_seconds.observe(self._chance.uniform(0.4, 2.5))
            self._metrics.pictures.labels(model).inc(4)
            self._metrics.invocations.labels(model, "Drawn").inc()

    def _load(self) -> bool:
        self._asked += 1
        if self._asked % _LOADS_A_REFUSAL == 0:
            self._metrics.loads.labels("InsufficientMemory").inc()
            return False
        if self._resident * _ADAPTER_BYTES >= 0.9 * _BUDGET_BYTES:
            self._metrics.evictions.inc()
            self._resident -= 1
        self._resident += 1
        self._metrics.loads.labels("Loaded").inc()
        self._metrics.load_seconds.observe(self._chance.uniform(0.05, 0.6))
        self._metrics.adapters.set(self._resident)
        self._metrics.adapter_bytes.set(self._resident * _ADAPTER_BYTES)
        return True
