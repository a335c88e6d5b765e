"""The project's two workers in this process, from photos in a bucket to pictures: what production runs, without HTTP.

    photos -> bucket -> Trainer.train (claim, preparation, LoRA, packaging, upload) -> archive in the bucket
           -> unpacked, verified, fitted to the base -> HookedEngine -> pictures

Trainer and engine hold a base each, as the two containers do. Left out are the containers' doors and SageMaker's part;
the end-to-end tests have them.
"""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image

from avatar_api.documents.inference import InferenceRequest, PictureRequest
from avatar_api.documents.training import (
    ArtifactDestination,
    BaseModelReference,
    ObjectIdentity,
    PhotoLocation,
    PhotoPolicy,
    SubjectWords,
    TrainingProgressMessage,
    TrainingRequest,
    TrainingSettings,
)
from avatar_api.runtime_limits import InferenceDefaults
from avatar_workers.artifact.archive import MAX_WEIGHTS_BYTES, unpack_archive
from avatar_workers.artifact.verification import verify_directory
from avatar_workers.base_model.directory_digest import directory_digest
from avatar_workers.base_model.pipeline import load_base_model
from avatar_workers.serving.hooked_engine import HookedEngine
from avatar_workers.serving.low_rank_adapter import fit_to_base
from avatar_workers.storage import ObjectStorage
from avatar_workers.training.attempt import Trainer
from avatar_workers.training.cancellation import Cancellation
from avatar_workers.training.progress import ProgressReporter
from synthetic_people import Photo

SUBJECT = SubjectWords(class_noun="person", token="sks")  # noqa: S106  # a word in prompts
_PHOTO_POLICY = PhotoPolicy(min_count=10, max_count=15, max_bytes=20 << 20)

OnProgress = Callable[[str, int, int], None]
"""Told of a training: its stage, steps done, steps in all."""


@dataclass(frozen=True)
class PersonalModel:
    """A personal model that is resident in the engine: the name it has there, and how long its training took."""

    name: str
    training_seconds: float


class InProcessWorkers:
    """Trains and draws.

    Args:
        base_directory: a Stable Diffusion pipeline.
        storage: where photos and artifacts are.
        bucket: a bucket there, `s3://name/`.
        drawing: steps, guidance, size and scheduler of all pictures.
        scratch: a directory that outlives this object.
        device: where both bases are.

    Raises:
        WorkerFailure, BaseModelRefused: the base cannot be used.
    """

    def __init__(
        self,
        base_directory: Path,
        storage: ObjectStorage,
        bucket: str,
        drawing: InferenceDefaults,
        scratch: Path,
        device: torch.device | None = None,
    ) -> None:
        digest = directory_digest(base_directory)
        self._base_reference = BaseModelReference(source=f"{bucket}base/", revision="", sha256=digest)
        trained_on, drawn_with = (
            load_base_model(base_directory, sha256=digest, source=str(base_directory), device=device)
            for _ in range(2)
        )
        self._trainer = Trainer(trained_on, storage, scratch / "scratch", scratch / "class-images")
        self._engine = HookedEngine(drawn_with)
        self._storage = storage
        self._bucket = bucket
        self._drawing = drawing
        self._scratch = scratch

    def train(
        self,
        photos: Sequence[Photo],
        settings: TrainingSettings,
        on_progress: OnProgress = lambda *_: None,
    ) -> PersonalModel:
        """Upload the photos, train on them, and load what was trained into the engine.

        Args:
            photos: ten to fifteen.
            settings: hyperparameters.
            on_progress: told of each step.

        Raises:
            WorkerFailure: what a worker would answer.
        """
        name = uuid.uuid4().hex
        root = f"{self._bucket}{name}/"
        locations = [PhotoLocation(uri=f"{root}photos/{photo.name}") for photo in photos]
        for photo, location in zip(photos, locations, strict=True):
            self._storage.create(location.uri, photo.data, content_type="image/jpeg")
        request = TrainingRequest(
            inference_id=name,
            model=ObjectIdentity(namespace="benchmark", name=name, uid=name),
            revision=1,
            attempt=1,
            photos=locations,
            photo_policy=_PHOTO_POLICY,
            subject=SUBJECT,
            training=settings,
            base_model=self._base_reference,
            claim_uri=f"{root}claim.json",
            artifact=ArtifactDestination(
                uri=f"{root}model.tar.gz", manifest_uri=f"{root}manifest.json", target_model="model.tar.gz"
            ),
        )
        progress = ProgressReporter(name, request.model, _Listener(on_progress), interval_seconds=0)
        result = self._trainer.train(request, progress, Cancellation())
        self._load(name, result.artifact.uri, settings.rank)
        return PersonalModel(name, result.seconds)

    def _load(self, name: str, artifact_uri: str, max_rank: int) -> None:
        with tempfile.TemporaryDirectory(dir=self._scratch) as directory:
            archive = Path(directory) / "model.tar.gz"
            unpacked = Path(directory) / "model"
            unpacked.mkdir()
            self._storage.download(artifact_uri, archive, max_bytes=MAX_WEIGHTS_BYTES)
            unpack_archive(archive, unpacked)
            verified = verify_directory(unpacked, base_sha256=self._base_reference.sha256, max_rank=max_rank)
            self._engine.load(name, fit_to_base(verified.weights, self._engine.weight_shapes))

    def unload(self, model: PersonalModel) -> None:
        """Free what a personal model takes."""
        self._engine.unload(model.name)

    def draw(self, model: PersonalModel | None, prompts: Sequence[str], first_seed: int) -> list[Image.Image]:
        """One batch: a picture a prompt (16 at most), their seeds in sequence.

        Args:
            model: who draws; None is the base itself.
            prompts: what to draw.
            first_seed: seed of the first picture.
        """
        pictures = [
            PictureRequest(prompt=prompt, seed=first_seed + index, prompt_index=index, image_index=0)
            for index, prompt in enumerate(prompts)
        ]
        request = InferenceRequest(
            pictures=pictures,
            num_inference_steps=self._drawing.steps,
            guidance_scale=float(self._drawing.guidance),
            width=self._drawing.width,
            height=self._drawing.height,
            scheduler=self._drawing.scheduler,
        )
        return self._engine.draw(None if model is None else model.name, pictures, request, lambda: False)


@dataclass(frozen=True)
class _Listener:
    """A ProgressQueue whose messages go to a function."""

    on_progress: OnProgress

    def send(self, message: TrainingProgressMessage) -> None:
        self.on_progress(message.stage, message.step, message.total_steps)
