"""What users do while somebody watches: they train, draw, fail and delete, a little of it every second."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from benchmarks.operator_load.api_server import ApiServer, Object
from benchmarks.operator_load.stage import simulated_model, simulated_runtime
from e2e.flight import Flight

MODELS: Final = "avatarmodels"
REQUESTS: Final = "avatarrequests"
_WORDS: Final = ("unhurried", "blurry", "sks", "oops", "unhurried")
"""How the trainings of a tenant go, one after the other (`e2e.stand_in_worker`)."""
_SECONDS_A_MODEL, _SECONDS_A_CROWD_MODEL, _SECONDS_A_LOOK, _SECONDS_A_DELETION = 3, 2, 4, 15
_THROTTLED_AT, _THROTTLED_CALLS = 12, 3
_SECONDS_A_LEAVING, _MODELS_LEFT = 8, 3
_RUNNING_TRAININGS = 2
_LEAVING: Final = "studio-that-leaves"


def every_second(do: Callable[[], None], enough: Callable[[], bool]) -> None:
    """Do something each second, or as often as it can be done, until it is enough."""
    while not enough():
        second = time.monotonic()
        do()
        time.sleep(max(0.0, 1.0 - (time.monotonic() - second)))


class Load:
    """What befalls a system.

    Args:
        api: where users say what they want.
        tenants: who is served by an AWS; all by the same.
    """

    def __init__(self, api: ApiServer, tenants: list[Flight]) -> None:
        self._api, self._tenants = api, tenants
        self._second = 0
        self._models = 0
        self._drawn: set[tuple[str, str]] = set()
        self._queue_is_lost = False

    def begin(self) -> None:
        """Make the runtimes: one for each tenant, with a quota that will be felt, and a simulated one."""
        for tenant in self._tenants:
            tenant.upload_photos()
            quotas = {"maxRunningTrainings": _RUNNING_TRAININGS}
            self._api.create("avatarruntimes", tenant.runtime_manifest(quotas=quotas))
        runtime = simulated_runtime(training_seconds=4)
        runtime["spec"]["backend"]["simulated"]["failurePercent"] = 20
        self._api.create("avatarruntimes", runtime)

    def go_on(self) -> None:
        """The next second's doings."""
        self._second += 1
        if self._second % _SECONDS_A_MODEL == 0:
            self._train()
        if self._second % _SECONDS_A_CROWD_MODEL == 0:
            self._api.create(MODELS, simulated_model(f"one-of-many-{self._second:03}"))
        if self._second % _SECONDS_A_LOOK == 0:
            self._draw()
        if self._second % _SECONDS_A_DELETION == 0:
            self._delete()
        if self._second % _THROTTLED_AT == 0:
            self._tenants[0].aws.add_fault(kind="api", api="InvokeEndpoint*", times=_THROTTLED_CALLS)
        if self._second % _SECONDS_A_LEAVING == 0:
            self._leave()

    def _train(self) -> None:
        word = _WORDS[self._models % len(_WORDS)]
        name = f"person-{self._models:03}"
        # The first tenant has twice the work of each other.
        tenant = ([self._tenants[0], *self._tenants])[self._models % (len(self._tenants) + 1)]
        self._api.create(MODELS, tenant.model_manifest(name, token=word))
        self._models += 1

    def _leave(self) -> None:
        """A tenant leaves while its models are trained: the API server takes no Event about them any more."""
        cluster, namespace = self._tenants[0].cluster, f"{_LEAVING}-{self._second:03}"
        cluster.create_namespace(namespace)
        names = [f"one-of-few-{number}" for number in range(_MODELS_LEFT)]
        self._api.create(MODELS, *(simulated_model(name, namespace) for name in names))
        cluster.delete_namespace(namespace)

    def _draw(self) -> None:
        """Pictures of every model that has become ready, unless its tenant has left."""
        by_namespace = {tenant.namespace: tenant for tenant in self._tenants}
        for model in self._objects(MODELS, "Ready"):
            namespace, name = model["metadata"]["namespace"], model["metadata"]["name"]
            if namespace.startswith(_LEAVING) or (namespace, name) in self._drawn:
                continue
            self._drawn.add((namespace, name))
            self._lose_the_queue_of(namespace)
            tenant = by_namespace.get(namespace, self._tenants[0])
            request = tenant.request_manifest(f"pictures-of-{name}", name)
            request["metadata"]["namespace"] = namespace
            self._api.create(REQUESTS, request)

    def _lose_the_queue_of(self, namespace: str) -> None:
        """Have the last tenant's queue deleted by somebody, once it has told of a training."""
        if namespace == self._tenants[-1].namespace and not self._queue_is_lost:
            self._tenants[-1].lose_the_queue()
            self._queue_is_lost = True

    def _delete(self) -> None:
        self._api.delete(MODELS, self._objects(MODELS, "Failed")[:2])
        self._api.delete(REQUESTS, self._objects(REQUESTS, "Succeeded")[:2])

    def _objects(self, plural: str, state: str) -> list[Object]:
        return [body for body in self._api.objects(plural) if body.get("status", {}).get("state") == state]
