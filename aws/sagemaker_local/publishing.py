"""SageMaker's own SNS messages, and what can be made to go wrong with them on demand."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from sagemaker_local.aws_clients import AwsClients, Scope
from sagemaker_local.clock import Scheduler
from sagemaker_local.faults import FaultBoard

logger = logging.getLogger(__name__)


class Publisher:
    """Publishes to SNS topics, through the fault board."""

    def __init__(self, clients: AwsClients, faults: FaultBoard, scheduler: Scheduler) -> None:
        self._clients = clients
        self._faults = faults
        self._scheduler = scheduler

    def notify(self, scope: Scope, topic: str, message: Mapping[str, Any]) -> None:
        """Publish an invocation's outcome. SNS's refusal is logged: SageMaker has nobody to tell."""
        fault = self._faults.take_notification(topic)
        copies = {"drop": 0, "duplicate": 2}.get(fault.action, 1) if fault else 1
        for _ in range(copies):
            if fault and fault.action == "delay":
                self._scheduler.after(fault.seconds, lambda: self._publish_or_log(scope, topic, message))
            else:
                self._publish_or_log(scope, topic, message)

    def publish(self, scope: Scope, topic: str, message: Mapping[str, Any]) -> None:
        """Publish without faults; raises what SNS raises."""
        self._clients.client("sns", scope).publish(
            TopicArn=topic, Message=json.dumps(message, separators=(",", ":"))
        )

    def _publish_or_log(self, scope: Scope, topic: str, message: Mapping[str, Any]) -> None:
        try:
            self.publish(scope, topic, message)
        except (ClientError, BotoCoreError) as error:
            logger.warning("the notification to %s was refused: %s", topic, error)
