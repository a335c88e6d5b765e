"""What CloudWatch learns of the invocations that one variant of an asynchronous endpoint has had.

    InvocationsProcessed, InvocationFailures, ExpiredRequests    counts
    TimeInBacklog, TotalProcessingTime                           milliseconds
    RequestDownloadFailures, ResponseUploadFailures, NotificationFailures    1 for each failure, nothing else
    RequestDownloadLatency, ModelLatency, ResponseUploadLatency  microseconds; of what was downloaded, answered, uploaded
    Invocation4XXErrors, Invocation5XXErrors                     1 for a model's answer of that kind, else 0; no answer is a 5XX

All with dimensions EndpointName and VariantName. Invocations, InvocationsPerInstance and OverheadLatency are not among them: AWS
publishes those for real-time endpoints only, which is why a policy on InvocationsPerInstance never scales an asynchronous one.

Source: "Alarms and logs for tracking metrics from asynchronous endpoints" in the SageMaker guide. Its spelling of the number of
processed invocations, `InvocationsProcesssed`, is written beside the correct one: nobody outside knows which one AWS uses.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from sagemaker_local.aws_clients import Scope
from sagemaker_local.instances.container_http import ContainerAnswer, ContainerRefused
from sagemaker_local.metric_publishing import Metric, MetricPublisher
from sagemaker_local.s3_objects import S3Failure

NAMESPACE = "AWS/SageMaker"
_NO_ANSWER = 500


class ModelCall:
    """One request to a container; `answered` is told what it answered, when it does."""

    def __init__(self) -> None:
        self.status = _NO_ANSWER

    def answered(self, answer: ContainerAnswer) -> None:
        self.status = answer.status


class VariantMetrics:
    """Records what becomes of one variant's invocations. All arguments are real seconds."""

    def __init__(self, publisher: MetricPublisher, scope: Scope, endpoint: str, variant: str) -> None:
        self._publisher = publisher
        self._scope = scope
        self._dimensions = (("EndpointName", endpoint), ("VariantName", variant))

    @contextmanager
    def downloading(self) -> Iterator[None]:
        """A request's payload is fetched from S3; S3Failure is counted and passes on."""
        with self._transfer("RequestDownload"):
            yield

    @contextmanager
    def uploading(self) -> Iterator[None]:
        """A response, or the news of a failure, is written to S3; S3Failure is counted and passes on."""
        with self._transfer("ResponseUpload"):
            yield

    @contextmanager
    def model_called(self) -> Iterator[ModelCall]:
        """The container is given a request. What is raised means that it gave no answer, or, ContainerRefused, never had it."""
        began, call = time.monotonic(), ModelCall()
        try:
            yield call
        except ContainerRefused:
            raise
        except Exception:
            self._called(call, time.monotonic() - began)
            raise
        self._called(call, time.monotonic() - began)

    def notification_failed(self) -> None:
        """SNS refused the news of an outcome."""
        self._record("NotificationFailures", 1.0)

    def processed(self, failed: bool, waited: float, total: float) -> None:
        """An instance has had an invocation, and its outcome has been told.

        Arguments:
            waited: in the queue.
            total: since it was accepted.
        """
        for spelling in ("InvocationsProcessed", "InvocationsProcesssed"):
            self._record(spelling, 1.0)
        self._record("InvocationFailures", float(failed))
        self._record("TimeInBacklog", waited * 1000, "Milliseconds")
        self._record("TotalProcessingTime", total * 1000, "Milliseconds")

    def expired(self) -> None:
        """A request's time to live ended in the queue."""
        self._record("ExpiredRequests", 1.0)

    def _called(self, call: ModelCall, seconds: float) -> None:
        self._microseconds("ModelLatency", seconds)
        self._record("Invocation4XXErrors", float(400 <= call.status < 500))
        self._record("Invocation5XXErrors", float(call.status >= 500))

    @contextmanager
    def _transfer(self, name: str) -> Iterator[None]:
        began = time.monotonic()
        try:
            yield
        except S3Failure:
            self._record(f"{name}Failures", 1.0)
            raise
        self._microseconds(f"{name}Latency", time.monotonic() - began)

    def _microseconds(self, name: str, seconds: float) -> None:
        self._record(name, seconds * 1_000_000, "Microseconds")

    def _record(self, name: str, value: float, unit: str = "None") -> None:
        self._publisher.record(self._scope, Metric(NAMESPACE, name, unit, self._dimensions), value)
