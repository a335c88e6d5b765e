"""Ask for an outcome that is due, in case its notification got lost.

A worker says when it packages its artifact; seconds later the outcome lies in storage. If SageMaker's notification does
not arrive (somebody else took it from the queue, SNS failed), the sweeper would find the outcome after minutes. So from
a worker's last word on, the outcome is asked for by itself: a few seconds later, then ever more slowly, for as long as
the attempt runs. A forged last word costs a handful of questions.
"""

import asyncio
from collections.abc import Callable

from avatar_api.documents.training import TrainingProgressMessage
from avatar_api.endings import raw_active_attempt
from avatar_operator.kube.cache import ObjectCache, ObjectKey

FIRST_SECONDS = 3.0
LONGEST_SECONDS = 300.0


def is_nearly_done(message: TrainingProgressMessage) -> bool:
    """Whether a worker has nothing left to do but to hand over."""
    if message.stage == "Training":
        return 0 < message.total_steps <= message.step
    return message.stage == "Packaging"


class OutcomeReminders:
    """Timers, one for each attempt that is nearly done. Use from one event loop only.

    Args:
        cache: tells whether an attempt still runs.
        ask: has the outcome of a model's attempt asked for.
    """

    def __init__(self, cache: ObjectCache, ask: Callable[[ObjectKey], None]) -> None:
        self._cache = cache
        self._ask = ask
        self._timers: dict[str, asyncio.TimerHandle] = {}

    def expect(self, key: ObjectKey, inference_id: str) -> None:
        """An attempt of a model says that it is nearly done."""
        if inference_id not in self._timers and self._runs(key, inference_id):
            self._set(key, inference_id, FIRST_SECONDS)

    def _set(self, key: ObjectKey, inference_id: str, seconds: float) -> None:
        self._timers[inference_id] = asyncio.get_running_loop().call_later(
            seconds, self._due, key, inference_id, seconds
        )

    def _due(self, key: ObjectKey, inference_id: str, waited: float) -> None:
        del self._timers[inference_id]
        if self._runs(key, inference_id):
            self._ask(key)
            self._set(key, inference_id, min(2 * waited, LONGEST_SECONDS))

    def _runs(self, key: ObjectKey, inference_id: str) -> bool:
        body = self._cache.get(key)
        training = None if body is None else raw_active_attempt(body)
        return training is not None and training["inferenceId"] == inference_id
