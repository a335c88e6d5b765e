"""A whole operator whose runtime has quotas, and somebody who watches every version of every status.

Trainings and draws are simulated and take virtual seconds. Writes take a moment before they have their effect and another one
after it, as they really do, so that passes meet each other in the middle. What begins is remembered in its order, and whether
there was room for it is judged at once: a version of a status that shows one too many is remembered for ever.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from avatar_api.endings import raw_active_attempt, raw_request_has_ended
from avatar_api.group import AVATAR_MODEL, AVATAR_REQUEST, AVATAR_RUNTIME, Kind
from avatar_operator.kube.cache import ObjectKey, key_of
from avatar_operator.kube.client import Object
from builders.drawing_crowd import RUNTIME, SlowCompute, slow_backends
from builders.manifests import merged, model_manifest, request_manifest, runtime_manifest
from builders.whole_operator import ApiServer, LoopClock, Replica, Surroundings, now, until

TRAINING_SECONDS = 20
DRAW_SECONDS = 8.0
WRITE_SECONDS = 0.01
A_MOMENT = 1.0
"""In which the operator has seen an edit and done what follows from it."""


class SlowApiServer(ApiServer):
    """An API server whose writes take a moment."""

    async def apply_status(self, kind: Kind, observed: Object, status: Mapping[str, Any]) -> Object:
        """See KubeClient."""
        await asyncio.sleep(WRITE_SECONDS)
        written = await super().apply_status(kind, observed, status)
        await asyncio.sleep(WRITE_SECONDS)
        return written


@dataclass
class QuotaWatch:
    """What happens, and what should not.

    Attributes:
        around: what the replicas have around them.
        compute: trains and draws.
        replicas: of the operator.
        begun: names of models and requests that began, and when.
        too_many: what was seen beyond a quota, in words.
        seen: every object as it was seen last.
    """

    around: Surroundings
    compute: SlowCompute
    replicas: list[Replica] = field(default_factory=list)
    begun: list[tuple[str, float]] = field(default_factory=list)
    too_many: list[str] = field(default_factory=list)
    seen: dict[ObjectKey, Object] = field(default_factory=dict)
    _at_work: dict[ObjectKey, int] = field(default_factory=dict)
    _quotas: list[tuple[float, Mapping[str, int]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.around.kube.watch(self._saw)

    def train(self, *names: str, namespace: str = "team-a", **spec: Any) -> None:
        """Create models, a moment apart."""
        for name in names:
            self.around.clock.off_by += 1
            self.around.kube.create(AVATAR_MODEL, model_manifest(name=name, namespace=namespace, spec=spec))

    def draw(self, name: str, pictures: int, *, namespace: str = "team-a", **spec: Any) -> None:
        """Create a request for some pictures with the model `ann`."""
        self.around.clock.off_by += 1
        prompts = [{"prompt": "sks person", "numImages": 1, "seed": 7} for _ in range(pictures)]
        manifest = request_manifest(name=name, namespace=namespace, spec={"prompts": prompts, **spec})
        self.around.kube.create(AVATAR_REQUEST, manifest)

    def waves(self) -> list[set[str]]:
        """Names of those that began, together with those that began within the same moment."""
        waves: list[set[str]] = []
        last = -A_MOMENT
        for name, began in self.begun:
            if began - last >= A_MOMENT:
                waves.append(set())
            waves[-1].add(name)
            last = began
        return waves

    def set_quotas(self, **quotas: int | None) -> None:
        """Edit the runtime."""
        self.around.kube.edit(AVATAR_RUNTIME, "standard", {"quotas": quotas})

    def reason_of(self, kind: Kind, name: str, condition: str, *, namespace: str = "team-a") -> str:
        """Why a condition is as it is; empty if it is not there."""
        body = self.seen[ObjectKey(kind.kind, namespace, name)]
        conditions = body.get("status", {}).get("conditions", [])
        return next((one["reason"] for one in conditions if one["type"] == condition), "")

    def state_of(self, kind: Kind, name: str, *, namespace: str = "team-a") -> str:
        """What the column shows; empty if nobody has looked."""
        body = self.seen[ObjectKey(kind.kind, namespace, name)]
        return str(body.get("status", {}).get("state", ""))

    def waiting(self, kind: Kind) -> list[str]:
        """Names of the objects that wait for a quota."""
        return [
            key.name
            for key, body in self.seen.items()
            if key.kind == kind.kind and "WaitingForQuota" in str(body.get("status", {}).get("conditions"))
        ]

    def at_work(self, kind: Kind, namespace: str = "team-a") -> int:
        """How much of its quota a namespace uses."""
        return sum(
            count
            for key, count in self._at_work.items()
            if (key.kind, key.namespace) == (kind.kind, namespace)
        )

    async def until_state(self, kind: Kind, state: str, *names: str, within: float = 300) -> float:
        """Wait until objects of team-a are in a state; the seconds that it took are returned."""
        return await until(lambda: all(self.state_of(kind, name) == state for name in names), within=within)

    def leader(self) -> Replica:
        """The replica that leads."""
        return next(replica for replica in self.replicas if replica.leads)

    async def leader_dies(self) -> None:
        """The replica that leads ends in the middle of whatever it does, and another one leads."""
        leader = self.leader()
        ends, awake = len(leader.ends), leader.leadership.now
        leader.leadership.now = lambda: awake() + 60
        await until(lambda: len(leader.ends) > ends, within=60)
        await until(lambda: any(replica.leads for replica in self.replicas), within=60)

    def _saw(self, kind: Kind, body: Object, gone: bool) -> None:
        if kind == AVATAR_RUNTIME:
            self._quotas.append((now(), body["spec"].get("quotas", {})))
            return
        key = key_of(kind, body)
        self.seen[key] = body
        if gone:
            del self.seen[key]
        before = self._at_work.pop(key, 0)
        count = 0 if gone else _works(kind, body)
        if not count:
            return
        self._at_work[key] = count
        if not before:
            self.begun.append((key.name, now()))
            self._judge(kind, key.namespace)

    def _judge(self, kind: Kind, namespace: str) -> None:
        field_name = "maxRunningTrainings" if kind == AVATAR_MODEL else "maxWaitingPictures"
        # For a moment after an edit the operator may still go by what stood there before.
        since, _ = self._quotas[-1]
        valid = self._quotas[-1:] if now() - since > A_MOMENT else self._quotas[-2:]
        most = max(quotas.get(field_name) or 1_000_000 for _, quotas in valid)
        if self.at_work(kind, namespace) > most:
            self.too_many.append(f"{self.at_work(kind, namespace)} of {most} in {namespace} at {now()}")


def _works(kind: Kind, body: Object) -> int:
    if kind == AVATAR_MODEL:
        return int(raw_active_attempt(body) is not None)
    if "model" not in body.get("status", {}) or raw_request_has_ended(body):
        return 0
    return 0 if "deletionTimestamp" in body["metadata"] else len(body["spec"]["prompts"])


@asynccontextmanager
async def quotas_watched(*, replicas: int = 1, **quotas: int) -> AsyncIterator[QuotaWatch]:
    """Replicas of an operator, and a runtime with these quotas.

    Args:
        replicas: how many.
        quotas: as the spec spells them.
    """
    clock = LoopClock()
    backends, compute = slow_backends(clock, lambda: DRAW_SECONDS)
    watch = QuotaWatch(Surroundings(backends, clock, SlowApiServer), compute)
    spec = merged(
        RUNTIME, {"backend": {"simulated": {"trainingSeconds": TRAINING_SECONDS}}, "quotas": quotas}
    )
    async with watch.around.with_replicas(replicas) as watch.replicas:
        watch.around.kube.create(AVATAR_RUNTIME, runtime_manifest(spec=spec))
        yield watch
