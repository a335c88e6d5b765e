"""A queue as SQS keeps one, in virtual time, read by the operator's own consumer.

A message that was received is out of sight until it is deleted, put back, or its visibility time-out is over. Which of those
in sight come, and in what order, is chance.
"""

import asyncio
import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import EndpointConnectionError
from prometheus_client import CollectorRegistry

from avatar_operator.ingest.messages import OnHint
from avatar_operator.ingest.metrics import IngestMetrics
from avatar_operator.ingest.queue import BATCH, WAIT_SECONDS
from avatar_operator.ingest.sqs import Consumer

VISIBILITY_SECONDS = 30.0
LOOK_SECONDS = 0.2


@dataclass
class _Message:
    body: str
    visible_at: float = 0.0
    receipts: int = 0


class QueueInMemory:
    """One queue, and a source of hints for whoever has it.

    Args:
        seed: of what chance decides.
    """

    def __init__(self, seed: int = 0) -> None:
        self._chance = random.Random(seed)
        self._messages: dict[int, _Message] = {}
        self._sent = 0
        self.is_away = False

    def __len__(self) -> int:
        return len(self._messages)

    def tell_of_the_end(self, inference_id: str) -> None:
        """Send what SageMaker sends when an attempt has ended."""
        body = json.dumps({"eventName": "InferenceResult", "inferenceId": inference_id})
        self._messages[self._sent] = _Message(body)
        self._sent += 1

    async def run(self, on_hint: OnHint) -> None:
        """See HintSource."""
        consumer = Consumer("https://queue", "eu-central-1", on_hint, IngestMetrics(CollectorRegistry()))
        consumer._queue = self  # type: ignore[assignment]
        await consumer.run()

    async def receive(self) -> Sequence[Mapping[str, Any]]:
        """See Queue."""
        if self.is_away:
            raise EndpointConnectionError(endpoint_url="https://queue")
        for _ in range(int(WAIT_SECONDS / LOOK_SECONDS)):
            if self._in_sight():
                break
            await asyncio.sleep(LOOK_SECONDS)
        numbers = self._in_sight()
        return [self._hand_out(number) for number in self._chance.sample(numbers, min(BATCH, len(numbers)))]

    async def delete(self, messages: Sequence[Mapping[str, Any]]) -> None:
        """See Queue."""
        for message in messages:
            self._messages.pop(int(message["ReceiptHandle"]), None)

    async def put_back(self, rests: Mapping[str, int]) -> None:
        """See Queue."""
        for handle, seconds in rests.items():
            if int(handle) in self._messages:
                self._messages[int(handle)].visible_at = self._now() + seconds

    def _in_sight(self) -> list[int]:
        return [number for number, message in self._messages.items() if message.visible_at <= self._now()]

    def _hand_out(self, number: int) -> Mapping[str, Any]:
        message = self._messages[number]
        message.visible_at = self._now() + VISIBILITY_SECONDS
        message.receipts += 1
        return {
            "MessageId": str(number),
            "ReceiptHandle": str(number),
            "Body": message.body,
            "Attributes": {"ApproximateReceiveCount": str(message.receipts)},
        }

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()
