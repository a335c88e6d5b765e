"""One attempt to train one personal model: the worker's core, without HTTP."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import structlog
import torch

from avatar_api.documents.training import ArtifactResult, TrainingRequest, TrainingResult
from avatar_workers.base_model.pipeline import BaseModel
from avatar_workers.errors import WorkerFailure
from avatar_workers.scratch import scratch_directory
from avatar_workers.storage import ObjectStorage
from avatar_workers.training.cancellation import Cancellation
from avatar_workers.training.claim import Claim, claim_attempt
from avatar_workers.training.credentials import storage_of_attempt
from avatar_workers.training.latents import class_image_latents, encode_photos
from avatar_workers.training.lora import lora_on_base
from avatar_workers.training.packaging import package_and_upload
from avatar_workers.training.preparation.photo_preparation import PreparedPhotos, prepare_photos
from avatar_workers.training.progress import ProgressReporter
from avatar_workers.training.prompts import class_prompt, instance_prompt
from avatar_workers.training.training_loop import TrainingSet, train_lora

log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True)
class Trainer:
    """The worker's core: one resident base, and whatever attempts come.

    Attributes:
        base: the resident base model.
        storage: photos are read from it, claim and artifact written to it, with the attempt's own credentials if it has some.
        scratch: directory for files of one attempt.
        class_image_cache: directory for class images, shared by all attempts.
    """

    base: BaseModel
    storage: ObjectStorage
    scratch: Path
    class_image_cache: Path

    def train(
        self, request: TrainingRequest, progress: ProgressReporter, cancellation: Cancellation
    ) -> TrainingResult:
        """Run one attempt from its claim to its uploaded artifact.

        Args:
            request: everything that is to be done.
            progress: told stage and step.
            cancellation: asked between steps.

        Raises:
            WorkerFailure: whatever went wrong. No artifact is there then, and the base is as it was.
        """
        began = time.monotonic()
        _check(request, self.base)
        storage = storage_of_attempt(request, self.storage)
        claim = claim_attempt(request, storage)

        def check() -> None:
            cancellation.check()
            claim.check()

        try:
            prepared, examples = self._prepare(request, storage, progress, check)
            final_loss, artifact = self._train_and_package(
                request, examples, len(prepared.pictures), progress, check, claim, storage
            )
        except torch.OutOfMemoryError as error:
            raise WorkerFailure(
                "InsufficientMemory",
                "the GPU's memory is too small for this training; lower batchSize, resolution or rank",
                retryable=False,
            ) from error
        seconds = time.monotonic() - began
        log.info("trained", seconds=round(seconds, 1), final_loss=final_loss, photos=len(prepared.pictures))
        return TrainingResult(
            inference_id=request.inference_id,
            artifact=artifact,
            photos=prepared.verdicts,
            seconds=seconds,
            final_loss=final_loss,
        )

    def _train_and_package(
        self,
        request: TrainingRequest,
        examples: TrainingSet,
        photo_count: int,
        progress: ProgressReporter,
        check: Callable[[], None],
        claim: Claim,
        storage: ObjectStorage,
    ) -> tuple[float, ArtifactResult]:
        settings = request.training

        def on_step(step: int) -> None:
            check()
            progress.report("Training", step, settings.steps)

        with lora_on_base(
            self.base,
            rank=settings.rank,
            train_text_encoder=settings.text_encoder == "Train",
            seed=settings.seed,
        ) as lora:
            progress.report("Training", 0, settings.steps)
            final_loss = train_lora(lora, examples, settings, on_step)
            progress.report("Packaging")
            with scratch_directory(self.scratch) as scratch:
                artifact = package_and_upload(
                    lora, request, claim, photo_count=photo_count, storage=storage, scratch=scratch
                )
        return final_loss, artifact

    def _prepare(
        self,
        request: TrainingRequest,
        storage: ObjectStorage,
        progress: ProgressReporter,
        check: Callable[[], None],
    ) -> tuple[PreparedPhotos, TrainingSet]:
        class_images = request.training.prior_preservation.num_class_images
        if request.training.prior_preservation.weight == 0:
            class_images = 0
        total = len(request.photos) + class_images

        def on_photo(done: int) -> None:
            check()
            progress.report("Preparing", done, total)

        def on_class_image(done: int) -> None:
            on_photo(len(request.photos) + done)

        progress.report("Preparing", 0, total)
        prepared = prepare_photos(
            request.photos,
            request.photo_policy,
            storage,
            resolution=request.training.resolution,
            on_photo=on_photo,
            check=check,
        )
        examples = TrainingSet(
            photos=encode_photos(self.base, prepared.pictures),
            instance_prompt=instance_prompt(request.subject),
            class_latents=class_image_latents(
                self.base,
                class_prompt(request.subject),
                resolution=request.training.resolution,
                count=class_images,
                cache=self.class_image_cache,
                on_image=on_class_image,
            )
            if class_images
            else None,
            class_prompt=class_prompt(request.subject),
        )
        return prepared, examples


def _check(request: TrainingRequest, base: BaseModel) -> None:
    if request.base_model.sha256 != base.sha256:
        raise WorkerFailure(
            "BaseModelMismatch",
            f"the request is for the base {request.base_model.sha256}, this worker holds {base.sha256}",
        )
    if len(request.photos) > request.photo_policy.max_count:
        raise WorkerFailure(
            "InvalidRequest",
            f"photos: {len(request.photos)} are given, at most {request.photo_policy.max_count} are allowed",
        )
