"""Tell how far a training is: rarely, cheaply, and without ever standing in its way.

Progress is a hint (avatar_api.documents.training). A message goes out when the stage changes, at a stage's end, and
otherwise at most once an interval. A queue that cannot be reached costs one log line and one short time-out a minute.
"""

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

import boto3
import structlog
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from avatar_api.documents.training import (
    ObjectIdentity,
    ProgressDestination,
    Stage,
    TrainingProgressMessage,
    TrainingRequest,
)

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

SEND_TIMEOUT_SECONDS = 2
PAUSE_AFTER_FAILURE_SECONDS = 60.0

log = structlog.stdlib.get_logger(__name__)


class ProgressQueue(Protocol):
    """Where messages go. `send` must return soon, and must not raise."""

    def send(self, message: TrainingProgressMessage) -> None:
        """Send one message, or lose it."""
        ...


class SqsProgressQueue:
    """An SQS queue.

    Args:
        destination: the queue's URL.
        client: a boto3 SQS client; by default one that gives up fast.
    """

    def __init__(self, destination: ProgressDestination, client: "SQSClient | None" = None) -> None:
        self._queue_url = destination.queue_url
        self._sqs: SQSClient = client or boto3.client(
            "sqs",
            region_name=os.environ.get("AWS_REGION"),
            config=Config(
                connect_timeout=SEND_TIMEOUT_SECONDS,
                read_timeout=SEND_TIMEOUT_SECONDS,
                retries={"total_max_attempts": 1},
            ),
        )
        self._failed = False
        self._paused_until = 0.0

    def send(self, message: TrainingProgressMessage) -> None:
        """See ProgressQueue.send."""
        if time.monotonic() < self._paused_until:
            return
        try:
            self._sqs.send_message(
                QueueUrl=self._queue_url,
                MessageBody=message.model_dump_json(by_alias=True, exclude_none=True),
            )
        except (BotoCoreError, ClientError) as error:
            self._paused_until = time.monotonic() + PAUSE_AFTER_FAILURE_SECONDS
            if not self._failed:
                log.warning("progress cannot be sent; the training goes on", error=str(error))
            self._failed = True


class SilentProgressQueue:
    """For a request that names no queue."""

    def send(self, message: TrainingProgressMessage) -> None:
        """Nobody listens."""


class ProgressReporter:
    """Decides when a message is worth sending, and numbers the messages.

    Args:
        inference_id: names the attempt.
        model: on whose behalf.
        queue: takes the messages.
        interval_seconds: the least time between two messages of one stage.
        clock: seconds that only grow.
    """

    def __init__(
        self,
        inference_id: str,
        model: ObjectIdentity,
        queue: ProgressQueue,
        *,
        interval_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._inference_id = inference_id
        self._model = model
        self._queue = queue
        self._interval_seconds = interval_seconds
        self._clock = clock
        self._stage: Stage | None = None
        self._stage_began = 0.0
        self._sent = 0.0
        self._sequence = 0

    def report(self, stage: Stage, step: int = 0, total_steps: int = 0) -> None:
        """Say how far a stage is; the time that remains follows from the steps since the stage began.

        Args:
            stage: what is being done.
            step: steps done.
            total_steps: steps that the stage has, 0 if it has none.
        """
        now = self._clock()
        if stage != self._stage:
            self._stage, self._stage_began = stage, now
        elif now - self._sent < self._interval_seconds and step < total_steps:
            return
        elapsed = now - self._stage_began
        self._queue.send(
            TrainingProgressMessage(
                inference_id=self._inference_id,
                model=self._model,
                stage=stage,
                step=step,
                total_steps=total_steps,
                estimated_remaining_seconds=round(elapsed / step * (total_steps - step)) if step else None,
                sequence=self._sequence,
                time=datetime.now(UTC),
            )
        )
        self._sequence += 1
        self._sent = self._clock()


def reporter_for(request: TrainingRequest) -> ProgressReporter:
    """A reporter to the queue that the request names, or to nobody."""
    if request.progress is None:
        return ProgressReporter(
            request.inference_id, request.model, SilentProgressQueue(), interval_seconds=0
        )
    return ProgressReporter(
        request.inference_id,
        request.model,
        SqsProgressQueue(request.progress),
        interval_seconds=request.progress.interval_seconds,
    )
