"""The personal models that are resident, by the name that the platform gave them.

All state is touched on the event loop alone, so it needs no lock; what takes time (reading and checking an artifact,
copying it to the device) runs on a thread. Loads go one after another, which bounds what is in memory outside the
budget to one artifact. An artifact is checked before room is looked for: a broken one must never push out a good one.

The name is SageMaker's own, opaque, and the only key: who an invocation is for is decided by the URL, and the
Target-Model header is only ever compared, never looked up (triton-inference-server/server#8923 is what happens else).
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from avatar_api.documents.artifact import ArtifactManifest
from avatar_workers.artifact.verification import VerifiedModel, verify_directory
from avatar_workers.errors import WorkerFailure
from avatar_workers.serving.engine import DrawingEngine
from avatar_workers.serving.low_rank_adapter import LowRankAdapter, fit_to_base
from avatar_workers.serving.metrics import ServingMetrics
from avatar_workers.serving.settings import ServingSettings
from avatar_workers.structured_logging import resource_log_context

log = structlog.stdlib.get_logger(__name__)


@dataclass(eq=False)
class PersonalModel:
    """A resident personal model.

    Attributes:
        name: the platform's opaque name.
        url: the directory that it was loaded from.
        target_model: the name that an invocation's Target-Model header must carry.
        weights_sha256: digest of the weights that were loaded.
        resident_bytes: what it takes of the budget.
    """

    name: str
    url: str
    target_model: str
    weights_sha256: str
    resident_bytes: int
    users: int = 0
    unused: asyncio.Event = field(default_factory=asyncio.Event)


def target_model_of(manifest: ArtifactManifest) -> str:
    """The artifact's key below the multi-model endpoint's prefix, as its manifest implies it."""
    return f"{manifest.model.namespace}/{manifest.model.uid}/r{manifest.revision}-a{manifest.attempt}.tar.gz"


class PersonalModels:
    """Loads, lists, lends and unloads personal models, within a budget."""

    def __init__(self, engine: DrawingEngine, settings: ServingSettings, metrics: ServingMetrics) -> None:
        self._engine = engine
        self._settings = settings
        self._metrics = metrics
        self._resident: dict[str, PersonalModel] = {}
        self._leaving: dict[str, PersonalModel] = {}
        self._one_load_at_a_time = asyncio.Lock()
        metrics.adapter_budget_bytes.set(settings.adapter_budget_bytes)

    async def load(self, name: str, url: str) -> PersonalModel:
        """Check the artifact in the directory `url`, and make it resident under `name`.

        Raises:
            WorkerFailure: ModelAlreadyLoaded; ArtifactInvalid or BaseModelMismatch for what is wrong with it;
                InsufficientMemory if something must be unloaded first; WorkerUnavailable while the name is unloaded.
        """
        started = time.monotonic()
        try:
            async with self._one_load_at_a_time:
                model = await self._load(name, url)
        except WorkerFailure as failure:
            self._metrics.loads.labels(failure.code).inc()
            raise
        self._metrics.loads.labels("Loaded").inc()
        self._metrics.load_seconds.observe(time.monotonic() - started)
        return model

    async def _load(self, name: str, url: str) -> PersonalModel:
        if name in self._resident:
            raise WorkerFailure("ModelAlreadyLoaded", f"model {name!r} is loaded")
        if name in self._leaving:
            raise WorkerFailure(
                "WorkerUnavailable", f"model {name!r} is being unloaded; load it again after that"
            )
        verified, adapter = await asyncio.to_thread(self._read, Path(url))
        manifest = verified.manifest
        model = PersonalModel(
            name,
            url,
            target_model_of(manifest),
            verified.weights_sha256,
            self._engine.resident_bytes(adapter),
        )
        self._require_room(model)
        await asyncio.to_thread(self._engine.load, name, adapter)
        self._resident[name] = model
        self._report_residents()
        with resource_log_context(manifest.model, revision=manifest.revision, attempt=manifest.attempt):
            log.info("personal model loaded", model_name=name, resident_bytes=model.resident_bytes)
        return model

    def _read(self, directory: Path) -> tuple[VerifiedModel, LowRankAdapter]:
        verified = verify_directory(
            directory, base_sha256=self._engine.base_sha256, max_rank=self._settings.max_adapter_rank
        )
        return verified, fit_to_base(verified.weights, self._engine.weight_shapes)

    def _require_room(self, model: PersonalModel) -> None:
        budget = self._settings.adapter_budget_bytes
        if model.resident_bytes > budget:
            raise WorkerFailure(
                "ArtifactInvalid",
                f"the model takes {model.resident_bytes} bytes, more than the {budget} that all models may take here"
                " (AVATAR_ADAPTER_BUDGET_BYTES); train it at a lower rank, or raise the budget",
            )
        if self._resident_count >= self._settings.max_adapters:
            raise WorkerFailure(
                "InsufficientMemory", f"{self._resident_count} models are loaded, the most allowed"
            )
        if self._resident_bytes + model.resident_bytes > budget:
            raise WorkerFailure(
                "InsufficientMemory",
                f"the model takes {model.resident_bytes} bytes, {self._resident_bytes} of {budget} are taken",
            )

    def get(self, name: str) -> PersonalModel:
        """The resident model of a name.

        Raises:
            WorkerFailure: ModelNotFound
        """
        model = self._resident.get(name)
        if model is None:
            raise WorkerFailure("ModelNotFound", f"model {name!r} is not loaded")
        return model

    @asynccontextmanager
    async def lent(self, name: str, target_model: str | None) -> AsyncIterator[PersonalModel]:
        """Keep a model resident while it is used.

        Args:
            name: from the URL.
            target_model: from the Target-Model header, if there is one.

        Raises:
            WorkerFailure: ModelNotFound, or ModelNameMismatch if the header names another artifact.
        """
        model = self.get(name)
        if target_model is not None and target_model.removeprefix("/") != model.target_model:
            raise WorkerFailure(
                "ModelNameMismatch",
                f"model {name!r} is not the artifact that the Target-Model header names",
            )
        model.users += 1
        try:
            yield model
        finally:
            model.users -= 1
            if not model.users:
                model.unused.set()

    async def unload(self, name: str) -> None:
        """Free a model: nobody new gets it from now on, and its bytes are free when this returns.

        Raises:
            WorkerFailure: ModelNotFound
        """
        model = self.get(name)
        del self._resident[name]
        self._leaving[name] = model
        model.unused.clear()
        if model.users:
            await model.unused.wait()
        self._engine.unload(name)
        del self._leaving[name]
        self._metrics.evictions.inc()
        self._report_residents()
        log.info("personal model unloaded", model_name=name)

    def page(self, after: str, limit: int) -> tuple[list[PersonalModel], str | None]:
        """Resident models in the order of their names.

        Args:
            after: the name that the page begins after: a former page's token, or "" for the first page.
            limit: how many at most.

        Returns:
            The models, and the token of the next page if there is one.
        """
        names = sorted(name for name in self._resident if name > after)
        page = [self._resident[name] for name in names[:limit]]
        return page, page[-1].name if len(names) > limit else None

    @property
    def _resident_count(self) -> int:
        return len(self._resident) + len(self._leaving)

    @property
    def _resident_bytes(self) -> int:
        return sum(model.resident_bytes for model in (*self._resident.values(), *self._leaving.values()))

    def _report_residents(self) -> None:
        self._metrics.adapters.set(self._resident_count)
        self._metrics.adapter_bytes.set(self._resident_bytes)
