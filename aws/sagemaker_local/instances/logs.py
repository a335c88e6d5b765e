"""What containers print, on its way to CloudWatch Logs, where a SageMaker user looks for it.

Group `/aws/sagemaker/Endpoints/<endpoint>`, stream `<variant>/<instance id>`, as on AWS. One thread ships for all instances:
it sleeps until somebody prints, then waits half a second to send lines together. A stream is bounded, because a container that
prints in a loop must not fill the memory of the server.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from sagemaker_local.aws_clients import AwsClients, Scope

logger = logging.getLogger(__name__)

MAX_STREAM_EVENTS = 20_000
MAX_BATCH = 1_000
_GATHER_SECONDS = 0.5


@dataclass(frozen=True)
class LogStream:
    """Where one instance's lines go in CloudWatch Logs."""

    scope: Scope
    group: str
    stream: str


class LogShipper:
    """Puts lines into CloudWatch Logs, in order, a little later."""

    def __init__(self, clients: AwsClients) -> None:
        self._clients = clients
        self._pending: dict[LogStream, list[tuple[int, str]]] = defaultdict(list)
        self._sent: dict[LogStream, int] = defaultdict(int)
        self._lock = threading.Lock()
        self._emitted = threading.Event()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="log-shipper", daemon=True)
        self._thread.start()

    def emit(self, stream: LogStream, line: str) -> None:
        """Queue one line. Lines beyond `MAX_STREAM_EVENTS` of a stream are only kept in its file."""
        with self._lock:
            if self._sent[stream] >= MAX_STREAM_EVENTS:
                return
            self._sent[stream] += 1
            self._pending[stream].append((int(time.time() * 1000), line))
        self._emitted.set()

    def close(self) -> None:
        self._closed.set()
        self._emitted.set()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        while True:
            self._emitted.wait()
            if self._closed.wait(_GATHER_SECONDS):
                return
            with self._lock:
                self._emitted.clear()
                batches, self._pending = self._pending, defaultdict(list)
            for stream, events in batches.items():
                try:
                    self._put(stream, events)
                except (ClientError, BotoCoreError) as error:
                    logger.warning("container output did not reach CloudWatch Logs: %s", error)

    def _put(self, stream: LogStream, events: list[tuple[int, str]]) -> None:
        client = self._clients.client("logs", stream.scope)
        for start in range(0, len(events), MAX_BATCH):
            batch = [{"timestamp": at, "message": line} for at, line in events[start : start + MAX_BATCH]]
            put = {"logGroupName": stream.group, "logStreamName": stream.stream, "logEvents": batch}
            try:
                client.put_log_events(**put)
            except client.exceptions.ResourceNotFoundException:
                self._create(client, stream)
                client.put_log_events(**put)

    @staticmethod
    def _create(client: Any, stream: LogStream) -> None:
        for create, arguments in (
            (client.create_log_group, {"logGroupName": stream.group}),
            (client.create_log_stream, {"logGroupName": stream.group, "logStreamName": stream.stream}),
        ):
            try:
                create(**arguments)
            except client.exceptions.ResourceAlreadyExistsException:
                continue
