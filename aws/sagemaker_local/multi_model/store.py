"""The models of one instance: downloaded, loaded, used, evicted.

    request ──> in memory? ──yes──────────────────────────────> POST /models/<hash>/invoke
                   │no: one load per model, however many wait
                   └─> on disk? ─no─> S3 ─> unpack ─> POST /models ─200/409─> loaded
                                                          └─507─> DELETE the least recently used ─> again

A request waits for its model for 60 s (then ModelNotReadyException), the load itself goes on for up to 360 s. An invoke that is
answered 404 means that the container has dropped the model: it is loaded again, once. 507 on an invoke frees another model and
tries again.

Sources: "Build Your Own Container for Multi-Model Endpoints" and "Invoke a Multi-Model Endpoint" in the SageMaker guide.
"""

from __future__ import annotations

import contextlib
import json
import logging
import shutil
import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout

from sagemaker_local.clock import Clock
from sagemaker_local.errors import AwsError, validation_error
from sagemaker_local.instances.archives import BadArchive, unpack
from sagemaker_local.instances.container_http import (
    ContainerAnswer,
    ContainerAnswerTooLarge,
    ContainerRefused,
    ContainerTimeout,
    ContainerUnreachable,
)
from sagemaker_local.instances.instance import Instance
from sagemaker_local.instances.model_data import MAX_MODEL_ARCHIVE_BYTES, not_an_archive
from sagemaker_local.multi_model.residency import Residency, Resident, opaque_name
from sagemaker_local.realtime.model_errors import from_answer, no_answer, timed_out
from sagemaker_local.s3_objects import S3Failure, S3Location, S3Objects

logger = logging.getLogger(__name__)

REQUEST_SECONDS = 60.0
LOAD_SECONDS = 360.0
DEFAULT_DISK_BUDGET_BYTES = 30 << 30
MAX_RESPONSE_BYTES = 6 * 1024 * 1024
_MAX_INVOKE_ATTEMPTS = 64


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
        cache: bool = True,
        disk_budget: int = DEFAULT_DISK_BUDGET_BYTES,
    ) -> None:
        self._instance = instance
        self._objects = objects
        self._clock = clock
        self._prefix = prefix
        self._cache = cache
        self._disk_budget = disk_budget
        self._residency = Residency()
        self._changed = threading.Condition()
        self._loads: dict[str, Future[None]] = {}
        # The container's memory changes while its answers are on their way: what is being loaded or unloaded, and how often
        # that has ended, tell a 507 that is already out of date from one that means it.
        self._in_transit = 0
        self._memory_changes = 0

    def holds(self, target: str) -> tuple[bool, bool]:
        """Whether the model is (in memory, on disk)."""
        with self._changed:
            model = self._residency.find(target)
            return (False, False) if model is None else (model.loaded, model.disk_bytes is not None)

    def invoke(self, target: str, headers: Mapping[str, str], body: bytes) -> ContainerAnswer:
        """Serve one request.

        Returns:
            The container's answer, when it is 2xx.

        Raises:
            AwsError: ModelNotReadyException, ModelError, or ValidationError when there is no such artifact.
            ContainerRefused: when the container never received the request.
        """
        deadline = time.monotonic() + self._clock.real(REQUEST_SECONDS)
        with self._changed:
            model = self._residency.begin_use(target)
        try:
            return self._invoke(model, headers, body, deadline)
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
        self, model: Resident, headers: Mapping[str, str], body: bytes, deadline: float
    ) -> ContainerAnswer:
        reloaded = False
        for _ in range(_MAX_INVOKE_ATTEMPTS):
            if not model.loaded:
                self._await_load(model, deadline)
            answer = self._call(
                "POST", f"/models/{opaque_name(model.target)}/invoke", deadline, headers=headers, body=body
            )
            if answer.status == 404 and not reloaded:
                reloaded = True
                with self._changed:
                    model.loaded = False
            elif answer.status == 507 and self._unload_one(sparing=model.target):
                continue
            elif 200 <= answer.status < 300:
                return answer
            else:
                break
        raise from_answer(answer, self._instance)

    def _await_load(self, model: Resident, deadline: float) -> None:
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

    def _load(self, model: Resident, load: Future[None]) -> None:
        """Runs on a thread of its own, whether or not somebody still waits."""
        with self._changed:
            self._residency.begin_use(model.target)
        failure: Exception | None = None
        try:
            deadline = time.monotonic() + self._clock.real(LOAD_SECONDS)
            if model.disk_bytes is None:
                self._download(model)
            self._load_into_container(model, deadline)
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

    def _download(self, model: Resident) -> None:
        name = opaque_name(model.target)
        directory = self._instance.models_dir / name
        archive = self._instance.directory / "tmp" / f"{name}.tar.gz"
        location = S3Location(
            self._prefix.bucket, f"{self._prefix.key.rstrip('/')}/{model.target}".lstrip("/")
        )
        try:
            self._objects.download(location, archive, MAX_MODEL_ARCHIVE_BYTES)
            size = unpack(archive, directory / "model")
        except S3Failure as error:
            raise validation_error(
                f"Failed to download model data(bucket: {location.bucket}, key: {location.key}). Please ensure that there is an "
                "object located at the URL and that the role passed to CreateModel has permissions to download the model."
            ) from error
        except BadArchive as error:
            shutil.rmtree(directory, ignore_errors=True)
            raise validation_error(not_an_archive(str(location), error)) from error
        finally:
            archive.unlink(missing_ok=True)
        with self._changed:
            leaving = self._residency.to_delete_from_disk(self._disk_budget, size)
            for other in leaving:
                other.disk_bytes = None
                shutil.rmtree(self._instance.models_dir / opaque_name(other.target), ignore_errors=True)
                self._residency.forget_if_absent(other)
            model.disk_bytes = size

    def _load_into_container(self, model: Resident, deadline: float) -> None:
        name = opaque_name(model.target)
        body = json.dumps(
            {"model_name": name, "url": str(self._instance.models_dir / name / "model")}
        ).encode()
        headers = {"Content-Type": "application/json"}
        while True:
            with self._changed:
                seen = self._memory_changes
                self._in_transit += 1
            answer: ContainerAnswer | None = None
            try:
                answer = self._call("POST", "/models", deadline, headers=headers, body=body)
            finally:
                with self._changed:
                    self._in_transit -= 1
                    if answer is not None and answer.status in (200, 409):
                        model.loaded = True
                        self._memory_changes += 1
                    self._changed.notify_all()
            if model.loaded:
                return
            if answer.status != 507 or not self._make_room(model.target, seen, deadline):
                raise from_answer(answer, self._instance)

    def _make_room(self, target: str, seen: int, deadline: float) -> bool:
        """Unload one unused model, or wait until memory changes by itself. False when neither can help.

        Arguments:
            seen: how often memory had changed when the container was asked to load `target`.
        """
        while not self._unload_one(sparing=target):
            with self._changed:
                if self._memory_changes != seen:
                    return True
                if self._residency.next_to_unload(target) is not None:
                    continue
                remaining = deadline - time.monotonic()
                others = self._in_transit > 0 or self._residency.anything_loaded_besides(target)
                if remaining <= 0 or not others:
                    return False
                self._changed.wait(remaining)
        return True

    def _unload_one(self, sparing: str) -> bool:
        with self._changed:
            victim = self._residency.next_to_unload(sparing)
            if victim is None:
                return False
            self._begin_unload(victim)
        self._finish_unload(victim)
        return True

    def _begin_unload(self, model: Resident) -> None:
        model.loaded = False
        self._in_transit += 1

    def _finish_unload(self, model: Resident) -> None:
        deadline = time.monotonic() + self._clock.real(LOAD_SECONDS)
        with contextlib.suppress(AwsError, ContainerRefused):
            self._call("DELETE", f"/models/{opaque_name(model.target)}", deadline)
        with self._changed:
            self._in_transit -= 1
            self._memory_changes += 1
            self._changed.notify_all()

    def _discard(self, model: Resident) -> None:
        with self._changed:
            if model.users:
                return
            loaded = model.loaded
            if loaded:
                self._begin_unload(model)
            model.disk_bytes = None
            shutil.rmtree(self._instance.models_dir / opaque_name(model.target), ignore_errors=True)
            self._residency.forget_if_absent(model)
        if loaded:
            self._finish_unload(model)

    def _call(
        self,
        method: str,
        path: str,
        deadline: float,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> ContainerAnswer:
        timeout = max(deadline - time.monotonic(), 0.001)
        try:
            return self._instance.call(
                method, path, timeout=timeout, headers=headers, body=body, limit=MAX_RESPONSE_BYTES
            )
        except ContainerRefused:
            raise
        except ContainerTimeout:
            raise timed_out(self._instance) from None
        except (ContainerUnreachable, ContainerAnswerTooLarge) as error:
            raise no_answer(self._instance, str(error)) from error
