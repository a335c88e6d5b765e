"""The serving container: SageMaker's single-model and multi-model contracts over HTTP.

    GET    /ping                  200 once the base is loaded
    POST   /invocations           draw with the base itself
    POST   /models                load a personal model from a directory that the platform has unpacked
    GET    /models[/{name}]       what is loaded
    POST   /models/{name}/invoke  draw with a personal model
    DELETE /models/{name}         unload it
    GET    /metrics               Prometheus

(SageMaker Developer Guide, "Custom Containers Contract for Hosting Models" and "... for multi-model endpoints".)

The port is open before the base is loaded: a download takes minutes, and the platform must be able to see a container
that lives but is not ready. Until then everything but /metrics answers 503. If the base cannot be loaded, the container
says why and stops.
"""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Annotated

import structlog
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel, ConfigDict, Field
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from avatar_api.documents.inference import InferenceRequest
from avatar_workers.errors import WorkerFailure
from avatar_workers.http.error_responses import EXCEPTION_HANDLERS
from avatar_workers.http.request_document import read_document
from avatar_workers.serving.drawing import Drawing
from avatar_workers.serving.engine import DrawingEngine
from avatar_workers.serving.metrics import ServingMetrics
from avatar_workers.serving.personal_models import PersonalModel, PersonalModels
from avatar_workers.serving.settings import ServingSettings
from avatar_workers.storage import ObjectStorage

TARGET_MODEL_HEADER = "X-Amzn-SageMaker-Target-Model"
MAX_BODY_BYTES = 6 * 1024 * 1024
MAX_PAGE = 100
FINISHING_SECONDS = 15.0
"""How long work in flight may go on after SIGTERM; SageMaker kills after 30 s."""

log = structlog.stdlib.get_logger(__name__)


class LoadModelRequest(BaseModel):
    """Body of POST /models, as SageMaker sends it."""

    model_config = ConfigDict(protected_namespaces=())

    model_name: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,256}$")]
    url: Annotated[str, Field(max_length=4096, pattern=r"^/[^\x00]*$")]


class _Open:
    """What exists once the base is loaded."""

    def __init__(self, models: PersonalModels, drawing: Drawing) -> None:
        self.models = models
        self.drawing = drawing


class ServingContainer:
    """The container's app and its life.

    Args:
        open_engine: loads the base; called once, on a thread.
        storage: where pictures go.
        settings: limits.
        on_failed_start: called on the event loop with the reason if `open_engine` fails.
    """

    def __init__(
        self,
        open_engine: Callable[[], DrawingEngine],
        storage: ObjectStorage,
        settings: ServingSettings,
        on_failed_start: Callable[[Exception], None],
    ) -> None:
        self._open_engine = open_engine
        self._storage = storage
        self._settings = settings
        self._on_failed_start = on_failed_start
        self._metrics = ServingMetrics()
        self._opened: _Open | None = None
        self._stop_by: float | None = None
        self.app = Starlette(
            routes=[
                Route("/ping", self._ping, methods=["GET"]),
                Route("/invocations", self._invoke_base, methods=["POST"]),
                Route("/models", self._load, methods=["POST"]),
                Route("/models", self._list, methods=["GET"]),
                Route("/models/{name}", self._describe, methods=["GET"]),
                Route("/models/{name}", self._unload, methods=["DELETE"]),
                Route("/models/{name}/invoke", self._invoke_personal, methods=["POST"]),
                Route("/metrics", self._expose_metrics, methods=["GET"]),
            ],
            exception_handlers=EXCEPTION_HANDLERS,
            lifespan=self._life,
        )

    def stop(self) -> None:
        """Take no more work, and give up what is in flight after 15 s. Returns at once."""
        self._stop_by = time.monotonic() + FINISHING_SECONDS

    @asynccontextmanager
    async def _life(self, _: Starlette) -> AsyncIterator[None]:
        opening = asyncio.create_task(self._open_up())
        try:
            yield
        finally:
            self._stop_by = time.monotonic()
            await opening
            if self._opened:
                await asyncio.to_thread(self._opened.drawing.close)

    async def _open_up(self) -> None:
        try:
            engine = await asyncio.to_thread(self._open_engine)
        except Exception as error:
            self._on_failed_start(error)
            return
        self._opened = _Open(
            PersonalModels(engine, self._settings, self._metrics),
            Drawing(engine, self._storage, self._settings, self._metrics, self._time_is_up),
        )
        log.info("base model loaded", sha256=engine.base_sha256)

    def _time_is_up(self) -> bool:
        return self._stop_by is not None and time.monotonic() >= self._stop_by

    def _require_open(self) -> _Open:
        if self._stop_by is not None:
            raise WorkerFailure("WorkerUnavailable", "the worker is stopping")
        if self._opened is None:
            raise WorkerFailure("WorkerUnavailable", "the base model is still being loaded")
        return self._opened

    async def _ping(self, _: Request) -> Response:
        self._require_open()
        return Response()

    async def _expose_metrics(self, _: Request) -> Response:
        return Response(generate_latest(self._metrics.registry), media_type=CONTENT_TYPE_LATEST)

    async def _load(self, request: Request) -> Response:
        models = self._require_open().models
        document = await read_document(request, LoadModelRequest, max_bytes=MAX_BODY_BYTES)
        return JSONResponse(_description(await models.load(document.model_name, document.url)))

    async def _list(self, request: Request) -> Response:
        limit = request.query_params.get("limit") or str(MAX_PAGE)
        if not (limit.isascii() and limit.isdecimal() and len(limit) < 9 and int(limit) > 0):
            raise WorkerFailure("InvalidRequest", "limit: must be a whole number of at least 1")
        models, next_page_token = self._require_open().models.page(
            request.query_params.get("next_page_token", ""), min(int(limit), MAX_PAGE)
        )
        answer: dict[str, object] = {"models": [_description(model) for model in models]}
        if next_page_token is not None:
            answer["nextPageToken"] = next_page_token
        return JSONResponse(answer)

    async def _describe(self, request: Request) -> Response:
        return JSONResponse(_description(self._require_open().models.get(request.path_params["name"])))

    async def _unload(self, request: Request) -> Response:
        await self._require_open().models.unload(request.path_params["name"])
        return JSONResponse({})

    async def _invoke_personal(self, request: Request) -> Response:
        opened = self._require_open()
        name, target_model = request.path_params["name"], request.headers.get(TARGET_MODEL_HEADER)
        async with opened.models.lent(name, target_model) as model:
            return await self._draw(opened, request, model)

    async def _invoke_base(self, request: Request) -> Response:
        if TARGET_MODEL_HEADER in request.headers:
            raise WorkerFailure(
                "ModelNameMismatch",
                f"/invocations draws with the base model, but {TARGET_MODEL_HEADER} names a personal one;"
                " invoke it by /models/{name}/invoke",
            )
        return await self._draw(self._require_open(), request, None)

    async def _draw(self, opened: _Open, request: Request, model: PersonalModel | None) -> Response:
        document = await read_document(request, InferenceRequest, max_bytes=MAX_BODY_BYTES)
        client_left = threading.Event()
        watch = asyncio.create_task(_watch(request, client_left))
        try:
            result = await opened.drawing.draw(model, document, client_left.is_set)
        finally:
            watch.cancel()
        return JSONResponse(result.to_wire())


async def _watch(request: Request, client_left: threading.Event) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
    client_left.set()


def _description(model: PersonalModel) -> dict[str, object]:
    return {"modelName": model.name, "modelUrl": model.url}
