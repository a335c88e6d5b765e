"""The operator, assembled: everything is made here, once, and runs in one task group.

    watch (kopf) ──┐
    queues (SQS) ──┼─> WorkQueue per kind ─> ReconcileWorkers ─> Reconciler(Lifecycle) ─> API server, backend
    sweeper ───────┘

Every replica watches, sweeps its cache and answers probes; one at a time leads and does the rest (`leading`).

If any part ends, all end, and the process with them: Kubernetes restarts it, and nothing that matters was in memory.
"""

import asyncio
import signal
from collections.abc import Mapping
from typing import Any

import structlog

from avatar_api.group import AVATAR_MODEL, AVATAR_REQUEST, AVATAR_RUNTIME, KINDS, Kind
from avatar_operator.announcements.announcer import Announcer
from avatar_operator.announcements.outbox import Outbox
from avatar_operator.announcements.post_office import LetterMetrics
from avatar_operator.backends.selection import Backends
from avatar_operator.core.clock import Clock
from avatar_operator.core.running import run_beside
from avatar_operator.core.workqueue import WorkQueue
from avatar_operator.errors import StartUpError
from avatar_operator.hint_routing import HintRouter
from avatar_operator.ingest.consumers import HintConsumers
from avatar_operator.kube.cache import ObjectCache, ObjectKey
from avatar_operator.kube.client import KubeClient, KubeError, NotFoundError, Object
from avatar_operator.kube.connection import home_namespace
from avatar_operator.kube.election import Elector
from avatar_operator.kube.events import EventRecorder
from avatar_operator.kube.guarded_client import GuardedClient
from avatar_operator.kube.informer import Informer
from avatar_operator.kube.leadership import Leadership
from avatar_operator.kube.namespaces import NamespaceLabels
from avatar_operator.kube.scope import Scope
from avatar_operator.kube.watch_ages import WatchAges
from avatar_operator.kube.watched_namespaces import WatchedNamespaces
from avatar_operator.leading import Leading
from avatar_operator.left_behind.register import LeftBehindRegister
from avatar_operator.left_behind.vanished import VanishedObjects
from avatar_operator.model_lifecycle.controller import ModelLifecycle
from avatar_operator.model_lifecycle.lifecycle import PHASES as MODEL_PHASES
from avatar_operator.news_of_kinds import NEWS_OF
from avatar_operator.orphans.collector import OrphanCollector
from avatar_operator.orphans.findings import OrphanFindings
from avatar_operator.quotas import model_quotas, request_quotas
from avatar_operator.reconciling.reconciler import Lifecycle, Reconciler
from avatar_operator.reconciling.scheduling import Scheduler
from avatar_operator.reconciling.trouble import Troubles
from avatar_operator.reconciling.workers import ReconcileWorkers
from avatar_operator.request_lifecycle.controller import RequestLifecycle
from avatar_operator.request_lifecycle.lifecycle import PHASES as REQUEST_PHASES
from avatar_operator.runtime_lifecycle.controller import RuntimeLifecycle
from avatar_operator.runtime_lifecycle.lifecycle import PHASES as RUNTIME_PHASES
from avatar_operator.runtime_lifecycle.metrics import RuntimeCollector
from avatar_operator.runtime_lifecycle.neighbours import RuntimeNeighbours
from avatar_operator.settings import OperatorSettings
from avatar_operator.sweeper import Sweeper
from avatar_operator.telemetry.health import Health
from avatar_operator.telemetry.http_server import HttpServer
from avatar_operator.telemetry.loop_watch import LoopWatch
from avatar_operator.telemetry.metrics import OperatorMetrics
from avatar_operator.telemetry.object_ages import ObjectAges
from avatar_operator.telemetry.object_counts import ObjectCounts
from avatar_operator.telemetry.queue_metrics import QueueCollector
from avatar_operator.telemetry.quota_metrics import QuotaCollector
from avatar_operator.telemetry.replica_metrics import ReplicaCollector

logger = structlog.get_logger(__name__)
_PHASES = {AVATAR_MODEL: MODEL_PHASES, AVATAR_REQUEST: REQUEST_PHASES, AVATAR_RUNTIME: RUNTIME_PHASES}


class Operator:
    """The whole control plane of avatars. Make one, `run` it once."""

    def __init__(
        self,
        settings: OperatorSettings,
        client: KubeClient,
        backends: Backends,
        announcer: Announcer,
        clock: Clock,
        metrics: OperatorMetrics,
        leadership: Leadership,
    ) -> None:
        self._settings = settings
        scope = Scope(settings.watch_namespaces)
        cache, registry = ObjectCache(scope), metrics.registry
        free_client, client = client, GuardedClient(client, leadership.check)
        namespaces = WatchedNamespaces(scope, lambda: self._informer.begin_anew())
        self._queues: dict[Kind, WorkQueue[ObjectKey]] = {
            kind: WorkQueue(party_of=lambda key: key.namespace) for kind in KINDS
        }
        recorder = EventRecorder(client, clock, instance=settings.identity)
        self._outbox = Outbox(
            cache,
            NEWS_OF,
            recorder,
            announcer,
            clock,
            LetterMetrics(registry),
            on_trouble=self._bring_back_runtime,
        )
        labels = NamespaceLabels(client)
        left_behind = LeftBehindRegister(self._bring_back_runtime)
        self._vanished = VanishedObjects(cache, clock, left_behind, leadership.leads)
        trainings, pictures = model_quotas(cache, self._bring_back), request_quotas(cache, self._bring_back)
        models = ModelLifecycle(cache, backends, clock, metrics, left_behind, labels, trainings)
        requests = RequestLifecycle(cache, backends, clock, metrics, left_behind, labels, pictures)
        orphans = OrphanFindings(cache, self._bring_back_runtime)
        neighbours = RuntimeNeighbours(cache, self._bring_back_runtime)
        runtimes = RuntimeLifecycle(
            cache,
            backends,
            clock,
            left_behind,
            orphans,
            self._outbox.trouble,
            neighbours.of,
            namespaces.closed,
        )
        self._scheduler = Scheduler(cache, self._queues, models.hint_outcome)

        def workers_of(lifecycle: Lifecycle[Any, Any, Any], count: int) -> ReconcileWorkers:
            reconciler = Reconciler(lifecycle, client, cache, self._outbox, Troubles(cache, clock))
            return ReconcileWorkers(reconciler, self._queues[lifecycle.kind], metrics, count=count)

        workers = (
            workers_of(models, settings.model_workers),
            workers_of(requests, settings.request_workers),
            workers_of(runtimes, settings.runtime_workers),
        )
        self._watches = WatchAges()
        self._sweeper = Sweeper(
            client,
            cache,
            self._scheduler,
            self._watches,
            namespaces,
            interval=settings.sweep_seconds,
        )
        self._informer = Informer(self._seen, namespaces, self._sweeper.look_again)
        self._consumers = HintConsumers(cache, backends, HintRouter(cache, self._scheduler, models))
        self._leading = Leading(
            Elector(
                free_client,
                leadership,
                clock,
                namespace=settings.namespace or home_namespace(),
                identity=settings.identity,
                lease_seconds=settings.lease_seconds,
                annotations=self._outbox.cursor,
            ),
            catch_up=self._list_everything,
            begin=self._begin,
            workers=workers,
            hints=self._consumers.run,
            deliveries=self._outbox.run,
            last_words=self._outbox.flush,
            collection=OrphanCollector(
                cache, backends, clock, orphans, registry, shows_all=namespaces.shows
            ).run,
            drain_seconds=settings.drain_seconds,
        )
        for kind, phases in _PHASES.items():
            metrics.expect_phases(kind, (phase.__name__ for phase in phases))
        registry.register(ObjectCounts(cache))
        registry.register(QueueCollector(self._queues))
        registry.register(QuotaCollector({AVATAR_MODEL: trainings.waiting, AVATAR_REQUEST: pictures.waiting}))
        registry.register(ObjectAges(cache, clock))
        registry.register(
            ReplicaCollector(
                leads=leadership.leads,
                watch_ages=self._watches.ages,
                swept_at=self._sweeper.swept_at,
                consumers=self._consumers.running,
                namespaces=namespaces.states,
            )
        )
        registry.register(RuntimeCollector(cache))
        self._health = Health(
            self._queues,
            self._sweeper.watch_lags,
            stuck_seconds=settings.stuck_seconds,
            stale_watch_seconds=settings.stale_watch_seconds,
        )
        self._loop_watch = LoopWatch(registry)
        self._http = HttpServer(
            registry,
            liveness=self._health.liveness,
            readiness=self._health.readiness,
            loop_watch=self._loop_watch,
        )

    async def run(self) -> None:
        """Run until SIGTERM or SIGINT.

        Raises:
            StartUpError: the API server refuses us or does not know our kinds, the port is taken, or the Lease was lost.
        """
        stop = asyncio.Event()
        for signal_number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(signal_number, stop.set)
        await run_beside(
            self._start_and_lead(stop),
            {
                "http": self._http.run(self._settings.http_host, self._settings.http_port),
                "loop watch": self._loop_watch.run(),
            },
        )
        logger.info("stopped by a signal")

    async def _start_and_lead(self, stop: asyncio.Event) -> None:
        await self._list_everything()
        self._health.note_listed()
        await run_beside(
            self._leading.run(stop), {"informer": self._informer.run(), "sweeper": self._sweeper.run()}
        )

    async def _list_everything(self) -> None:
        """Know everything before anything is decided; an API server that is just starting gets a little time."""
        loop = asyncio.get_running_loop()
        give_up = loop.time() + self._settings.start_up_seconds
        while True:
            try:
                return await self._sweeper.catch_up()
            except NotFoundError as error:
                raise StartUpError(
                    "the API server does not know the avatars.dev kinds: install the CRDs first (kubectl apply -f crds/)"
                ) from error
            except KubeError as error:
                if not error.is_passing or loop.time() > give_up:
                    raise StartUpError(f"the API server cannot be used: {error}") from error
                logger.info("the API server is not ready yet", error=str(error))
                await asyncio.sleep(1.0)

    async def _begin(self, left_by_former_leader: Mapping[str, str]) -> None:
        await self._outbox.begin(left_by_former_leader)
        self._scheduler.begin()
        self._vanished.begin()

    def _bring_back(self, key: ObjectKey) -> None:
        self._scheduler.enqueue(key)

    def _bring_back_runtime(self, name: str) -> None:
        self._bring_back(ObjectKey(AVATAR_RUNTIME.kind, "", name))

    def _seen(self, kind: Kind, body: Object, *, deleted: bool) -> None:
        self._watches.note_well(kind)
        self._scheduler.seen(kind, body, deleted=deleted)
