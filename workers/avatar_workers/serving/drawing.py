"""One invocation, from its document to its result.

Pictures are drawn a batch at a time on the engine's own thread, and encoded and stored on others while the next batch
is drawn. Batches of several invocations take turns, so a long one does not starve a short one. Nobody is drawn for in
vain: a client that has hung up (SageMaker does after 60 s) and a container that must stop end the work at the next step.
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import torch
from PIL import Image

from avatar_api.documents.inference import InferenceRequest, InferenceResult, PictureRequest, PictureResult
from avatar_workers.errors import WorkerFailure
from avatar_workers.serving.engine import DrawingAbandoned, DrawingEngine
from avatar_workers.serving.metrics import ServingMetrics
from avatar_workers.serving.personal_models import PersonalModel
from avatar_workers.serving.pictures import InlinePictures, encode_png, store_picture
from avatar_workers.serving.settings import ServingSettings
from avatar_workers.storage import ObjectStorage


class Drawing:
    """Draws invocations with one engine.

    Args:
        engine: draws on one thread, which this class owns.
        storage: where pictures go, and with whose rights if a request brings none.
        settings: limits.
        metrics: counts.
        must_stop: says that the container's time is up.
    """

    def __init__(
        self,
        engine: DrawingEngine,
        storage: ObjectStorage,
        settings: ServingSettings,
        metrics: ServingMetrics,
        must_stop: Callable[[], bool],
    ) -> None:
        self._engine = engine
        self._storage = storage
        self._settings = settings
        self._metrics = metrics
        self._must_stop = must_stop
        self._in_progress = 0
        self._thread = ThreadPoolExecutor(
            1, "drawing", initializer=_use_threads, initargs=(settings.torch_threads,)
        )

    async def draw(
        self, model: PersonalModel | None, request: InferenceRequest, client_left: Callable[[], bool]
    ) -> InferenceResult:
        """Draw all pictures of a request, and store them or put them into the result.

        Args:
            model: who draws; None is the base itself.
            request: the document.
            client_left: asked after every step; may be called from any thread.

        Raises:
            WorkerFailure: InvalidRequest, ModelNameMismatch, ArtifactChanged, PictureTooLarge, WorkerUnavailable,
                InsufficientMemory, ArtifactInvalid and the storage's own.
        """
        kind = "base" if model is None else "personal"
        try:
            _check_weights(model, request)
            self._check(request)
            self._in_progress += 1
            self._metrics.invocations_in_progress.set(self._in_progress)
            try:
                result = await self._draw(model, request, lambda: client_left() or self._must_stop())
            finally:
                self._in_progress -= 1
                self._metrics.invocations_in_progress.set(self._in_progress)
        except WorkerFailure as failure:
            self._metrics.invocations.labels(kind, failure.code).inc()
            raise
        self._metrics.invocations.labels(kind, "Drawn").inc()
        self._metrics.pictures.labels(kind).inc(len(result.pictures))
        return result

    def close(self) -> None:
        """Let the engine's thread end. Batches that wait are dropped."""
        self._thread.shutdown(cancel_futures=True)

    def _check(self, request: InferenceRequest) -> None:
        names = [picture.file_name() for picture in request.pictures]
        if len(set(names)) < len(names):
            raise WorkerFailure(
                "InvalidRequest", "pictures: two entries have the same promptIndex, imageIndex and seed"
            )
        pixels = request.width * request.height
        if pixels > self._settings.max_picture_pixels:
            raise WorkerFailure(
                "PictureTooLarge",
                f"{request.width} x {request.height} is {pixels} pixels, more than the"
                f" {self._settings.max_picture_pixels} of this worker (AVATAR_MAX_PICTURE_PIXELS)",
            )
        if self._in_progress >= self._settings.max_waiting_invocations:
            raise WorkerFailure(
                "WorkerUnavailable", f"{self._in_progress} invocations are waiting; try again in a moment"
            )

    async def _draw(
        self, model: PersonalModel | None, request: InferenceRequest, is_abandoned: Callable[[], bool]
    ) -> InferenceResult:
        inline = InlinePictures()
        storing: list[asyncio.Task[list[PictureResult]]] = []
        results: list[PictureResult] = []
        seconds = 0.0
        storage = await asyncio.to_thread(self._storage_for, request)
        try:
            for batch in _batches(request, self._settings.max_batch_pixels):
                images, batch_seconds = await self._draw_batch(model, request, batch, is_abandoned)
                seconds += batch_seconds
                if request.output_prefix is None:
                    pngs = await asyncio.to_thread(_encode, images)
                    results += [inline.add(picture, png) for picture, png in zip(batch, pngs, strict=True)]
                else:
                    storing.append(
                        asyncio.create_task(
                            asyncio.to_thread(_store, storage, request.output_prefix, batch, images)
                        )
                    )
        finally:
            # Also on failure: what has been drawn is kept, and nothing is written after the answer has gone out.
            stored = await asyncio.gather(*storing, return_exceptions=True)
        for outcome in stored:
            if isinstance(outcome, BaseException):
                raise outcome
            results += outcome
        return InferenceResult(pictures=results, generate_seconds=seconds)

    async def _draw_batch(
        self,
        model: PersonalModel | None,
        request: InferenceRequest,
        batch: Sequence[PictureRequest],
        is_abandoned: Callable[[], bool],
    ) -> tuple[list[Image.Image], float]:
        def draw() -> tuple[list[Image.Image], float]:
            if is_abandoned():
                raise DrawingAbandoned
            started = time.monotonic()
            images = self._engine.draw(None if model is None else model.name, batch, request, is_abandoned)
            return images, time.monotonic() - started

        try:
            images, seconds = await asyncio.get_running_loop().run_in_executor(self._thread, draw)
        except DrawingAbandoned as abandoned:
            raise WorkerFailure(
                "WorkerUnavailable", "drawing was given up: the worker stops, or the client has gone"
            ) from abandoned
        self._metrics.draw_seconds.observe(seconds)
        return images, seconds

    def _storage_for(self, request: InferenceRequest) -> ObjectStorage:
        # A client for each invocation takes 60 ms on a thread, of seconds that it draws for. A pool of them would keep the
        # sessions of other tenants within reach of whoever takes this process over.
        credentials = request.credentials
        return self._storage if credentials is None else self._storage.acting_with(lambda: credentials)


def _store(
    storage: ObjectStorage, prefix: str, batch: Sequence[PictureRequest], images: Sequence[Image.Image]
) -> list[PictureResult]:
    return [
        store_picture(storage, prefix, picture, encode_png(image))
        for picture, image in zip(batch, images, strict=True)
    ]


def _check_weights(model: PersonalModel | None, request: InferenceRequest) -> None:
    """See that what was loaded is what the request was promised: the archive was checked against itself only."""
    expected = request.weights_sha256
    if expected is None:
        return
    if model is None:
        raise WorkerFailure(
            "ModelNameMismatch", "weightsSha256 names weights of a personal model, and the base has none"
        )
    if expected != model.weights_sha256:
        raise WorkerFailure(
            "ArtifactChanged",
            f"the weights of {model.target_model} have SHA-256 {model.weights_sha256} here, and the request is for those"
            f" with {expected}: the artifact is not the one that was verified any more. Nothing was drawn",
        )


def _batches(request: InferenceRequest, max_pixels: int) -> Iterator[Sequence[PictureRequest]]:
    size = max(1, max_pixels // (request.width * request.height))
    for start in range(0, len(request.pictures), size):
        yield request.pictures[start : start + size]


def _encode(images: Sequence[Image.Image]) -> list[bytes]:
    return [encode_png(image) for image in images]


def _use_threads(threads: int) -> None:
    if threads:
        torch.set_num_threads(threads)
