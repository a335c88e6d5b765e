"""The training container that SageMaker's asynchronous endpoint speaks to.

    GET  /ping         200 once the base is loaded; 503 with the reason before, and after SIGTERM
    POST /invocations  a TrainingRequest in, a TrainingResult or a WorkerError out

A training has a thread of its own, so `/ping` answers while it runs. One training at a time: a second one is told to
come back, before it has claimed anything. A caller that hangs up (SageMaker's time-out) or a SIGTERM stops the training
at its next step. (SageMaker Developer Guide, "Use your own inference code with hosting services".)
"""

import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import anyio
import anyio.to_thread
import structlog
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from avatar_api.documents.training import TrainingRequest, TrainingResult
from avatar_workers.errors import WorkerFailure
from avatar_workers.http.error_responses import EXCEPTION_HANDLERS
from avatar_workers.http.request_document import read_document
from avatar_workers.structured_logging import resource_log_context
from avatar_workers.training.attempt import TrainingPlace, train
from avatar_workers.training.cancellation import Cancellation
from avatar_workers.training.progress import ProgressReporter, reporter_for

MAX_REQUEST_BYTES = 1 << 20

log = structlog.stdlib.get_logger(__name__)


class TrainingContainer:
    """State of the container: what it has at hand, and the training that runs.

    Args:
        open_place: loads the base and makes ready; called once, in a thread of its own.
        on_load_failure: called with what `open_place` raised.
        progress_for: makes the reporter of a request.
    """

    def __init__(
        self,
        open_place: Callable[[], TrainingPlace],
        on_load_failure: Callable[[BaseException], None],
        progress_for: Callable[[TrainingRequest], ProgressReporter] = reporter_for,
    ) -> None:
        self._open_place = open_place
        self._on_load_failure = on_load_failure
        self._progress_for = progress_for
        self._place: TrainingPlace | None = None
        self._unavailable: str | None = "the base model is being loaded"
        self._training = threading.Lock()
        self._cancellation = Cancellation()
        self._stopping = False

    def app(self) -> Starlette:
        """The container's HTTP interface. Loading begins when the app starts."""
        return Starlette(
            routes=[
                Route("/ping", self._ping, methods=["GET"]),
                Route("/invocations", self._invocations, methods=["POST"]),
            ],
            exception_handlers=EXCEPTION_HANDLERS,
            lifespan=self._lifespan,
        )

    def stop(self) -> None:
        """Accept nothing more, and stop the training that runs. Returns at once; safe in a signal handler."""
        self._stopping = True
        self._unavailable = "the worker is shutting down"
        self._cancellation.cancel()

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        threading.Thread(target=self._load, name="load-base-model", daemon=True).start()
        yield

    def _load(self) -> None:
        try:
            self._place = self._open_place()
        except BaseException as failure:
            self._unavailable = f"the base model could not be loaded: {failure}"
            self._on_load_failure(failure)
            return
        if not self._stopping:
            self._unavailable = None
            log.info("ready", base_model=self._place.base.sha256, device=str(self._place.base.device))

    async def _ping(self, _: Request) -> Response:
        self._require_available()
        return Response()

    def _require_available(self) -> TrainingPlace:
        if self._unavailable is not None or self._place is None:
            raise WorkerFailure("WorkerUnavailable", self._unavailable or "the worker is starting")
        return self._place

    async def _invocations(self, request: Request) -> Response:
        document = await read_document(request, TrainingRequest, max_bytes=MAX_REQUEST_BYTES)
        place = self._require_available()
        if not self._training.acquire(blocking=False):
            raise WorkerFailure("WorkerUnavailable", "another training is running; try again later")
        try:
            self._cancellation = cancellation = Cancellation()
            # Asked again: a stop between the first question and the new cancellation would have been lost.
            self._require_available()
            result = await self._train_until_hang_up(request, document, place, cancellation)
        finally:
            self._training.release()
        return JSONResponse(result.to_wire())

    async def _train_until_hang_up(
        self, request: Request, document: TrainingRequest, place: TrainingPlace, cancellation: Cancellation
    ) -> TrainingResult:
        async def cancel_on_hang_up() -> None:
            while (await request.receive())["type"] != "http.disconnect":
                pass
            cancellation.cancel()

        def run() -> TrainingResult:
            with resource_log_context(
                document.model, inference_id=document.inference_id, attempt=document.attempt
            ):
                return train(document, place, self._progress_for(document), cancellation)

        failure: Exception | None = None
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(cancel_on_hang_up)
            try:
                result = await anyio.to_thread.run_sync(run)
            except Exception as error:
                # Raised below: a task group would wrap it into an ExceptionGroup.
                failure = error
            tasks.cancel_scope.cancel()
        if failure is not None:
            raise failure
        return result
