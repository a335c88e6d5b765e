"""A namespace that is deleted with everything in it: all of it ends, in whatever order it goes, and nobody else waits."""

import asyncio
import random

import pytest

from avatar_api.group import AVATAR_MODEL, AVATAR_REQUEST, AVATAR_RUNTIME, Kind
from avatar_operator.backends.compute import ModelLoading
from avatar_operator.kube.client import KubeError, Object
from builders.backend import backends_of, denied
from builders.manifests import WITH_TOPIC, Changes, model_manifest, request_manifest, runtime_manifest
from builders.training_books import TrainingBooks
from builders.whole_operator import ApiServer, LoopClock, Surroundings, in_virtual_time, until

GOING, STAYING = "team-a", "team-b"
A_SWEEP = 310.0
LONGEST_STOP_SECONDS = 80.0
"""A training that does not say that it stopped is waited for, and so is a call that may draw."""
A_MOMENT = 5.0
MANY = 1000


class Terminating(ApiServer):
    """An API server that takes nothing new in a namespace which is being deleted, as a real one."""

    is_going = False

    async def create_event(self, namespace: str, event: Object) -> bool:
        """See KubeClient."""
        if self.is_going and namespace == GOING:
            message = f"unable to create new content in namespace {GOING} because it is being terminated"
            raise KubeError(f"403 Forbidden: {message}", status=403)
        return await super().create_event(namespace, event)


class Tenants:
    """Two namespaces with models at every stage, and requests that wait, have ended and were refused."""

    def __init__(self) -> None:
        clock = LoopClock()
        self.books = TrainingBooks(clock)
        self.around = Surroundings(backends_of(self.books), clock)
        self.kube = self.around.kube = Terminating(clock)

    async def settle_in(self) -> None:
        """Have everything at its stage."""
        self.kube.create(AVATAR_RUNTIME, runtime_manifest(spec=WITH_TOPIC))
        for namespace in (GOING, STAYING):
            self._apply_model("trained", namespace)
            self._apply_model("kept", namespace, {"deletionPolicy": "Retain"})
        await asyncio.sleep(A_MOMENT)
        for _ in range(4):
            self.books.worker_takes_the_next()
            self.books.worker_ends("ok")
        await asyncio.sleep(A_SWEEP)
        for namespace in (GOING, STAYING):
            self._apply_model("training", namespace)
            self._apply_model("refused", namespace, {"photos": {"s3Prefix": "s3://elsewhere/"}})
            self._apply_request("drawn", "trained", namespace)
            self._apply_request("retained", "kept", namespace, {"deletionPolicy": "Retain"})
            self._apply_request("waiting", "training", namespace)
            self._apply_request("lost", "nobody", namespace)
        await asyncio.sleep(A_MOMENT)
        self.books.worker_takes_the_next()
        self.books.worker_takes_the_next()
        self.books.script("draw", *[ModelLoading()] * MANY)
        for namespace in (GOING, STAYING):
            others = {"prompts": [{"prompt": "a photo of sks person", "seed": 8}]}
            self._apply_request("drawing", "trained", namespace, others)
        await asyncio.sleep(A_MOMENT)
        states = [body["status"]["state"] for _, body in self.going()]
        assert sorted(states) == [
            "Failed",
            "Pending",
            "Pending",
            "Queued",
            "Ready",
            "Ready",
            "Running",
            "Succeeded",
            "Succeeded",
        ]

    def apply_late_model(self) -> None:
        """A model of the namespace that stays."""
        self._apply_model("late", STAYING)

    def _apply_model(self, name: str, namespace: str, spec: Changes | None = None) -> None:
        self.kube.create(AVATAR_MODEL, model_manifest(name=name, namespace=namespace, spec=spec))

    def _apply_request(self, name: str, model: str, namespace: str, spec: Changes | None = None) -> None:
        spec = {"modelRef": {"name": model}, **(spec or {})}
        self.kube.create(AVATAR_REQUEST, request_manifest(name=name, namespace=namespace, spec=spec))

    def going(self) -> list[tuple[Kind, Object]]:
        """What is left in the namespace that goes."""
        return [
            (kind, body)
            for kind, body in self.kube.everything()
            if body["metadata"].get("namespace") == GOING
        ]

    async def delete_everything(self, order: random.Random) -> None:
        """As the namespace controller does, one object after another; the model of somebody who draws goes first."""
        self.kube.is_going = True
        self.kube.delete_as_user(AVATAR_MODEL, "trained", namespace=GOING)
        await asyncio.sleep(1.0)
        doomed = self.going()
        order.shuffle(doomed)
        for kind, body in doomed:
            self.kube.delete_as_user(kind, body["metadata"]["name"], namespace=GOING)
            await asyncio.sleep(order.choice([0.0, 0.01, 1.0]))

    def told_of(self, name: str, reason: str) -> bool:
        """Whether an Event says something of an object of the namespace that stays."""
        return any(
            event["reason"] == reason and event["regarding"]["name"] == name
            for (namespace, _), event in self.kube.events.items()
            if namespace == STAYING
        )


@pytest.mark.parametrize("seed", range(8))
def test_everything_of_a_namespace_ends_in_whatever_order_it_is_deleted(seed: int) -> None:
    async def story() -> None:
        tenants = Tenants()
        async with tenants.around.with_replicas(1) as (replica,):
            await tenants.settle_in()
            events = {name for name in tenants.kube.events if name[0] == GOING}
            await tenants.delete_everything(random.Random(seed))
            tenants.apply_late_model()

            await until(lambda: tenants.told_of("late", "TrainingSubmitted"), within=A_MOMENT)
            await until(lambda: not tenants.going(), within=LONGEST_STOP_SECONDS)

            assert {name for name in tenants.kube.events if name[0] == GOING} == events
            assert replica.sample("avatar_announcements_total", sink="Event", outcome="Refused") > 0
            assert replica.sample("avatar_announcements_total", sink="Event", outcome="GivenUp") == 0
            assert replica.sample("avatar_announcements_waiting", sink="Event") == 0
            assert [attempt.claim for attempt in tenants.books.attempts.values() if attempt.costs_money] == [
                "Worker",
                None,
            ]

    in_virtual_time(story())


def test_a_namespace_whose_data_cannot_be_removed_goes_all_the_same() -> None:
    async def story() -> None:
        tenants = Tenants()
        async with tenants.around.with_replicas(1) as (replica,):
            await tenants.settle_in()
            for verb in ("delete_model_data", "delete_request_data", "mark_retained", "delete_owned"):
                tenants.books.script(verb, *[denied()] * MANY)
            await tenants.delete_everything(random.Random(0))

            await until(lambda: not tenants.going(), within=700)

            assert replica.sample("avatar_announcements_waiting", sink="Event") == 0
            left = tenants.kube.read(AVATAR_RUNTIME, "standard")["status"]["leftBehind"]
            assert {entry["name"] for entry in left} >= {"trained", "kept", "training", "drawn"}

    in_virtual_time(story())
