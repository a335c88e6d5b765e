"""SageMaker's own SNS messages, and what can be made to go wrong with them on demand."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from sagemaker_local.aws_clients import AwsClients, Scope
from sagemaker_local.clock import Scheduled, Scheduler
from sagemaker_local.faults import FaultBoard

logger = logging.getLogger(__name__)

MAX_MESSAGE_BYTES = 256 * 1024
"""What SNS takes (Publish in the API reference: 262,144 bytes)."""


def encoded(message: Mapping[str, Any]) -> str:
    """A message as it is published: JSON in ASCII, so that its characters are its bytes."""
    return json.dumps(message, separators=(",", ":"))


class Publisher:
    """Publishes to SNS topics, through the fault board."""

    def __init__(self, clients: AwsClients, faults: FaultBoard, scheduler: Scheduler) -> None:
        self._clients = clients
        self._faults = faults
        self._scheduler = scheduler
        self._lock = threading.Lock()
        self._held: dict[str, list[Scheduled]] = {}

    def notify(
        self, scope: Scope, topic: str, message: Mapping[str, Any], refused: Callable[[], None]
    ) -> None:
        """Publish an invocation's outcome. SNS's refusal is logged: SageMaker has nobody to tell.

        Arguments:
            refused: called each time that SNS refuses it, now or later.
        """

        def publish() -> None:
            self._publish_or_log(scope, topic, message, refused)

        fault = self._faults.take_notification(topic, str(message.get("inferenceId", "")))
        action = fault.action if fault else "publish"
        if fault and action == "reorder":
            self._hold(topic, fault.seconds, publish)
            return
        for _ in range({"drop": 0, "duplicate": 2}.get(action, 1)):
            if fault and action == "delay":
                self._scheduler.after(fault.seconds, publish)
            else:
                publish()
        if action != "drop":
            self._let_go(topic)

    def publish(self, scope: Scope, topic: str, message: Mapping[str, Any]) -> None:
        """Publish without faults; raises what SNS raises."""
        self._clients.client("sns", scope).publish(TopicArn=topic, Message=encoded(message))

    def _hold(self, topic: str, seconds: float, publish: Callable[[], None]) -> None:
        """Publish after the topic's next message, and after so many real seconds at the latest."""
        overtaken = self._scheduler.after(seconds, publish)
        with self._lock:
            self._held.setdefault(topic, []).append(overtaken)

    def _let_go(self, topic: str) -> None:
        with self._lock:
            held = self._held.pop(topic, [])
        for overtaken in held:
            overtaken.run()

    def _publish_or_log(
        self, scope: Scope, topic: str, message: Mapping[str, Any], refused: Callable[[], None]
    ) -> None:
        try:
            self.publish(scope, topic, message)
        except (ClientError, BotoCoreError) as error:
            logger.warning("the notification to %s was refused: %s", topic, error)
            refused()
