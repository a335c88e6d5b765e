"""The models in a container's memory: loaded, invoked and unloaded through the container's models API.

    POST /models           200, 409: in memory      507: unload the least recently used, or wait for one to come free, and again
    POST /models/<hash>/invoke
    DELETE /models/<hash>
    GET /models            (asked by the instance, beside each ping) what is not listed is not in memory

Source: "Build Your Own Container for Multi-Model Endpoints" in the SageMaker guide.
"""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Mapping

from sagemaker_local.clock import Clock
from sagemaker_local.errors import AwsError
from sagemaker_local.instances.container_http import (
    ContainerAnswer,
    ContainerAnswerTooLarge,
    ContainerRefused,
    ContainerTimeout,
    ContainerUnreachable,
)
from sagemaker_local.instances.instance import Instance
from sagemaker_local.instances.model_listing import Judge
from sagemaker_local.multi_model.model_metrics import ModelMetrics
from sagemaker_local.multi_model.residency import Residency, Resident, opaque_name
from sagemaker_local.realtime.model_errors import from_answer, no_answer, timed_out

LOAD_SECONDS = 360.0
MAX_RESPONSE_BYTES = 6 * 1024 * 1024


class ContainerMemory:
    """One container's memory. Deadlines are of `time.monotonic`.

    Arguments:
        residency: which models are there; guarded by `changed`, which is notified when that may have changed.
    """

    def __init__(
        self,
        instance: Instance,
        clock: Clock,
        residency: Residency,
        changed: threading.Condition,
        metrics: ModelMetrics,
    ) -> None:
        self._instance = instance
        self._clock = clock
        self._residency = residency
        self._changed = changed
        self._metrics = metrics
        # Memory changes while the container's answers are on their way: what is being loaded or unloaded, and how often that
        # has ended, tell a 507 that is already out of date from one that means it.
        self._in_transit = 0
        self._memory_changes = 0

    def load(self, model: Resident, deadline: float) -> None:
        """Bring a model that is on disk into memory, in place of others if need be.

        Raises:
            AwsError: ModelError, when the container refuses it or there is no room.
            ContainerRefused: when the container was not reached.
        """
        name = opaque_name(model.target)
        url = str(self._instance.models_dir / name / "model")
        body = json.dumps({"model_name": name, "url": url}).encode()
        headers = {"Content-Type": "application/json"}
        while True:
            with self._changed:
                seen = self._memory_changes
                self._in_transit += 1
            began = time.monotonic()
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
            if answer.status in (200, 409):
                self._metrics.loaded(time.monotonic() - began)
                return
            if answer.status != 507 or not self._make_room(model.target, seen, deadline):
                raise from_answer(answer, self._instance)

    def invoke(
        self, model: Resident, headers: Mapping[str, str], body: bytes, deadline: float
    ) -> ContainerAnswer:
        """Pass one request on. Returns the container's answer, whatever its status."""
        path = f"/models/{opaque_name(model.target)}/invoke"
        return self._call("POST", path, deadline, headers=headers, body=body)

    def expect_listing(self) -> Judge:
        """Called before the container is asked what it has; what it returns is given the answer.

        An answer is believed only when nothing was being loaded or unloaded while it was on its way.
        """
        with self._changed:
            seen, quiet = self._memory_changes, self._in_transit == 0

        def judge(names: frozenset[str]) -> None:
            with self._changed:
                unchanged = quiet and self._in_transit == 0 and self._memory_changes == seen
                if unchanged and self._residency.keep_loaded(names):
                    self._memory_changes += 1
                    self._changed.notify_all()

        return judge

    def unload_one(self, sparing: str) -> bool:
        """Unload the least recently used model that nobody uses. False when there is none."""
        with self._changed:
            victim = self._residency.next_to_unload(sparing)
            if victim is None:
                return False
            self.begin_unload(victim)
        self.finish_unload(victim)
        return True

    def begin_unload(self, model: Resident) -> None:
        """From now on the model counts as not loaded. The caller holds the lock and calls `finish_unload` without it."""
        model.loaded = False
        self._in_transit += 1

    def finish_unload(self, model: Resident) -> None:
        """Tell the container, which has freed the memory when it answers."""
        deadline = time.monotonic() + self._clock.real(LOAD_SECONDS)
        began = time.monotonic()
        with contextlib.suppress(AwsError, ContainerRefused):
            self._call("DELETE", f"/models/{opaque_name(model.target)}", deadline)
            self._metrics.unloaded(time.monotonic() - began)
        with self._changed:
            self._in_transit -= 1
            self._memory_changes += 1
            self._changed.notify_all()

    def _make_room(self, target: str, seen: int, deadline: float) -> bool:
        """Unload one unused model, or wait until memory changes by itself. False when neither can help.

        Arguments:
            seen: how often memory had changed when the container was asked to load `target`.
        """
        while not self.unload_one(sparing=target):
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
