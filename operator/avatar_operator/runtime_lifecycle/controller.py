"""The effects of an AvatarRuntime's life."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import assert_never

from avatar_api.avatar_runtime import AvatarRuntime, AvatarRuntimeStatus, EndpointStatus, LeftBehind
from avatar_api.group import AVATAR_MODEL, AVATAR_REQUEST, AVATAR_RUNTIME
from avatar_api.reading import read_object
from avatar_operator.announcements.place_troubles import PlaceTrouble
from avatar_operator.backends.cleanup_report import CleanupReport
from avatar_operator.backends.compute import EndpointsFacts
from avatar_operator.backends.selection import Backends
from avatar_operator.backends.storage import Storage
from avatar_operator.core.clock import Clock
from avatar_operator.kube.cache import ObjectCache, ObjectKey
from avatar_operator.kube.client import Object
from avatar_operator.kube.memory import Memory
from avatar_operator.left_behind.entries import directories_of
from avatar_operator.left_behind.register import LeftBehindRegister
from avatar_operator.orphans.findings import OrphanFindings
from avatar_operator.runtime_lifecycle.actions import (
    DeleteEndpoints,
    EndpointRetired,
    EndpointsDeleted,
    EndpointsSeen,
    EnsureEndpoints,
    FormerEndpoint,
    RemovalTried,
    RemoveLeftBehind,
    RetireEndpoint,
    RuntimeAction,
    RuntimeDraft,
    RuntimeFact,
)
from avatar_operator.runtime_lifecycle.belief import LEFT_BEHIND, believed_left_behind
from avatar_operator.runtime_lifecycle.idle import IdleMeter, IdleTime, idle_instances
from avatar_operator.runtime_lifecycle.lifecycle import decide, fold, summarise
from avatar_operator.runtime_lifecycle.notes import RuntimeNotes
from avatar_operator.runtime_lifecycle.observation import RuntimeObservation
from avatar_operator.runtime_lifecycle.overlaps import Overlap
from avatar_operator.runtime_lifecycle.users import Users, users_of
from avatar_operator.runtime_lifecycle.work import work_of


@dataclass
class RuntimeLifecycle:
    """An AvatarRuntime's observe and act.

    Attributes:
        topic_trouble: why the status topic of a runtime, given by name, does not hear everything; None if it does.
        overlap: another runtime that a runtime, given by name, is not apart from; None if there is none.
        closed_namespaces: those that the operator is to watch and cannot at present.
    """

    cache: ObjectCache
    backends: Backends
    clock: Clock
    left_behind: LeftBehindRegister
    orphans: OrphanFindings
    topic_trouble: Callable[[str], PlaceTrouble | None]
    overlap: Callable[[str], Overlap | None]
    closed_namespaces: Callable[[], Sequence[str]]
    kind = AVATAR_RUNTIME

    def __post_init__(self) -> None:
        self._memory: Memory[RuntimeNotes] = Memory(self.cache, RuntimeNotes())

    async def observe(self, body: Object) -> RuntimeObservation:
        """Gather who uses the runtime, and how its topic is doing."""
        recorded = read_object(AvatarRuntime, body).object
        left_behind = believed_left_behind(recorded, self.cache, self.clock.now())
        is_foreign = left_behind != recorded.status.left_behind
        status = recorded.status.model_copy(update={"left_behind": left_behind})
        runtime = recorded.model_copy(update={"status": status})
        name, going = runtime.metadata.name, runtime.metadata.deletion_timestamp is not None
        return RuntimeObservation(
            now=self.clock.now(),
            runtime=runtime,
            recorded=recorded.status if is_foreign else None,
            foreign=(LEFT_BEHIND,) if is_foreign else (),
            users=self._users(name) if going else Users(),
            work=work_of(name, self._models(name), self.cache.objects(AVATAR_REQUEST)),
            handed_over=self.left_behind.waiting(name),
            orphans=self.orphans.of(runtime.metadata.uid),
            topic_trouble=self.topic_trouble(name),
            overlap=self.overlap(name),
            unseen=self._unseen(runtime),
        )

    def _unseen(self, runtime: AvatarRuntime) -> tuple[str, ...]:
        # Where namespaces are named to the operator, its runtimes admit namespaces by name.
        admitted = runtime.spec.tenancy.allowed_namespaces
        return tuple(name for name in self.closed_namespaces() if name in admitted)

    def _models(self, name: str) -> list[Object]:
        found = (self.cache.get(key) for key in self.cache.dependents(_key(name)))
        return [body for body in found if body is not None]

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
        return observation.recorded or observation.runtime.status

    def log_fields(self, status: AvatarRuntimeStatus) -> dict[str, object]:
        """Nothing that the conditions do not say."""
        return {}

    def written(self, observation: RuntimeObservation, status: AvatarRuntimeStatus) -> None:
        """What others have handed over stands in the status, and waits no more."""
        metadata = observation.runtime.metadata
        self.left_behind.written(metadata.name, status)
        if observation.orphans is not None and status.orphans != observation.runtime.status.orphans:
            self.orphans.written(metadata.uid, observation.orphans)
        meter = self._memory.of(metadata.uid).meter
        if meter is not None and status.idle_seconds != observation.runtime.status.idle_seconds:
            meter.written()

    async def perform(self, observation: RuntimeObservation, action: RuntimeAction) -> RuntimeFact:
        """Carry out one action.

        Raises:
            BackendError: it failed.
        """
        runtime = observation.runtime
        backend = self.backends.of(runtime)
        match action:
            case EnsureEndpoints():
                facts = await backend.compute.ensure_endpoints(runtime)
                former = self._former_endpoints(runtime, facts)
                return EndpointsSeen(facts, former, self._idle_time(observation, facts))
            case DeleteEndpoints():
                return EndpointsDeleted(await backend.compute.delete_endpoints(runtime))
            case RetireEndpoint(endpoint=endpoint):
                return EndpointRetired(endpoint, await backend.compute.retire_endpoint(runtime, endpoint))
            case RemoveLeftBehind(entry=entry, for_good=for_good):
                return RemovalTried(entry, await _removed(backend.storage, runtime, entry), for_good)
            case _:
                assert_never(action)

    def fold(self, observation: RuntimeObservation, draft: RuntimeDraft, fact: RuntimeFact) -> RuntimeDraft:
        """The draft with what an action learned. Pure."""
        return fold(observation, draft, fact)

    def _former_endpoints(self, runtime: AvatarRuntime, facts: EndpointsFacts) -> tuple[FormerEndpoint, ...]:
        if runtime.spec.management_policy == "Observe":
            return ()
        # By name alone: whatever role a status gives to an endpoint that serves, it is not deleted.
        wanted = {endpoint.name for endpoint in facts.endpoints}
        former: dict[tuple[str, str], EndpointStatus] = {
            (endpoint.role, endpoint.name): endpoint
            for endpoint in runtime.status.endpoints
            if endpoint.name not in wanted
        }
        uid, notes = runtime.metadata.uid, self._memory.of(runtime.metadata.uid)
        since = {name: notes.former.get(name, self.clock.now()) for name in former}
        self._memory.note(uid, replace(notes, former=since))
        return tuple(FormerEndpoint(endpoint, since[name]) for name, endpoint in former.items())

    def _idle_time(self, observation: RuntimeObservation, facts: EndpointsFacts) -> IdleTime | None:
        if observation.runtime.spec.backend.sagemaker is None:
            return None
        uid, notes = observation.runtime.metadata.uid, self._memory.of(observation.runtime.metadata.uid)
        meter = notes.meter or IdleMeter(observation.now)
        self._memory.note(uid, replace(notes, meter=meter))
        return meter.note(observation.now, idle_instances(facts.endpoints, observation.work))


async def _removed(storage: Storage, runtime: AvatarRuntime, entry: LeftBehind) -> CleanupReport:
    if not directories_of(entry, [*entry.locations, *entry.retained]):
        return CleanupReport(
            (f"what belongs to {entry.kind}, which this version of the operator does not know",)
        )
    for directory in directories_of(entry, entry.retained):
        await storage.mark_retained(runtime, directory)
    reports = [
        await storage.delete_owned(runtime, directory) for directory in directories_of(entry, entry.locations)
    ]
    return CleanupReport(tuple(words for report in reports for words in report.left_behind))


def _key(name: str) -> ObjectKey:
    return ObjectKey(AVATAR_RUNTIME.kind, "", name)
