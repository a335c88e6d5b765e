"""Objects and documents for tests of backends: a runtime, models, requests, attempts."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

from prometheus_client import CollectorRegistry

from avatar_api.avatar_model import AvatarModel
from avatar_api.avatar_request import AvatarRequest, ResolvedModel
from avatar_api.avatar_runtime import AvatarRuntime
from avatar_api.documents.training import ArtifactResult, PhotoLocation, TrainingRequest
from avatar_operator.aws.clients import AwsClients
from avatar_operator.backends.attempts import AttemptReference, Submission
from avatar_operator.backends.s3 import S3Storage
from avatar_operator.backends.sagemaker import SageMakerCompute
from avatar_operator.backends.selection import Backend
from avatar_operator.ingest.metrics import IngestMetrics
from avatar_operator.locations import runtime_storage
from avatar_operator.model_lifecycle.training_request import build_training_request
from avatar_operator.names import inference_id

T = TypeVar("T")
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
REGION = "us-east-1"
BUCKET = "avatars-of-tests"
PATIENCE_SECONDS = 60.0


class StoppedClock:
    """A clock that moves only when told."""

    def __init__(self) -> None:
        self.time = NOW

    def now(self) -> datetime:
        return self.time


async def eventually(ask: Callable[[], Awaitable[T]], wanted: Callable[[T], bool]) -> T:
    """Ask until the answer is the wanted one, at most a minute."""
    deadline = asyncio.get_running_loop().time() + PATIENCE_SECONDS
    while True:
        answer = await ask()
        if wanted(answer):
            return answer
        assert asyncio.get_running_loop().time() < deadline, f"still {answer!r}"
        await asyncio.sleep(0.05)


def make_runtime(name: str = "tests", **sagemaker: Any) -> AvatarRuntime:
    """A runtime on `BUCKET`; keyword arguments replace members of spec.backend.sagemaker."""
    storage = {part: f"s3://{BUCKET}/{part}/" for part in ("requests", "artifacts", "outputs")}
    backend = {
        "region": REGION,
        "executionRoleARN": "arn:aws:iam::123456789012:role/avatars",
        "training": {"endpointName": f"{name}-training", "image": "stand-in", "instanceType": "ml.m5.large"},
        "inference": {
            "endpointName": f"{name}-inference",
            "image": "stand-in",
            "instanceType": "ml.m5.large",
        },
        "notifications": {
            "successTopicARN": f"arn:aws:sns:{REGION}:123456789012:avatars-success",
            "errorTopicARN": f"arn:aws:sns:{REGION}:123456789012:avatars-error",
            "queueURL": "http://127.0.0.1/queue",
        },
        **sagemaker,
    }
    return AvatarRuntime.model_validate(
        {
            "metadata": {"name": name, "uid": f"runtime-{name}"},
            "spec": {
                "backend": {"sagemaker": backend},
                "baseModel": {"source": f"s3://{BUCKET}/base/", "sha256": "b" * 64},
                "storage": {**storage, "allowed": {"photos": [f"s3://{BUCKET}/photos/{{namespace}}/"]}},
                "tenancy": {"allowedNamespaces": ["*"]},
            },
        }
    )


def make_simulated_runtime(**simulated: Any) -> AvatarRuntime:
    """The same runtime on the simulated backend."""
    wire = make_runtime().model_dump(by_alias=True, exclude_none=True)
    wire["spec"]["backend"] = {"simulated": simulated}
    return AvatarRuntime.model_validate(wire)


def make_model(photos: dict[str, Any] | None = None, **spec: Any) -> AvatarModel:
    """An AvatarModel with a new uid."""
    uid = str(uuid.uuid4())
    return AvatarModel.model_validate(
        {
            "metadata": {"name": "ann", "namespace": "team-a", "uid": uid},
            "spec": {
                "runtimeRef": {"name": "tests"},
                "photos": photos or {"s3Prefix": f"s3://{BUCKET}/photos/team-a/{uid}/"},
                **spec,
            },
        }
    )


def make_request(**spec: Any) -> AvatarRequest:
    """An AvatarRequest with a new uid."""
    return AvatarRequest.model_validate(
        {
            "metadata": {"name": "portraits", "namespace": "team-a", "uid": str(uuid.uuid4())},
            "spec": {"modelRef": {"name": "ann"}, "prompts": [{"prompt": "a photo of sks person"}], **spec},
        }
    )


def make_attempt(model: AvatarModel, attempt: int = 1, **changes: Any) -> AttemptReference:
    """The first revision's attempt to train a model."""
    uid = model.metadata.uid
    return AttemptReference(
        namespace=model.metadata.namespace,
        uid=uid,
        revision=1,
        attempt=attempt,
        inference_id=inference_id(uid, 1, attempt),
        **{"storage": runtime_storage(make_runtime()), **changes},
    )


def make_training_request(
    runtime: AvatarRuntime, model: AvatarModel, attempt: AttemptReference
) -> TrainingRequest:
    """The document for an attempt, as the lifecycle builds it, without progress."""
    photos = [PhotoLocation(uri=f"s3://{BUCKET}/photos/team-a/{number}.png") for number in range(10)]
    return build_training_request(runtime, model, attempt, photos, None)


def pinned(artifact: ArtifactResult) -> ResolvedModel:
    """An artifact as a request that draws with it has it in its status."""
    return ResolvedModel(
        name="ann",
        uid=str(uuid.uuid4()),
        revision=1,
        target_model=artifact.target_model,
        uri=artifact.uri,
        sha256=artifact.sha256,
    )


def sagemaker_backend(clients: AwsClients, clock: StoppedClock) -> Backend:
    """Storage in S3 and compute on SageMaker, as the process assembles them."""
    ingest = IngestMetrics(CollectorRegistry())
    return Backend(S3Storage(clients, clock), SageMakerCompute(clients, ingest))


async def submit(
    backend: Backend, runtime: AvatarRuntime, model: AvatarModel, attempt: AttemptReference
) -> Submission:
    """Write an attempt's request document and hand it over, as the lifecycle does."""
    request = make_training_request(runtime, model, attempt)
    document = await backend.storage.write_request(runtime, attempt, request)
    return await backend.compute.submit_training(runtime, request, document)
