"""The models of one instance: downloaded, loaded, used, evicted.

    request ──> in memory? ──yes──────────────────────────────> POST /models/<hash>/invoke
                   │no: one load per model, however many wait
                   └─> on disk? ─no─> S3 ─> unpack ─> POST /models ─200/409─> loaded
                                      model_disk.py       └─507─> DELETE the least recently used ─> again
                                                                  container_memory.py

A request waits for its model for 60 s (then ModelNotReadyException), the load itself goes on for up to 360 s. An invoke that is
answered 404 means that the container has dropped the model: it is loaded again, once. 507 on an invoke frees another model and
tries again.

Sources: "Build Your Own Container for Multi-Model Endpoints" and "Invoke a Multi-Model Endpoint" in the SageMaker guide.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass

from sagemaker_local.clock import Clock
from sagemaker_local.errors import AwsError
from sagemaker_local.instances.container_http import ContainerAnswer, ContainerRefused
from sagemaker_local.instances.instance import Instance, State
from sagemaker_local.instances.model_listing import Judge
from sagemaker_local.multi_model.container_memory import LOAD_SECONDS, ContainerMemory
from sagemaker_local.multi_model.model_disk import ModelDisk
from sagemaker_local.multi_model.model_metrics import ModelMetrics
from sagemaker_local.multi_model.residency import Residency, Resident, opaque_name
from sagemaker_local.realtime.invocation_metrics import ModelTime
from sagemaker_local.realtime.model_errors import from_answer
from sagemaker_local.s3_objects import S3Location, S3Objects

logger = logging.getLogger(__name__)

REQUEST_SECONDS = 60.0
DEFAULT_DISK_BUDGET_BYTES = 30 << 30
_MAX_INVOKE_ATTEMPTS = 64


@dataclass(frozen=True)
class Holding:
    """What an instance has of a model.

    Attributes:
        requests: those that wait for it or use it.
    """

    loaded: bool
    on_disk: bool
    requests: int


class ModelStore:
    """What one instance of a multi-model endpoint holds.

    Arguments:
        prefix: the S3 prefix below which TargetModel names artifacts.
        cache: whether models stay after an invocation (ModelCacheSetting).
        disk_budget: bytes of unpacked models to keep on disk; unused ones are deleted beyond it.
    """

    def __init__(
        self,
        instance: Instance,
        objects: S3Objects,
        clock: Clock,
        prefix: S3Location,
        metrics: ModelMetrics,
        cache: bool = True,
        disk_budget: int = DEFAULT_DISK_BUDGET_BYTES,
    ) -> None:
        self._instance = instance
        self._clock = clock
        self._cache = cache
        self._metrics = metrics
        self._residency = Residency()
        self._changed = threading.Condition()
        self._loads: dict[str, Future[None]] = {}
        self._disk = ModelDisk(
            instance, objects, prefix, disk_budget, self._residency, self._changed, metrics
        )
        self._memory = ContainerMemory(instance, clock, self._residency, self._changed, metrics)

    def holds(self, target: str) -> Holding:
        """What this instance has of a model."""
        with self._changed:
            model = self._residency.find(target)
            if model is None:
                return Holding(loaded=False, on_disk=False, requests=0)
            requests = model.users - (target in self._loads)
            return Holding(model.loaded, model.disk_bytes is not None, requests)

    def expect_listing(self) -> Judge:
        """For `Instance.watch_models`: a model that the container lists no longer is loaded again when it is asked for."""
        return self._memory.expect_listing()

    def invoke(
        self, target: str, headers: Mapping[str, str], body: bytes, model_time: ModelTime
    ) -> ContainerAnswer:
        """Serve one request, and tell `model_time` when the container has it.

        Returns:
            The container's answer, when it is 2xx.

        Raises:
            AwsError: ModelNotReadyException, ModelError, or ValidationError when there is no such artifact.
            ContainerRefused: when the container never received the request.
        """
        deadline = time.monotonic() + self._clock.real(REQUEST_SECONDS)
        with self._changed:
            model = self._residency.begin_use(target)
            hit = model.loaded
        self._metrics.invoked(hit, self._loaded_models)
        try:
            return self._invoke(model, headers, body, model_time, deadline)
        finally:
            with self._changed:
                self._residency.end_use(model)
                discard = not self._cache and model.users == 0
                self._changed.notify_all()
            if discard:
                threading.Thread(
                    target=self._discard, args=(model,), name="uncached-model", daemon=True
                ).start()

    def _invoke(
        self,
        model: Resident,
        headers: Mapping[str, str],
        body: bytes,
        model_time: ModelTime,
        deadline: float,
    ) -> ContainerAnswer:
        reloaded = False
        for _ in range(_MAX_INVOKE_ATTEMPTS):
            if not model.loaded:
                self._await_load(model, deadline)
            with model_time.measured():
                answer = self._memory.invoke(model, headers, body, deadline)
            if answer.status == 404 and not reloaded:
                reloaded = True
                with self._changed:
                    model.loaded = False
            elif answer.status == 507 and self._memory.unload_one(sparing=model.target):
                continue
            elif 200 <= answer.status < 300:
                return answer
            else:
                break
        raise from_answer(answer, self._instance)

    def _await_load(self, model: Resident, deadline: float) -> None:
        began = time.monotonic()
        with self._changed:
            if model.loaded:
                return
            load = self._loads.get(model.target)
            if load is None:
                load = self._loads[model.target] = Future()
                threading.Thread(
                    target=self._load,
                    args=(model, load),
                    name=f"load-{opaque_name(model.target)[:8]}",
                    daemon=True,
                ).start()
        try:
            load.result(timeout=max(deadline - time.monotonic(), 0))
        except FutureTimeout:
            raise AwsError(
                "ModelNotReadyException",
                "The model is not ready: it is still being downloaded and loaded. Please retry your request.",
                429,
            ) from None
        finally:
            self._metrics.waited(time.monotonic() - began)

    def _load(self, model: Resident, load: Future[None]) -> None:
        """Runs on a thread of its own, whether or not somebody still waits."""
        with self._changed:
            self._residency.begin_use(model.target)
        failure: Exception | None = None
        try:
            deadline = time.monotonic() + self._clock.real(LOAD_SECONDS)
            if model.disk_bytes is None:
                self._disk.download(model)
            self._memory.load(model, deadline)
        except (AwsError, ContainerRefused) as error:
            failure = error
        except Exception as error:
            logger.exception("loading a model failed inside sagemaker-local")
            failure = AwsError("InternalFailure", str(error), 500)
        with self._changed:
            del self._loads[model.target]
            self._residency.end_use(model)
            self._changed.notify_all()
        if failure is None:
            load.set_result(None)
        else:
            load.set_exception(failure)

    def _discard(self, model: Resident) -> None:
        with self._changed:
            if model.users:
                return
            loaded = model.loaded
            if loaded:
                self._memory.begin_unload(model)
            self._disk.delete(model)
        if loaded:
            self._memory.finish_unload(model)

    def _loaded_models(self) -> int | None:
        with self._changed:
            return None if self._instance.state is State.ENDED else len(self._residency.loaded_targets())
