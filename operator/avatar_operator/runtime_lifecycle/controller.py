"""The effects of an AvatarRuntime's life."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import assert_never

from avatar_api.avatar_runtime import AvatarRuntime, AvatarRuntimeStatus
from avatar_api.group import AVATAR_MODEL, AVATAR_REQUEST, AVATAR_RUNTIME
from avatar_api.reading import read_object
from avatar_operator.backends.cleanup_report import CleanupReport
from avatar_operator.backends.selection import Backends
from avatar_operator.core.clock import Clock
from avatar_operator.core.decision import Retry
from avatar_operator.kube.cache import ObjectCache, ObjectKey
from avatar_operator.kube.client import Object
from avatar_operator.left_behind import LeftBehindRegister, directories_of
from avatar_operator.runtime_lifecycle.actions import (
    DeleteEndpoints,
    EndpointsDeleted,
    EndpointsSeen,
    EnsureEndpoints,
    RemovalTried,
    RemoveLeftBehind,
    RuntimeAction,
    RuntimeDraft,
    RuntimeFact,
)
from avatar_operator.runtime_lifecycle.lifecycle import decide, fold, summarise
from avatar_operator.runtime_lifecycle.observation import RuntimeObservation
from avatar_operator.runtime_lifecycle.users import Users, users_of


@dataclass
class RuntimeLifecycle:
    """An AvatarRuntime's observe and act.

    Attributes:
        topic_trouble: why the status topic of a runtime, given by name, cannot be told anything; None if it can.
    """

    cache: ObjectCache
    backends: Backends
    clock: Clock
    left_behind: LeftBehindRegister
    topic_trouble: Callable[[str], Retry | None]
    kind = AVATAR_RUNTIME

    async def observe(self, body: Object) -> RuntimeObservation:
        """Gather who uses the runtime, and how its topic is doing."""
        runtime = read_object(AvatarRuntime, body).object
        name, going = runtime.metadata.name, runtime.metadata.deletion_timestamp is not None
        return RuntimeObservation(
            now=self.clock.now(),
            runtime=runtime,
            users=self._users(name) if going else Users(),
            handed_over=self.left_behind.waiting(name),
            topic_trouble=self.topic_trouble(name),
        )

    def _users(self, name: str) -> Users:
        return users_of(name, self.cache.objects(AVATAR_MODEL), self.cache.objects(AVATAR_REQUEST))

    def decide(self, observation: RuntimeObservation) -> RuntimeDraft:
        """What to do. Pure."""
        return decide(observation)

    def summarise(self, observation: RuntimeObservation, draft: RuntimeDraft) -> RuntimeDraft:
        """Derive the summary from the details. Pure."""
        return summarise(observation, draft)

    def observed_status(self, observation: RuntimeObservation) -> AvatarRuntimeStatus:
        """The status as it was observed."""
        return observation.runtime.status

    def log_fields(self, status: AvatarRuntimeStatus) -> dict[str, object]:
        """Nothing that the conditions do not say."""
        return {}

    def written(self, observation: RuntimeObservation, status: AvatarRuntimeStatus) -> None:
        """What objects have handed over stands in the status, and waits no more."""
        self.left_behind.written(observation.runtime.metadata.name, status)

    def forget(self, key: ObjectKey) -> None:
        """Nothing is remembered."""

    async def perform(self, observation: RuntimeObservation, action: RuntimeAction) -> RuntimeFact:
        """Carry out one action.

        Raises:
            BackendError: it failed.
        """
        runtime = observation.runtime
        backend = self.backends.of(runtime)
        match action:
            case EnsureEndpoints():
                return EndpointsSeen(await backend.compute.ensure_endpoints(runtime))
            case DeleteEndpoints():
                return EndpointsDeleted(await backend.compute.delete_endpoints(runtime))
            case RemoveLeftBehind(entry=entry):
                reports = [
                    await backend.storage.delete_owned(runtime, directory)
                    for directory in directories_of(entry)
                ]
                left = tuple(words for report in reports for words in report.left_behind)
                return RemovalTried(entry, CleanupReport(left))
            case _:
                assert_never(action)

    def fold(self, observation: RuntimeObservation, draft: RuntimeDraft, fact: RuntimeFact) -> RuntimeDraft:
        """The draft with what an action learned. Pure."""
        return fold(observation, draft, fact)
