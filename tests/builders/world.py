"""An operator without its loops: real lifecycles and reconcilers over an API server and a backend that are fakes.

A test makes objects, does passes one at a time (`look_at`, `settle`) and decides what goes wrong in between. `crash`
forgets everything that a process would forget.
"""

import math
from typing import Any

from prometheus_client import CollectorRegistry

from avatar_api.avatar_model import AvatarModel
from avatar_api.avatar_request import AvatarRequest
from avatar_api.avatar_runtime import AvatarRuntime
from avatar_api.group import AVATAR_MODEL, AVATAR_REQUEST, AVATAR_RUNTIME, KINDS, Kind
from avatar_operator.announcements.announcer import Announcement
from avatar_operator.announcements.outbox import Outbox
from avatar_operator.announcements.post_office import LetterMetrics
from avatar_operator.backends.failures import BackendError
from avatar_operator.kube.cache import ObjectCache, ObjectKey, key_of
from avatar_operator.kube.client import KubeClient, Object
from avatar_operator.kube.events import EventRecorder
from avatar_operator.kube.namespaces import NamespaceLabels
from avatar_operator.left_behind.register import LeftBehindRegister
from avatar_operator.left_behind.vanished import VanishedObjects
from avatar_operator.model_lifecycle.controller import ModelLifecycle
from avatar_operator.news_of_kinds import NEWS_OF
from avatar_operator.orphans.findings import OrphanFindings
from avatar_operator.quotas import model_quotas, request_quotas
from avatar_operator.reconciling.reconciler import Reconciled, Reconciler
from avatar_operator.reconciling.trouble import Troubles
from avatar_operator.request_lifecycle.controller import RequestLifecycle
from avatar_operator.runtime_lifecycle.controller import RuntimeLifecycle
from avatar_operator.runtime_lifecycle.neighbours import RuntimeNeighbours
from avatar_operator.telemetry.metrics import OperatorMetrics
from builders.backend import ScriptedBackend, a_success, backends_of
from builders.clock import FakeClock
from builders.kube import FakeKubeClient
from builders.manifests import WITH_TOPIC, Changes, merged, model_manifest, request_manifest, runtime_manifest
from builders.objects import MODEL_UID, REQUEST_UID, RUNTIME_UID

MANY_PASSES = 50


class RecordingAnnouncer:
    """The Announcer port; remembers what applications would have been told."""

    def __init__(self) -> None:
        self.announced: list[Announcement] = []
        self.trouble: BackendError | None = None
        """Raised instead, while it is set."""

    async def announce(self, runtime: AvatarRuntime, announcement: Announcement) -> None:
        """See Announcer."""
        if self.trouble is not None:
            raise self.trouble
        self.announced.append(announcement)

    def told(self) -> list[tuple[str, str]]:
        """Type and id of everything that was told, in its order."""
        return [(announcement.type, announcement.id) for announcement in self.announced]


class World:
    """One operator process and everything around it.

    Args:
        beside: another process; what is around it is around this one, too.
        api_server: what the first process has around it.
    """

    def __init__(
        self, beside: "World | None" = None, *, api_server: type[FakeKubeClient] = FakeKubeClient
    ) -> None:
        self.clock: FakeClock = FakeClock() if beside is None else beside.clock
        self.kube: FakeKubeClient = api_server(self.clock) if beside is None else beside.kube
        self.backend: ScriptedBackend = ScriptedBackend(self.clock) if beside is None else beside.backend
        self.announcer: RecordingAnnouncer = RecordingAnnouncer() if beside is None else beside.announcer
        self.lease: dict[str, str] = (
            {f"avatars.dev/told-{kind.plural}": "0" for kind in KINDS} if beside is None else beside.lease
        )
        """The annotations of the Lease."""
        self.watching = True
        self.client: KubeClient = self.kube
        self.kube.watch(self._see)
        self.crash()

    def crash(self) -> None:
        """End the process and start another one: it knows what the API server tells, and nothing else."""
        self.cache = ObjectCache()
        self.outbox_troubles: list[str] = []
        registry = CollectorRegistry()
        metrics = OperatorMetrics(registry)
        backends = backends_of(self.backend)
        self.closed_namespaces: list[str] = []
        """Those that the operator is to watch and cannot."""
        self.brought_back: list[str] = []
        """Runtimes that were asked to take over what an object leaves behind, or to which another one stands otherwise."""
        namespaces = NamespaceLabels(self.kube, monotonic=lambda: self.clock.now().timestamp())
        left_behind = LeftBehindRegister(self.brought_back.append)
        self.vanished = VanishedObjects(self.cache, self.clock, left_behind, lambda: True)
        self.orphans = OrphanFindings(self.cache, self.brought_back.append)
        self.told_to_look: list[ObjectKey] = []
        """Objects that may begin, because their namespace's quota has room again."""
        trainings = model_quotas(self.cache, self.told_to_look.append)
        pictures = request_quotas(self.cache, self.told_to_look.append)
        self.models = ModelLifecycle(
            self.cache, backends, self.clock, metrics, left_behind, namespaces, trainings
        )
        self.requests = RequestLifecycle(
            self.cache, backends, self.clock, metrics, left_behind, namespaces, pictures
        )
        recorder = EventRecorder(self.client, self.clock, instance="test")
        self.registry = registry
        self.outbox = Outbox(
            self.cache,
            NEWS_OF,
            recorder,
            self.announcer,
            self.clock,
            LetterMetrics(registry),
            on_trouble=self.outbox_troubles.append,
        )
        self.runtimes = RuntimeLifecycle(
            self.cache,
            backends,
            self.clock,
            left_behind,
            self.orphans,
            self.outbox.trouble,
            RuntimeNeighbours(self.cache, self.brought_back.append).of,
            lambda: self.closed_namespaces,
        )
        self._outbox_began = False

        lifecycles: list[Any] = [self.models, self.requests, self.runtimes]
        self._reconcilers: dict[Kind, Reconciler[Any, Any, Any]] = {
            lifecycle.kind: Reconciler(
                lifecycle, self.client, self.cache, self.outbox, Troubles(self.cache, self.clock)
            )
            for lifecycle in lifecycles
        }
        self.catch_up()

    async def renew_lease(self) -> None:
        """Have the outbox's cursor stand on the Lease, as it does every few seconds."""
        await self.lead()
        self.lease.update(self.outbox.cursor())

    async def lead(self) -> None:
        """List everything and begin where the Lease says that the last leader was, if this process does not lead yet."""
        if not self._outbox_began:
            self._outbox_began = True
            self.catch_up()
            await self.outbox.begin(dict(self.lease))
            self.vanished.begin()

    def catch_up(self) -> None:
        """Have the cache show what the API server has, as a list does."""
        there = {key_of(kind, body) for kind, body in self.kube.everything()}
        for kind in KINDS:
            for key in self.cache.keys(kind):
                body = self.cache.get(key)
                if body is not None and key not in there:
                    self.cache.remove(kind, key, body["metadata"]["uid"])
        for kind, body in self.kube.everything():
            self.cache.store(kind, body)
        for kind in KINDS:
            self.cache.note_listed(kind, self.kube.version)

    def sweep(self) -> None:
        """Have the cache show what the API server has and nothing else, older versions included, as a sweep does."""
        for kind in KINDS:
            for body in list(self.cache.objects(kind)):
                self.cache.remove(kind, key_of(kind, body), body["metadata"]["uid"])
        self.catch_up()

    def add_runtime(self, spec: Changes | None = None) -> None:
        """The runtime `standard`, which has a status topic, not looked at yet."""
        self.kube.create(AVATAR_RUNTIME, runtime_manifest(spec=merged(WITH_TOPIC, spec)), uid=RUNTIME_UID)

    def add_model(self, spec: Changes | None = None) -> None:
        """The model `ann` of team-a."""
        self.kube.create(AVATAR_MODEL, model_manifest(spec=spec), uid=MODEL_UID)

    def add_request(self, spec: Changes | None = None) -> None:
        """The request `portraits` of team-a."""
        self.kube.create(AVATAR_REQUEST, request_manifest(spec=spec), uid=REQUEST_UID)

    @property
    def model(self) -> AvatarModel:
        """The model as it stands in the API server."""
        return AvatarModel.model_validate(self.kube.read(AVATAR_MODEL, "ann"))

    @property
    def request(self) -> AvatarRequest:
        """The request as it stands in the API server."""
        return AvatarRequest.model_validate(self.kube.read(AVATAR_REQUEST, "portraits"))

    @property
    def runtime(self) -> AvatarRuntime:
        """The runtime as it stands in the API server."""
        return AvatarRuntime.model_validate(self.kube.read(AVATAR_RUNTIME, "standard"))

    async def look_at(self, kind: Kind) -> Reconciled:
        """One pass over the one object of a kind, and what is to be told after it."""
        await self.lead()
        try:
            return await self.reconciler_of(kind).reconcile(KEYS[kind])
        finally:
            await self.outbox.flush()

    def reconciler_of(self, kind: Kind) -> Reconciler[Any, Any, Any]:
        """What does the passes over the objects of a kind."""
        return self._reconcilers[kind]

    async def settle(self, kind: Kind) -> Reconciled:
        """Passes over the one object of a kind until there is nothing to do at once."""
        for _ in range(MANY_PASSES):
            reconciled = await self.look_at(kind)
            if reconciled.result in ("unchanged", "gone") and reconciled.requeue_after != 0:
                return reconciled
        raise AssertionError(f"{kind.kind} does not come to rest")

    async def settle_all(self) -> None:
        """Bring the runtime, then the model, then the request to rest."""
        for kind in (AVATAR_RUNTIME, AVATAR_MODEL, AVATAR_REQUEST):
            await self.settle(kind)

    async def train(self) -> None:
        """Bring the model's next attempt under way, and let it succeed."""
        await self.settle(AVATAR_MODEL)
        training = self.model.status.training
        assert training is not None
        assert training.inference_id is not None
        success = a_success(training.inference_id)
        self.clock.advance(math.ceil(success.result.seconds))
        self.backend.script("attempt_outcome", success)
        self.models.hint_outcome(MODEL_KEY)
        await self.settle(AVATAR_MODEL)

    def _see(self, kind: Kind, body: Object, gone: bool) -> None:
        if not self.watching:
            return
        if gone:
            self.cache.remove(kind, key_of(kind, body), body["metadata"]["uid"])
        else:
            self.cache.store(kind, body)


MODEL_KEY = ObjectKey(AVATAR_MODEL.kind, "team-a", "ann")
REQUEST_KEY = ObjectKey(AVATAR_REQUEST.kind, "team-a", "portraits")
RUNTIME_KEY = ObjectKey(AVATAR_RUNTIME.kind, "", "standard")
KEYS = {AVATAR_MODEL: MODEL_KEY, AVATAR_REQUEST: REQUEST_KEY, AVATAR_RUNTIME: RUNTIME_KEY}
