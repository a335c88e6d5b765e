"""Tenants that have pictures drawn by a whole operator in virtual time: every queue and worker is the real one.

Only time is not: a draw takes as many virtual seconds as the crowd says, and nothing else takes any. Each draw remembers
which of the operator's workers made it, since what is promised is promised by worker.
"""

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from avatar_api.avatar_runtime import AvatarRuntime
from avatar_api.documents.training import TrainingRequest
from avatar_api.endings import raw_request_has_ended
from avatar_api.group import AVATAR_MODEL, AVATAR_REQUEST, AVATAR_RUNTIME
from avatar_operator.backends.attempts import Submission
from avatar_operator.backends.compute import DrawCall, Drawn, DrawResult
from avatar_operator.backends.failures import OutcomeUnknownError
from avatar_operator.backends.selection import Backend, Backends
from avatar_operator.backends.simulated import SimulatedCompute, SimulatedStorage
from avatar_operator.backends.simulated.objects import PretendedObjects
from avatar_operator.settings import OperatorSettings
from builders.manifests import SIMULATED, Changes, merged, model_manifest, request_manifest, runtime_manifest
from builders.whole_operator import LoopClock, Surroundings, now, until

WORKERS: int = OperatorSettings.model_fields["request_workers"].default
PICTURES = 64
"""Of one large request."""
A_DAY = 86_400
RUNTIME = {
    "backend": {**SIMULATED, "simulated": {"trainingSeconds": 1}},
    "limits": {"inference": {"queueDeadlineSeconds": A_DAY, "activeDeadlineSeconds": A_DAY}},
}
"""Simulated, and patient: what is drawn late is drawn all the same."""


@dataclass
class Draw:
    """One call of the endpoint.

    Attributes:
        namespace: whose pictures.
        request: uid of the request.
        worker: of the operator.
        began: virtual seconds.
        ended: likewise; None while it goes on.
    """

    namespace: str
    request: str
    worker: str
    began: float
    ended: float | None = None


class SlowCompute(SimulatedCompute):
    """The simulated backend, where drawing takes time.

    Args:
        objects: what it pretends to store.
        clock: dates that.
        seconds: gives the duration of the next draw.
    """

    def __init__(self, objects: PretendedObjects, clock: LoopClock, seconds: Callable[[], float]) -> None:
        super().__init__(objects, clock)
        self._seconds = seconds
        self.draws: list[Draw] = []
        self.loses_next_answer = False
        """The next submission does not arrive, and nobody can tell."""

    async def submit_training(
        self, runtime: AvatarRuntime, request: TrainingRequest, document: str
    ) -> Submission:
        """See Compute."""
        if self.loses_next_answer:
            self.loses_next_answer = False
            raise OutcomeUnknownError("the answer was lost")
        return await super().submit_training(runtime, request, document)

    async def draw(self, runtime: AvatarRuntime, call: DrawCall) -> DrawResult:
        """See Compute."""
        *_, namespace, uid, _ = call.output_prefix.split("/")
        task = asyncio.current_task()
        assert task is not None
        draw = Draw(namespace, uid, task.get_name(), now())
        self.draws.append(draw)
        await asyncio.sleep(self._seconds())
        await super().draw(runtime, call)
        draw.ended = now()
        return Drawn(generate_seconds=draw.ended - draw.began)


@dataclass
class Crowd:
    """Tenants of one operator that leads.

    Attributes:
        around: what it has around it.
        compute: draws, and remembers each draw.
    """

    around: Surroundings
    compute: SlowCompute
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    async def moves_in(self, namespace: str) -> None:
        """A tenant comes, and has one person trained."""
        self.around.kube.create(AVATAR_MODEL, model_manifest(namespace=namespace))
        await until(lambda: self._state_of_model(namespace) == "Ready", within=60)

    def asks_for(self, pictures: int, namespace: str) -> str:
        """A tenant creates a request; its uid is returned. Sixteen pictures of a prompt at most."""
        sizes = [min(16, pictures - first) for first in range(0, pictures, 16)]
        prompts = [{"prompt": "sks person", "numImages": size, "seed": 7} for size in sizes]
        name = f"request-{next(self._numbers):05}"
        manifest = request_manifest(name=name, namespace=namespace, spec={"prompts": prompts})
        uid: str = self.around.kube.create(AVATAR_REQUEST, manifest)["metadata"]["uid"]
        return uid

    def under_way(self) -> int:
        """How many draws are going on."""
        return sum(draw.ended is None for draw in self.compute.draws)

    async def until_everybody_draws(self) -> None:
        """Wait until every worker is at it."""
        await until(lambda: self.under_way() == WORKERS, within=60)

    async def until_drawn(self, request: str, *, within: float = A_DAY) -> Draw:
        """Wait for the first pictures of a request; the draw that made them is returned."""

        def first() -> list[Draw]:
            return [draw for draw in self.compute.draws if draw.request == request and draw.ended]

        await until(lambda: bool(first()), within=within)
        return first()[0]

    async def until_all_have_ended(self, *, within: float = A_DAY) -> None:
        """Wait for the end of every request."""
        await until(
            lambda: all(
                raw_request_has_ended(body)
                for kind, body in self.around.kube.everything()
                if kind == AVATAR_REQUEST
            ),
            within=within,
        )

    def worst_wait(self, first: Draw, since: float, until: float) -> int:
        """The most draws of others that one worker was busy with while a request waited.

        Args:
            first: the draw that made its first pictures.
            since: virtual seconds at which it was created.
            until: up to when draws of others are counted.
        """
        by_worker = Counter(
            draw.worker
            for draw in self.compute.draws
            if draw.namespace != first.namespace
            and draw.began < until
            and (draw.ended is None or draw.ended > since)
        )
        return max(by_worker.values(), default=0)

    def _state_of_model(self, namespace: str) -> str | None:
        status = self.around.kube.read(AVATAR_MODEL, "ann", namespace=namespace).get("status", {})
        state: str | None = status.get("state")
        return state


def slow_backends(clock: LoopClock, seconds: Callable[[], float]) -> tuple[Backends, SlowCompute]:
    """The simulated backend and what draws there.

    Args:
        clock: the operator's.
        seconds: gives the duration of the next draw.
    """
    objects = PretendedObjects(clock)
    compute = SlowCompute(objects, clock, seconds)
    return Backends({"simulated": Backend(SimulatedStorage(objects), compute)}), compute


@asynccontextmanager
async def a_crowd(
    *, draw_seconds: Callable[[], float], runtime: Changes | None = None
) -> AsyncIterator[Crowd]:
    """A runtime for everybody, and one operator that leads.

    Args:
        draw_seconds: gives the duration of the next draw.
        runtime: change to the runtime's spec.
    """
    clock = LoopClock()
    backends, compute = slow_backends(clock, draw_seconds)
    around = Surroundings(backends, clock)
    async with around.with_replicas(1):
        around.kube.create(AVATAR_RUNTIME, runtime_manifest(spec=merged(RUNTIME, runtime)))
        yield Crowd(around, compute)
