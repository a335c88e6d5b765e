"""InvokeEndpointAsync: accept, queue, and later write and notify."""

from __future__ import annotations

import logging
import threading
import uuid
from typing import Any

from botocore.exceptions import ClientError
from werkzeug.wrappers import Response

from sagemaker_local.async_inference.backlog_metrics import Backlog
from sagemaker_local.async_inference.execution import MAX_PAYLOAD_BYTES, lost_container
from sagemaker_local.async_inference.invocation import Failure, Invocation, Outcome, Success
from sagemaker_local.async_inference.locations import failure_location, output_location
from sagemaker_local.async_inference.notifications import TEST_NOTIFICATION, notification, topic
from sagemaker_local.async_inference.queue import InvocationQueue
from sagemaker_local.async_inference.redelivery import Redelivery
from sagemaker_local.async_inference.variant_metrics import VariantMetrics
from sagemaker_local.aws_clients import AwsClients
from sagemaker_local.clock import Clock, Scheduler
from sagemaker_local.control_plane.endpoint import Endpoint
from sagemaker_local.control_plane.specs import EndpointSpec
from sagemaker_local.errors import AwsError, json_response, validation_error, validation_exception
from sagemaker_local.metric_publishing import MetricPublisher
from sagemaker_local.persistence.invocation_journal import NOTHING_KEPT, InvocationJournal
from sagemaker_local.publishing import Publisher
from sagemaker_local.s3_objects import S3Failure, S3Location, S3Objects

logger = logging.getLogger(__name__)

MAX_INLINE_BYTES = 128_000


class AsyncDataPlane:
    """The queues of all asynchronous endpoints."""

    def __init__(
        self,
        clients: AwsClients,
        clock: Clock,
        scheduler: Scheduler,
        publisher: Publisher,
        metrics: MetricPublisher,
        redelivery: Redelivery,
        journal: InvocationJournal = NOTHING_KEPT,
    ) -> None:
        self._clients = clients
        self._clock = clock
        self._scheduler = scheduler
        self._publisher = publisher
        self._metrics = metrics
        self._redelivery = redelivery
        self._journal = journal
        self._lock = threading.Lock()
        self._queues: dict[Endpoint, InvocationQueue] = {}

    def invoke(self, endpoint: Endpoint, parameters: dict[str, Any], body: bytes) -> Response:
        """Accept one InvokeEndpointAsync call.

        Raises:
            AwsError: ValidationError for a call that AWS would refuse; ServiceUnavailable when the queue is full.
        """
        spec = endpoint.spec.asynchronous
        if spec is None:
            raise validation_error(f"Endpoint {endpoint.name} does not support asynchronous invocations.")
        if bool(body) == ("InputLocation" in parameters):
            raise validation_error("Exactly one of InputLocation and Body must be provided.")
        if len(body) > MAX_INLINE_BYTES:
            raise validation_error(f"Body exceeds {MAX_INLINE_BYTES} bytes; use InputLocation.")
        if "InputLocation" in parameters:
            try:
                S3Location.parse(parameters["InputLocation"])
            except ValueError as error:
                raise validation_error(str(error)) from error
        unique = uuid.uuid4()
        place = (parameters.get("S3OutputPathExtension"), parameters.get("Filename"), unique)
        invocation = Invocation(
            scope=endpoint.scope,
            endpoint=endpoint.name,
            inference_id=parameters.get("InferenceId") or str(uuid.uuid4()),
            parameters=parameters,
            spec=spec,
            output=output_location(spec.output_path, *place),
            failure=failure_location(spec.failure_path, *place) if spec.failure_path else None,
            received=self._clock.now(),
            inline=body or None,
            record=self._journal.name(endpoint),
        )
        self._journal.accepted(invocation)
        try:
            self._queue(endpoint).put(invocation)
        except AwsError:
            self._journal.ended(invocation)
            raise
        headers = {"X-Amzn-SageMaker-OutputLocation": str(invocation.output)}
        if invocation.failure is not None:
            headers["X-Amzn-SageMaker-FailureLocation"] = str(invocation.failure)
        return json_response({"InferenceId": invocation.inference_id}, 202, headers)

    def announce(self, endpoint: Endpoint, spec: EndpointSpec) -> None:
        """Send AWS's test notification to the topics of a configuration that is about to be deployed.

        Raises:
            AwsError: when a topic cannot be published to, or results would not go to S3; the deployment fails with it.
        """
        if spec.asynchronous is None:
            return
        for path in filter(None, (spec.asynchronous.output_path, spec.asynchronous.failure_path)):
            try:
                S3Location.parse(path)
            except ValueError as error:
                raise validation_exception(str(error)) from error
        for arn in filter(
            None, dict.fromkeys((spec.asynchronous.success_topic, spec.asynchronous.error_topic))
        ):
            try:
                self._publisher.publish(endpoint.scope, arn, TEST_NOTIFICATION)
            except ClientError as error:
                code = error.response["Error"]["Code"]
                raise validation_exception(f"Cannot publish to the topic {arn}: {code}") from error

    def restore(self, endpoint: Endpoint) -> None:
        """Take up what an earlier run of the server had accepted and not finished. Returns at once."""
        for invocation, running in self._journal.recorded(endpoint):
            if running and self._redelivery.most == 0:
                threading.Thread(
                    target=self._finish_lost, args=(endpoint, invocation), name="lost-invocation", daemon=True
                ).start()
            else:
                waited = (self._clock.now() - invocation.received).total_seconds()
                self._journal.put_back(invocation)
                self._queue(endpoint).put(invocation, max(waited, 0.0))

    def _finish_lost(self, endpoint: Endpoint, invocation: Invocation) -> None:
        """End an invocation that was running when the server was killed: its container died with it.

        Its output may have been written already; then only the notification is in doubt, and may come twice.
        """
        objects = S3Objects(self._clients, invocation.scope)
        try:
            outcome: Outcome = Success(*objects.read_typed(invocation.output, MAX_PAYLOAD_BYTES))
        except S3Failure:
            outcome = lost_container(invocation)
        self._finish(invocation, outcome, self._metrics_of(endpoint, None))

    def dispatch(self, endpoint: Endpoint) -> None:
        """An instance of the endpoint has room."""
        with self._lock:
            queue = self._queues.get(endpoint)
        if queue is not None:
            queue.dispatch()

    def backlog(self, endpoint: Endpoint) -> Backlog:
        """What an asynchronous endpoint has to do now. Cheap: for those who look often, such as an autoscaler."""
        return self._queue(endpoint).backlog()

    def sample_backlog(self, endpoint: Endpoint) -> None:
        """Tell CloudWatch an asynchronous endpoint's backlog now, also when it is idle. Returns at once."""
        self._queue(endpoint).metrics.sample()

    def forget(self, endpoint: Endpoint) -> None:
        """The endpoint is gone, and its queue with it."""
        with self._lock:
            queue = self._queues.pop(endpoint, None)
        if queue is not None:
            queue.close()
        self._journal.forget(endpoint)

    def _queue(self, endpoint: Endpoint) -> InvocationQueue:
        with self._lock:
            queue = self._queues.get(endpoint)
            if queue is None:
                objects = S3Objects(self._clients, endpoint.scope)
                queue = InvocationQueue(
                    endpoint,
                    objects,
                    self._clock,
                    self._scheduler,
                    self._metrics,
                    self._redelivery,
                    lambda variant: self._metrics_of(endpoint, variant),
                    self._finish,
                    self._journal,
                )
                self._queues[endpoint] = queue
            return queue

    def _metrics_of(self, endpoint: Endpoint, variant: str | None) -> VariantMetrics:
        name = variant or endpoint.spec.variants[0].name
        return VariantMetrics(self._metrics, endpoint.scope, endpoint.name, name)

    def _finish(self, invocation: Invocation, outcome: Outcome, metrics: VariantMetrics) -> None:
        objects, kms_key = S3Objects(self._clients, invocation.scope), invocation.spec.kms_key
        if not isinstance(outcome, Failure):
            try:
                with metrics.uploading():
                    objects.write(invocation.output, outcome.body, outcome.content_type, kms_key)
            except S3Failure as error:
                outcome = Failure.without_answer(
                    f"ClientError: Unable to upload the inference response payload: {error}"
                )
        if isinstance(outcome, Failure) and invocation.failure is not None:
            try:
                with metrics.uploading():
                    objects.write(invocation.failure, outcome.body, outcome.content_type, kms_key)
            except S3Failure as error:
                logger.warning(
                    "the failure of invocation %s was not written: %s", invocation.inference_id, error
                )
        arn = topic(invocation, outcome)
        if arn:
            self._publisher.notify(
                invocation.scope,
                arn,
                notification(invocation, outcome, self._clock.now()),
                metrics.notification_failed,
            )
        self._journal.ended(invocation)
