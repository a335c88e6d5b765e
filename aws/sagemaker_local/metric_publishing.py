"""SageMaker's metrics in CloudWatch: gathered in memory, written a second later, many at a time.

    data planes, queues ──record()──> statistics per metric and second ──PutMetricData, once a second──> CloudWatch (moto's)

Nothing is written on a request's path, and nothing runs while nobody records: the one thread here sleeps until the first
sample. Samples become statistic sets (SampleCount, Sum, Minimum, Maximum), one per metric and second however many samples
there were, because moto keeps every datum for ever. The price is that percentiles cannot be asked for; moto has none anyway.

Timestamps are the whole second in which a sample was recorded, so that a sample never slips into the next period.

Source: PutMetricData in the CloudWatch API reference (at most 1,000 data in a call).
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from sagemaker_local.aws_clients import AwsClients, Scope
from sagemaker_local.clock import Clock

logger = logging.getLogger(__name__)

GATHER_SECONDS = 1.0
MAX_DATA_PER_CALL = 500
MAX_PENDING_DATA = 50_000


@dataclass(frozen=True)
class Metric:
    """One CloudWatch metric.

    Attributes:
        namespace: for example `AWS/SageMaker`.
        unit: one of CloudWatch's units, for example `Microseconds`.
        dimensions: names and values, in the order in which they are written.
    """

    namespace: str
    name: str
    unit: str
    dimensions: tuple[tuple[str, str], ...]


@dataclass
class StatisticSet:
    """What CloudWatch needs to know about samples that it does not get one by one. Starts with its first sample."""

    minimum: float
    maximum: float
    total: float
    count: int = 1

    @classmethod
    def of(cls, value: float) -> StatisticSet:
        return cls(value, value, value)

    def add(self, value: float) -> None:
        self.minimum = min(self.minimum, value)
        self.maximum = max(self.maximum, value)
        self.total += value
        self.count += 1


@dataclass(frozen=True)
class _Bucket:
    scope: Scope
    metric: Metric
    second: datetime


class MetricPublisher:
    """Writes samples to CloudWatch, a little later.

    A sample that CloudWatch refuses is lost with a warning: metrics are never a reason for a request to fail.
    """

    def __init__(self, clients: AwsClients) -> None:
        self._clients = clients
        self._lock = threading.Lock()
        self._pending: dict[_Bucket, StatisticSet] = {}
        self._recorded = threading.Event()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="metric-publisher", daemon=True)
        self._thread.start()

    def record(self, scope: Scope, metric: Metric, value: float) -> None:
        """Add one sample, as of now. Never blocks on CloudWatch.

        Arguments:
            scope: the account and region that the metric belongs to.
            value: in the metric's unit.
        """
        bucket = _Bucket(scope, metric, Clock.now().replace(microsecond=0))
        with self._lock:
            known = self._pending.get(bucket)
            if known is not None:
                known.add(value)
                return
            if len(self._pending) >= MAX_PENDING_DATA:
                return
            self._pending[bucket] = StatisticSet.of(value)
        self._recorded.set()

    def close(self) -> None:
        """Stop writing. What was recorded in the last second is lost, as the server's CloudWatch is about to be."""
        self._closed.set()
        self._recorded.set()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        while True:
            self._recorded.wait()
            if self._closed.wait(GATHER_SECONDS):
                return
            with self._lock:
                self._recorded.clear()
                gathered, self._pending = self._pending, {}
            for scope, namespace, data in _calls(gathered):
                try:
                    self._clients.client("cloudwatch", scope).put_metric_data(
                        Namespace=namespace, MetricData=data
                    )
                except (ClientError, BotoCoreError) as error:
                    logger.warning("metrics did not reach CloudWatch: %s", error)


def _calls(gathered: dict[_Bucket, StatisticSet]) -> Iterator[tuple[Scope, str, list[dict[str, Any]]]]:
    """The PutMetricData calls that carry these samples: one account, region and namespace each."""
    by_destination: dict[tuple[Scope, str], list[dict[str, Any]]] = {}
    for bucket, statistics in gathered.items():
        by_destination.setdefault((bucket.scope, bucket.metric.namespace), []).append(
            _datum(bucket, statistics)
        )
    for (scope, namespace), data in by_destination.items():
        for start in range(0, len(data), MAX_DATA_PER_CALL):
            yield scope, namespace, data[start : start + MAX_DATA_PER_CALL]


def _datum(bucket: _Bucket, statistics: StatisticSet) -> dict[str, Any]:
    return {
        "MetricName": bucket.metric.name,
        "Dimensions": [{"Name": name, "Value": value} for name, value in bucket.metric.dimensions],
        "Timestamp": bucket.second,
        "Unit": bucket.metric.unit,
        "StatisticValues": {
            "SampleCount": statistics.count,
            "Sum": statistics.total,
            "Minimum": statistics.minimum,
            "Maximum": statistics.maximum,
        },
    }
