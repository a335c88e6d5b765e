"""AWS on one port.

    boto3 ──HTTP──> werkzeug (a thread per connection, kept alive)
                       │
                       ├─ of a web page, or by a foreign name: refused                             door.py
                       ├─ /_sagemaker_local/...   ours: call log, faults, clock                    control_api.py
                       ├─ an operation of ours    SageMaker, its data planes, scaling, moderation  own_operations.py, answering.py
                       └─ everything else         moto, untouched                                  moto_bridge.py

moto's server is a plain WSGI callable, so wrapping it costs no hop and changes nothing for S3, SNS, SQS, IAM or CloudWatch; our
own code reaches those through boto3 on the same port. Here all parts are put together, and each request finds its way.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Any

from werkzeug.wrappers import Request

from sagemaker_local import moto_bridge
from sagemaker_local.answering import Answering
from sagemaker_local.async_inference.data_plane import AsyncDataPlane
from sagemaker_local.async_inference.redelivery import Redelivery
from sagemaker_local.authorization.bucket_policies import bucket_denial
from sagemaker_local.authorization.expired_sessions import expiry_denial
from sagemaker_local.authorization.moto_checks import answer_moto
from sagemaker_local.calls import CallLog
from sagemaker_local.clock import Scheduler
from sagemaker_local.control_api import CONTROL_PATH, ControlApi
from sagemaker_local.control_plane.operations import ControlPlane
from sagemaker_local.control_plane.registry import EndpointRegistry
from sagemaker_local.delivery_faults import DeliveryFaults
from sagemaker_local.door import Door
from sagemaker_local.instances.host import InstanceHost
from sagemaker_local.living_endpoints import LivingEndpoints
from sagemaker_local.metric_publishing import MetricPublisher
from sagemaker_local.moderation.operations import Moderation
from sagemaker_local.own_operations import OwnOperations
from sagemaker_local.persistence.saved_state import SavedState
from sagemaker_local.protocol_errors import error_in_protocol
from sagemaker_local.publishing import Publisher
from sagemaker_local.realtime.data_plane import RealtimeDataPlane
from sagemaker_local.realtime.invocation_metrics import InvocationMetrics
from sagemaker_local.s3_faults import S3Faults
from sagemaker_local.scaling.activities import ActivityLog
from sagemaker_local.scaling.autoscaler import Autoscaler
from sagemaker_local.scaling.operations import ScalingOperations
from sagemaker_local.scaling.watched_metrics import WatchedMetrics
from sagemaker_local.unanswered import answered

logger = logging.getLogger(__name__)


class LocalAwsApplication:
    """The WSGI application: ours where it is ours, moto's everywhere else.

    Arguments:
        disk_budget: bytes of models that an instance of a multi-model endpoint keeps on its disk.
        redeliveries: how often an asynchronous invocation is run again after its container died.
        door: who is let in.
    """

    def __init__(
        self, host: InstanceHost, disk_budget: int, redeliveries: int, state: SavedState, door: Door
    ) -> None:
        clients, clock, faults = host.clients, host.clock, host.faults
        self.scheduler = Scheduler()
        self.metrics = MetricPublisher(clients)
        self._state = state
        self._door = door
        self._moto = moto_bridge.moto_application()
        self._s3_faults = S3Faults(faults)
        moto_bridge.show_moto_no_conditions()
        moto_bridge.let_listings_miss_what_goes()
        answer_moto()
        delivery_faults = DeliveryFaults(faults)
        delivery_faults.install()
        registry = EndpointRegistry()
        redelivery = Redelivery(redeliveries)
        asynchronous = AsyncDataPlane(
            clients,
            clock,
            self.scheduler,
            Publisher(clients, faults, self.scheduler),
            self.metrics,
            redelivery,
            state.invocations,
        )
        realtime = RealtimeDataPlane(clients, clock, self.scheduler, self.metrics, disk_budget)
        self.endpoints = LivingEndpoints(registry, host, asynchronous, state)
        activities = ActivityLog()
        invocation_metrics = InvocationMetrics(self.metrics)
        watched = WatchedMetrics(registry, invocation_metrics, asynchronous.sample_backlog)
        self.autoscaler = Autoscaler(registry, clock, activities, watched)
        self._moderation = Moderation(clients)
        self._own_operations = OwnOperations(
            self._moto,
            registry,
            ControlPlane(registry, host, self.endpoints.hooks),
            ScalingOperations(registry, self.autoscaler, activities),
            self._moderation,
            asynchronous,
            realtime,
            invocation_metrics,
        )
        calls = CallLog()
        self._answering = Answering(calls, faults)
        self._control_api = ControlApi(
            calls, faults, delivery_faults, self._moderation.rules, clock, redelivery, registry
        )

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        refusal = self._door.refusal(environ, environ["werkzeug.socket"].getsockname()[0])
        if refusal is not None:
            logger.warning("refused: %s", refusal.message)
            return error_in_protocol(environ, refusal)(environ, start_response)
        path = environ.get("PATH_INFO", "")
        if path.startswith(CONTROL_PATH):
            return self._control_api.answer(Request(environ))(environ, start_response)
        if path == "/moto-api/reset":
            self.endpoints.end_all()
            self.autoscaler.reset()
            self._moderation.rules.clear()
        operation = self._own_operations.find(environ)
        if operation is None:
            forwarded = self._forward_untouched(environ, start_response)
            self._state.settle(environ)
            return forwarded
        answer = self._answering.answer(operation, Request(environ))
        self._state.settle(environ)
        return answer(environ, start_response)

    def _forward_untouched(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        fault = self._s3_faults.answer(environ)
        if fault is not None:
            return fault(environ, start_response)
        denial = expiry_denial(environ) or bucket_denial(environ)
        if denial is not None:
            return denial(environ, start_response)
        return answered(self._moto, environ, start_response)
