"""Workers that do what the documents say and nothing else, in virtual time, behind an AWS that is recorded."""

import asyncio
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

from prometheus_client import CollectorRegistry

from avatar_api.avatar_runtime import AvatarRuntime
from avatar_api.documents.artifact import WEIGHTS_NAME, ArtifactFile, ArtifactManifest
from avatar_api.documents.inference import InferenceRequest, InferenceResult, PictureResult
from avatar_api.documents.photos import PhotoVerdict
from avatar_api.documents.training import ArtifactResult, TrainingClaim, TrainingRequest, TrainingResult
from avatar_api.schema_base import ApiModel
from avatar_operator.aws.clients import AwsClients
from avatar_operator.backends.compute import EndpointsFacts, HintSource
from avatar_operator.backends.sagemaker import SageMakerCompute
from avatar_operator.core.tenant import current_tenant
from avatar_operator.ingest.messages import AttemptHint, OnHint
from avatar_operator.ingest.metrics import IngestMetrics
from builders.clock import NOON
from builders.drawing_crowd import Draw
from builders.recording_aws import RecordingAws, Workers, refused
from builders.whole_operator import now

LONG_TRAINING = "boris"
"""How the names of models end that take long."""
DRAW_SECONDS = 8.0
TRAINING_SECONDS = 2.0
LONG_TRAINING_SECONDS = 900.0
TRAINING_OUTPUT, TRAINING_FAILURE = "s3://models/requests/output/", "s3://models/requests/failure/"
ARTIFACTS = "s3://models/artifacts/"


class SteadyCompute(SageMakerCompute):
    """The real compute with endpoints that are simply there: no tenant's word reaches them but by what is recorded."""

    def __init__(self, aws: RecordingAws, hints: "Hints") -> None:
        super().__init__(cast(AwsClients, aws), IngestMetrics(CollectorRegistry()))
        self._hints = hints

    async def ensure_endpoints(self, runtime: AvatarRuntime) -> EndpointsFacts:
        """See Compute."""
        return EndpointsFacts(ready=True, reason="InService", message="")

    async def strays(self, runtime: AvatarRuntime, living: object) -> tuple[()]:
        """See Compute."""
        return ()

    def hint_sources(self, runtime: AvatarRuntime) -> frozenset[HintSource]:
        """See Compute."""
        return frozenset({cast(HintSource, self._hints)})


class Hints:
    """A queue that tells at once."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[AttemptHint] = asyncio.Queue()

    def tell(self, inference_id: str) -> None:
        """An attempt has ended."""
        self._queue.put_nowait(AttemptHint(inference_id))

    async def run(self, on_hint: OnHint) -> None:
        """See HintSource."""
        while True:
            on_hint(await self._queue.get())


class HonestWorkers(Workers):
    """Workers that do what the documents say, and nothing else."""

    def __init__(self, aws: RecordingAws, hints: Hints) -> None:
        self._aws, self.hints = aws, hints
        self.draws: list[Draw] = []

    @contextmanager
    def drawing(self) -> Iterator[float]:
        """See Workers."""
        draw = Draw(current_tenant(), "", _operators_worker(), now())
        self.draws.append(draw)
        yield DRAW_SECONDS
        draw.ended = now()

    def train(self, submission: dict[str, Any]) -> dict[str, Any]:
        """See Workers."""
        extension, inference_id = submission["S3OutputPathExtension"], submission["InferenceId"]
        output = f"{TRAINING_OUTPUT}{extension}/{inference_id}.out"
        failure = f"{TRAINING_FAILURE}{extension}/{inference_id}-error.out"
        stored = self._aws.objects.get(submission["InputLocation"])
        if stored is None:
            self._aws.store(failure, b"Unable to download the inference request payload")
        else:
            request = TrainingRequest.model_validate_json(stored.body)
            is_long = request.model.name.endswith(LONG_TRAINING)
            self._aws.store(request.claim_uri, self._claim(request))
            asyncio.get_running_loop().call_later(
                LONG_TRAINING_SECONDS if is_long else TRAINING_SECONDS, self._end, request, output
            )
        return {"OutputLocation": output, "FailureLocation": failure}

    def draw(self, target_model: str, body: bytes) -> bytes:
        """See Workers."""
        request = InferenceRequest.model_validate_json(body)
        artifact = self._aws.objects.get(f"{ARTIFACTS}{target_model}")
        if artifact is None:
            raise refused("InvokeEndpoint", 400, "ValidationError", "Failed to download model data")
        assert request.output_prefix is not None
        mine = next(draw for draw in reversed(self.draws) if draw.worker == _operators_worker())
        mine.request = request.output_prefix.split("/")[-2]
        pictures = []
        for picture in request.pictures:
            uri = f"{request.output_prefix}{picture.file_name()}"
            drawn = f"{picture.prompt} with {target_model}".encode()
            self._aws.store(uri, drawn, checked=True)
            pictures.append(
                PictureResult(
                    uri=uri,
                    prompt_index=picture.prompt_index,
                    image_index=picture.image_index,
                    seed=picture.seed,
                    sha256=hashlib.sha256(drawn).hexdigest(),
                )
            )
        return (
            InferenceResult(pictures=pictures, generate_seconds=1.0).model_dump_json(by_alias=True).encode()
        )

    def _end(self, request: TrainingRequest, output: str) -> None:
        claim = self._aws.objects.get(request.claim_uri)
        if claim is None or b"Worker" not in claim.body:
            return
        weights = f"weights of {request.inference_id}".encode()
        manifest = ArtifactManifest(
            **{name: getattr(request, name) for name in ("model", "revision", "attempt", "inference_id")},
            **{name: getattr(request, name) for name in ("base_model", "subject", "training")},
            photo_count=len(request.photos),
            files=[
                ArtifactFile(
                    path=WEIGHTS_NAME, sha256=hashlib.sha256(weights).hexdigest(), size_bytes=len(weights)
                )
            ],
            created_at=NOON,
            worker_version="honest",
        )
        self._aws.store(request.artifact.uri, weights, checked=True)
        self._aws.store(request.artifact.manifest_uri, _json(manifest))
        result = TrainingResult(
            inference_id=request.inference_id,
            artifact=ArtifactResult(
                uri=request.artifact.uri,
                manifest_uri=request.artifact.manifest_uri,
                target_model=request.artifact.target_model,
                sha256=hashlib.sha256(weights).hexdigest(),
                size_bytes=len(weights),
            ),
            photos=[PhotoVerdict(uri=photo.uri) for photo in request.photos],
            seconds=TRAINING_SECONDS,
            final_loss=0.1,
        )
        self._aws.store(output, _json(result))
        self.hints.tell(request.inference_id)

    def _claim(self, request: TrainingRequest) -> bytes:
        return _json(TrainingClaim(inference_id=request.inference_id, holder="Worker", time=NOON))


def _operators_worker() -> str:
    task = asyncio.current_task()
    assert task is not None
    return task.get_name()


def _json(document: ApiModel) -> bytes:
    return json.dumps(document.to_wire()).encode()
