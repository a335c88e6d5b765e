"""A stand-in for the workers, for tests of the control plane only: the real contracts, no torch, no model.

Killing the operator at thirty points takes thirty trainings; with real ones that would be an hour. So this process
speaks both container contracts, claims attempts, uploads an artifact with a true checksum and a true manifest and
reports progress, exactly as the documents in `avatar_api.documents` say, but its "weights" are the request's hash and
its "pictures" are one colour. What real workers do is tested with real workers, elsewhere.

The word that stands for the person chooses how a training goes: `crash` kills the process, `oops` answers 500, `blurry`
refuses the photos with 422, `broken` uploads other bytes than it says, `slow` runs until it loses its claim, `unhurried`
takes three seconds, `quiet` succeeds without a word of progress, anything else succeeds.

It digests the weights of what it loads, and draws for nobody who was promised others.
"""

import base64
import hashlib
import io
import json
import os
import tarfile
import time
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError

from avatar_api.documents.artifact import WEIGHTS_NAME, ArtifactFile, ArtifactManifest
from avatar_api.documents.credentials import AttemptCredentials, SessionCredentials
from avatar_api.documents.errors import HTTP_STATUS, RETRYABLE, WorkerError, WorkerErrorCode
from avatar_api.documents.inference import InferenceRequest, InferenceResult, PictureResult
from avatar_api.documents.photos import PhotoVerdict
from avatar_api.documents.training import (
    ArtifactResult,
    TrainingClaim,
    TrainingProgressMessage,
    TrainingRequest,
    TrainingResult,
)

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
SLOW_SECONDS = 120.0
UNHURRIED_SECONDS = 3.0


class Refusal(Exception):
    """An answer that is not a success."""

    def __init__(self, code: WorkerErrorCode, message: str, photos: list[PhotoVerdict] | None = None) -> None:
        super().__init__(message)
        self.error = WorkerError(code=code, message=message, retryable=code in RETRYABLE, photos=photos)


def location(uri: str) -> dict[str, str]:
    bucket, key = uri.removeprefix("s3://").split("/", 1)
    return {"Bucket": bucket, "Key": key}


def acting_with(credentials: SessionCredentials) -> Any:
    """S3 in the name of a session."""
    session: Any = boto3.session.Session(
        aws_access_key_id=credentials.access_key_id,
        aws_secret_access_key=credentials.secret_access_key,
        aws_session_token=credentials.session_token,
    )
    return session.client("s3")


class Trainer:
    """One training after the other, without any learning."""

    def __init__(self) -> None:
        self.own_s3: Any = boto3.client("s3")
        self.s3: Any = self.own_s3
        self.sqs: Any = boto3.client("sqs")

    def train(self, request: TrainingRequest) -> TrainingResult:
        started = time.monotonic()
        self.s3 = self.own_s3
        if request.credentials_uri is not None:
            kept = self.own_s3.get_object(**location(request.credentials_uri))["Body"].read()
            self.s3 = acting_with(AttemptCredentials.model_validate_json(kept).credentials)
        self._claim(request)
        self._progress(request, "Preparing", 0, 0, len(request.photos))
        match request.subject.token:
            case "crash":
                os._exit(137)
            case "oops":
                raise Refusal("InternalError", "the stand-in was told to fail")
            case "blurry":
                verdicts = [
                    PhotoVerdict(uri=photo.uri, rejection="Blurred", message="told so")
                    for photo in request.photos
                ]
                raise Refusal("TooFewUsablePhotos", "0 of the photos can be used", verdicts)
            case "slow":
                self._wait_for_cancellation(request)
            case "unhurried":
                time.sleep(UNHURRIED_SECONDS)
        for tenth in range(11):
            steps = request.training.steps
            self._progress(request, "Training", tenth + 1, tenth * steps // 10, steps)
        self._progress(request, "Packaging", 200)
        artifact = self._upload(request)
        return TrainingResult(
            inference_id=request.inference_id,
            artifact=artifact,
            photos=[PhotoVerdict(uri=photo.uri) for photo in request.photos],
            seconds=time.monotonic() - started,
            final_loss=0.1,
        )

    def _claim(self, request: TrainingRequest) -> None:
        claim = TrainingClaim(inference_id=request.inference_id, holder="Worker", time=datetime.now(UTC))
        try:
            self.s3.put_object(
                **location(request.claim_uri), Body=json.dumps(claim.to_wire()).encode(), IfNoneMatch="*"
            )
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] == 412:
                raise Refusal("AttemptFenced", "this attempt is claimed already") from error
            raise

    def _wait_for_cancellation(self, request: TrainingRequest) -> None:
        deadline = time.monotonic() + SLOW_SECONDS
        while time.monotonic() < deadline:
            try:
                body = self.s3.get_object(**location(request.claim_uri))["Body"].read()
            except ClientError:
                raise Refusal("AttemptFenced", "the claim is gone") from None
            if TrainingClaim.model_validate_json(body).holder != "Worker":
                raise Refusal("AttemptFenced", "the operator took the claim")
            time.sleep(0.2)

    def _progress(
        self, request: TrainingRequest, stage: Any, sequence: int, step: int = 0, total_steps: int = 0
    ) -> None:
        if request.progress is None or request.subject.token == "quiet":
            return
        message = TrainingProgressMessage(
            inference_id=request.inference_id,
            model=request.model,
            stage=stage,
            step=step,
            total_steps=total_steps,
            estimated_remaining_seconds=0,
            sequence=sequence,
            time=datetime.now(UTC),
        )
        self.sqs.send_message(QueueUrl=request.progress.queue_url, MessageBody=json.dumps(message.to_wire()))

    def _upload(self, request: TrainingRequest) -> ArtifactResult:
        weights = hashlib.sha256(request.model_dump_json().encode()).digest()
        manifest = ArtifactManifest(
            model=request.model,
            revision=request.revision,
            attempt=request.attempt,
            inference_id=request.inference_id,
            base_model=request.base_model,
            subject=request.subject,
            training=request.training,
            photo_count=len(request.photos),
            files=[
                ArtifactFile(
                    path=WEIGHTS_NAME,
                    sha256=hashlib.sha256(weights).hexdigest(),
                    size_bytes=len(weights),
                )
            ],
            created_at=datetime.now(UTC),
            worker_version="stand-in",
        )
        manifest_bytes = json.dumps(manifest.to_wire()).encode()
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w:gz") as tar:
            for name, content in (
                ("manifest.json", manifest_bytes),
                (WEIGHTS_NAME, weights),
            ):
                member = tarfile.TarInfo(name)
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
        body = archive.getvalue()
        stored = body + b"broken" if request.subject.token == "broken" else body
        self._create(request.artifact.uri, stored)
        self._create(request.artifact.manifest_uri, manifest_bytes)
        return ArtifactResult(
            uri=request.artifact.uri,
            manifest_uri=request.artifact.manifest_uri,
            target_model=request.artifact.target_model,
            sha256=hashlib.sha256(body).hexdigest(),
            size_bytes=len(body),
        )

    def _create(self, uri: str, body: bytes) -> None:
        self.s3.put_object(**location(uri), Body=body, ChecksumAlgorithm="SHA256", IfNoneMatch="*")


class Server:
    """The models that the multi-model platform loaded."""

    def __init__(self) -> None:
        self.s3: Any = boto3.client("s3")
        self.loaded: dict[str, str] = {}

    def draw(self, name: str, request: InferenceRequest) -> InferenceResult:
        weights = Path(self.loaded[name]) / WEIGHTS_NAME
        if request.weights_sha256 not in (None, hashlib.sha256(weights.read_bytes()).hexdigest()):
            raise Refusal("ArtifactChanged", "the artifact is not the one that was verified any more")
        pictures = []
        s3: Any = self.s3 if request.credentials is None else acting_with(request.credentials)
        for picture in request.pictures:
            assert request.output_prefix is not None
            uri = f"{request.output_prefix}{picture.file_name()}"
            s3.put_object(**location(uri), Body=PNG, ChecksumAlgorithm="SHA256")
            pictures.append(
                PictureResult(
                    uri=uri,
                    prompt_index=picture.prompt_index,
                    image_index=picture.image_index,
                    seed=picture.seed,
                    sha256=hashlib.sha256(PNG).hexdigest(),
                )
            )
        return InferenceResult(pictures=pictures, generate_seconds=0.01)


TRAINER, SERVER = Trainer(), Server()


class Handler(BaseHTTPRequestHandler):
    """Both container contracts on one port."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path == "/ping":
            self._answer(200, {})
        elif self.path.startswith("/models"):
            self._answer(
                200, {"models": [{"modelName": name, "modelUrl": url} for name, url in SERVER.loaded.items()]}
            )
        else:
            self._answer(404, {})

    def do_DELETE(self) -> None:
        known = SERVER.loaded.pop(self.path.split("/")[-1], None)
        self._answer(200 if known else 404, {})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        try:
            if self.path == "/invocations":
                self._answer(200, TRAINER.train(TrainingRequest.model_validate_json(body)).to_wire())
            elif self.path == "/models":
                wanted = json.loads(body)
                status = 409 if wanted["model_name"] in SERVER.loaded else 200
                SERVER.loaded[wanted["model_name"]] = wanted["url"]
                self._answer(status, {})
            elif (name := self.path.split("/")[2]) in SERVER.loaded:
                self._answer(200, SERVER.draw(name, InferenceRequest.model_validate_json(body)).to_wire())
            else:
                self._answer(404, {})
        except Refusal as refusal:
            self._answer(HTTP_STATUS[refusal.error.code], refusal.error.to_wire())

    def _answer(self, status: int, document: dict[str, Any]) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


if __name__ == "__main__":
    port = int(os.environ.get("SAGEMAKER_BIND_TO_PORT", "8080"))
    ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()
