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
from avatar_workers.http.error_responses import EXCEPTION_HANDLERS, error_response
from avatar_workers.http.request_document import read_document
from avatar_workers.structured_logging import resource_log_context
from avatar_workers.training.cancellation import Cancellation
from avatar_workers.training.progress import ProgressReporter, reporter_for

MAX_REQUEST_BYTES = 1 << 20

Train = Callable[[TrainingRequest, ProgressReporter, Cancellation], TrainingResult]
"""What a training is to this shell; `attempt.Trainer.train` is the real one."""

log = structlog.stdlib.get_logger(__name__)


class TrainingContainer:
    """State of the container: whether it is ready, and the training that runs.

    Args:
        open_trainer: loads the base and says how to train on it; called once, in a thread of its own.
        on_load_failure: called with what `open_trainer` raised.
        progress_for: makes the reporter of a request.
    """

    def __init__(
        self,
        open_trainer: Callable[[], Train],
        on_load_failure: Callable[[BaseException], None],
        progress_for: Callable[[TrainingRequest], ProgressReporter] = reporter_for,
    ) -> None:
        self._open_trainer = open_trainer
        self._on_load_failure = on_load_failure
        self._progress_for = progress_for
        self._train: Train | None = None
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
            self._train = self._open_trainer()
        except BaseException as failure:
            self._unavailable = f"the base model could not be loaded: {failure}"
            self._on_load_failure(failure)
            return
        if not self._stopping:
            self._unavailable = None
            log.info("ready")

    async def _ping(self, _: Request) -> Response:
        try:
            self._require_available()
        except WorkerFailure as failure:
            # Answered here, not by the handler that logs: pings come every few seconds.
            return error_response(failure.document, failure.http_status)
        return Response()

    def _require_available(self) -> Train:
        if self._unavailable is not None or self._train is None:
            raise WorkerFailure("WorkerUnavailable", self._unavailable or "the worker is starting")
        return self._train

    async def _invocations(self, request: Request) -> Response:
        document = await read_document(request, TrainingRequest, max_bytes=MAX_REQUEST_BYTES)
        train = self._require_available()
        if not self._training.acquire(blocking=False):
            raise WorkerFailure("WorkerUnavailable", "another training is running; try again later")
        try:
            self._cancellation = cancellation = Cancellation()
            # Asked again: a stop between the first question and the new cancellation would have been lost.
            self._require_available()
            result = await self._train_until_hang_up(request, document, train, cancellation)
        finally:
            self._training.release()
        return JSONResponse(result.to_wire())

    async def _train_until_hang_up(
        self, request: Request, document: TrainingRequest, train: Train, cancellation: Cancellation
    ) -> TrainingResult:
        async def cancel_on_hang_up() -> None:
            while (await request.receive())["type"] != "http.disconnect":
                pass
            cancellation.cancel()

        def run() -> TrainingResult:
            with resource_log_context(
                document.model, inference_id=document.inference_id, attempt=document.attempt
            ):
                return train(document, self._progress_for(document), cancellation)

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
