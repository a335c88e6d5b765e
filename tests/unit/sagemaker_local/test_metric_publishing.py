"""Samples reach CloudWatch together and lose nothing but their number."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any, cast

import pytest

from sagemaker_local import metric_publishing
from sagemaker_local.aws_clients import AwsClients, Scope
from sagemaker_local.metric_publishing import Metric, MetricPublisher

SCOPE = Scope("123456789012", "us-east-1", "test")
LATENCY = Metric("AWS/SageMaker", "ModelLatency", "Microseconds", (("EndpointName", "e"),))
ERRORS = Metric("AWS/SageMaker", "Invocation5XXErrors", "None", (("EndpointName", "e"),))


class FakeCloudWatch:
    """Keeps what is put; tells when so many samples have come."""

    def __init__(self, expected: int) -> None:
        self.calls: list[tuple[Scope, str, list[dict[str, Any]]]] = []
        self.complete = threading.Event()
        self._missing = expected

    def client(self, service: str, scope: Scope) -> Any:
        assert service == "cloudwatch"
        return _Client(self, scope)

    def take(self, scope: Scope, namespace: str, data: list[dict[str, Any]]) -> None:
        self.calls.append((scope, namespace, data))
        self._missing -= sum(datum["StatisticValues"]["SampleCount"] for datum in data)
        if self._missing <= 0:
            self.complete.set()

    def data(self, name: str) -> list[dict[str, Any]]:
        return [datum for _, _, data in self.calls for datum in data if datum["MetricName"] == name]


class _Client:
    def __init__(self, cloudwatch: FakeCloudWatch, scope: Scope) -> None:
        self._cloudwatch, self._scope = cloudwatch, scope

    def put_metric_data(self, *, Namespace: str, MetricData: list[dict[str, Any]]) -> None:  # noqa: N803
        self._cloudwatch.take(self._scope, Namespace, MetricData)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metric_publishing, "GATHER_SECONDS", 0.02)


@pytest.fixture
def cloudwatch() -> FakeCloudWatch:
    return FakeCloudWatch(expected=1000)


@pytest.fixture
def publisher(cloudwatch: FakeCloudWatch) -> Iterator[MetricPublisher]:
    publisher = MetricPublisher(cast(AwsClients, cloudwatch))
    yield publisher
    publisher.close()


def test_no_sample_is_lost_however_many_threads_record(
    publisher: MetricPublisher, cloudwatch: FakeCloudWatch
) -> None:
    def record() -> None:
        for value in range(1, 101):
            publisher.record(SCOPE, LATENCY, float(value))

    threads = [threading.Thread(target=record) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert cloudwatch.complete.wait(60)
    statistics = [datum["StatisticValues"] for datum in cloudwatch.data("ModelLatency")]
    assert sum(each["SampleCount"] for each in statistics) == 1000
    assert sum(each["Sum"] for each in statistics) == 10 * 5050
    assert min(each["Minimum"] for each in statistics) == 1
    assert max(each["Maximum"] for each in statistics) == 100


def test_accounts_and_metrics_are_kept_apart(publisher: MetricPublisher, cloudwatch: FakeCloudWatch) -> None:
    other = Scope("210987654321", "eu-west-1", "other")
    for _ in range(400):
        publisher.record(SCOPE, LATENCY, 1)
        publisher.record(other, LATENCY, 2)
    for _ in range(200):
        publisher.record(SCOPE, ERRORS, 0)
    assert cloudwatch.complete.wait(60)
    sums = dict.fromkeys((SCOPE, other), 0.0)
    for scope, _, data in cloudwatch.calls:
        sums[scope] += sum(datum["StatisticValues"]["Sum"] for datum in data)
    assert sums == {SCOPE: 400, other: 800}
    assert (
        sum(datum["StatisticValues"]["SampleCount"] for datum in cloudwatch.data("Invocation5XXErrors"))
        == 200
    )


def test_a_refusal_by_cloudwatch_does_not_stop_later_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    from botocore.exceptions import EndpointConnectionError

    cloudwatch = FakeCloudWatch(expected=1)
    refused = threading.Event()

    class Refusing:
        def client(self, service: str, scope: Scope) -> Any:
            if not refused.is_set():
                refused.set()
                raise EndpointConnectionError(endpoint_url="nowhere")
            return cloudwatch.client(service, scope)

    publisher = MetricPublisher(cast(AwsClients, Refusing()))
    try:
        publisher.record(SCOPE, LATENCY, 1)
        assert refused.wait(60)
        publisher.record(SCOPE, ERRORS, 1)
        assert cloudwatch.complete.wait(60)
    finally:
        publisher.close()
    assert cloudwatch.data("Invocation5XXErrors")


def test_a_publisher_without_samples_says_nothing() -> None:
    cloudwatch = FakeCloudWatch(expected=1)
    MetricPublisher(cast(AwsClients, cloudwatch)).close()
    assert cloudwatch.calls == []
