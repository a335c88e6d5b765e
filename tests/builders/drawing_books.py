"""A backend that draws nothing and forgets nothing: judge and bookkeeper of who was drawn for which request.

A call that nobody hears the end of stores its pictures later, within the minute that SageMaker lets it run. A pass may be
caught in the middle: it waits at the backend until it is released, and the world goes on meanwhile.
"""

import asyncio
from collections import defaultdict
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from avatar_api.avatar_request import AvatarRequest
from avatar_api.avatar_runtime import AvatarRuntime
from avatar_operator.backends.cleanup_report import CleanupReport
from avatar_operator.backends.compute import DrawCall, Drawn, DrawResult, ModelLoading
from avatar_operator.locations import OwnedDirectory
from builders.backend import ScriptedBackend, denied, out_of_reach
from builders.clock import FakeClock
from builders.world import MODEL_KEY, World

Answer = Literal["given", "loading", "lost", "throttled", "refused"]
CALL_SECONDS = 60
"""SageMaker ends a call by then."""


@dataclass
class Pass:
    """One pass of one operator. `caught`: it goes on after something else has happened."""

    operator: World
    caught: bool = False


@dataclass(frozen=True)
class LateCall:
    """A call whose answer was lost; its pictures come when they come."""

    prefix: str
    names: frozenset[str]
    made: datetime


CURRENT: ContextVar[Pass] = ContextVar("the pass that calls")


class DrawingBooks(ScriptedBackend):
    """The ports Storage and Compute, and what became of every picture.

    Args:
        clock: dates the calls.
    """

    def __init__(self, clock: FakeClock) -> None:
        super().__init__()
        self._clock = clock
        self.stored: defaultdict[str, set[str]] = defaultdict(set)
        """By prefix, the names of what lies there."""
        self.drawn_with: defaultdict[str, set[str]] = defaultdict(set)
        """By prefix, every artifact that anything was drawn with."""
        self.late: list[LateCall] = []
        self.next_answer: Answer = "given"
        self.catch_next = False
        self.released = asyncio.Event()
        self.caught = asyncio.Event()

    async def draw(self, runtime: AvatarRuntime, call: DrawCall) -> DrawResult:
        """See Compute."""
        self._judge(call)
        self._answer("draw", call, None)
        answer, self.next_answer = self.next_answer, "given"
        names = frozenset(picture.file_name() for picture in call.pictures)
        self.drawn_with[call.output_prefix].add(call.target_model)
        await self._caught()
        match answer:
            case "loading":
                return ModelLoading()
            case "throttled":
                raise out_of_reach("Throttled")
            case "refused":
                raise denied("PromptTooLong")
            case "lost":
                self.late.append(LateCall(call.output_prefix, names, self._clock.now()))
                raise out_of_reach("InvocationTimedOut")
            case "given":
                self.stored[call.output_prefix] |= names
                return Drawn(generate_seconds=1.0)

    async def existing_pictures(self, runtime: AvatarRuntime, output_prefix: str) -> frozenset[str]:
        """See Storage."""
        self._answer("existing_pictures", output_prefix, None)
        await self._caught()
        return frozenset(self.stored[output_prefix])

    async def delete_request_data(self, runtime: AvatarRuntime, request: AvatarRequest) -> CleanupReport:
        """See Storage."""
        self._answer("delete_request_data", request.metadata.uid, None)
        assert request.status.storage_prefix is not None
        self.stored[request.status.storage_prefix].clear()
        return CleanupReport()

    async def holds_request_data(self, runtime: AvatarRuntime, request: AvatarRequest) -> bool:
        """See Storage."""
        self._answer("holds_request_data", request.metadata.uid, None)
        await self._caught()
        assert request.status.storage_prefix is not None
        return bool(self.stored[request.status.storage_prefix])

    async def delete_owned(self, runtime: AvatarRuntime, owner: OwnedDirectory) -> CleanupReport:
        """See Storage."""
        self._answer("delete_owned", owner, None)
        self.stored[owner.location].clear()
        return CleanupReport()

    def late_pictures_come(self, *, all_of_them: bool) -> None:
        """Calls that were lost end: those that must have by now, or all."""
        latest = self._clock.now() - timedelta(seconds=CALL_SECONDS)
        for call in tuple(self.late):
            if all_of_them or call.made <= latest:
                self.late.remove(call)
                self.stored[call.prefix] |= call.names

    def _judge(self, call: DrawCall) -> None:
        if CURRENT.get().caught:
            return
        cache = CURRENT.get().operator.cache
        model = cache.get(MODEL_KEY)
        assert model is not None, "drawn with a model that was seen to be gone"
        assert "deletionTimestamp" not in model["metadata"], "drawn with a model that was seen to go"
        owner = f"team-a/{model['metadata']['uid']}/"
        assert call.target_model.startswith(owner), f"{call.target_model} is not of {owner}"

    async def _caught(self) -> None:
        if self.catch_next:
            self.catch_next = False
            CURRENT.get().caught = True
            self.caught.set()
            await self.released.wait()
