"""The stand-in worker of `e2e`, gone bad: what it says of a training is what somebody who runs it would like.

The word that stands for the person chooses the lie: `forever` has worked for an infinity, `verbose` has a verdict for more
photos than there can be, `thief` says that another model's artifact is its own, and rewrites its request document so
that it was told so; `boaster` has come further than it can before it says how far it is. `honest` is.
"""

from __future__ import annotations

import base64
import json
import os
import time
from datetime import UTC, datetime
from http.server import ThreadingHTTPServer
from typing import Any

from botocore.exceptions import ClientError

from avatar_api.documents.photos import PhotoVerdict
from avatar_api.documents.training import TrainingRequest
from e2e import stand_in_worker
from e2e.stand_in_worker import Refusal, Trainer, location
from security.container_secrets import KNOWN_TO_A_CONTAINER

RELEASE_SECONDS = 60.0


class Said:
    """An answer, whatever stands in it."""

    def __init__(self, wire: dict[str, Any]) -> None:
        self._wire = wire

    def to_wire(self) -> dict[str, Any]:
        """As it goes over the wire."""
        return self._wire


class Liar(Trainer):
    """Trains like the stand-in, and says something else."""

    def train(self, request: TrainingRequest) -> Any:
        """See Trainer."""
        if request.subject.token == "gossip":
            self._gossip(request)
        if request.subject.token == "boaster":
            self._boast(request)
        wire = super().train(request).to_wire()
        match request.subject.token:
            case "forever":
                wire["seconds"] = float("inf")
            case "verbose":
                wire["photos"] = [{"uri": "s3://photos/1.jpg", "rejection": "Blurred"}] * 101
            case "thief":
                wire["artifact"] = self._stolen(request)
        return Said(wire)

    def _gossip(self, request: TrainingRequest) -> None:
        said = f"is blurred; {' and '.join(KNOWN_TO_A_CONTAINER)} know why"
        verdicts = [
            PhotoVerdict(uri=photo.uri, rejection="Blurred", message=f"is blurred; {secret} knows why")
            for photo, secret in zip(request.photos, KNOWN_TO_A_CONTAINER, strict=False)
        ]
        raise Refusal("TooFewUsablePhotos", f"{request.photos[0].uri} {said}", verdicts)

    def _boast(self, request: TrainingRequest) -> None:
        assert request.progress is not None
        message = {
            "schemaVersion": "avatars.dev/training-progress/v1alpha1",
            "inferenceId": request.inference_id,
            "model": request.model.to_wire(),
            "stage": "Training",
            "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        for count in (10**30, 2**31 - 1):
            boast = {**message, "step": count, "totalSteps": count, "sequence": count}
            self.sqs.send_message(QueueUrl=request.progress.queue_url, MessageBody=json.dumps(boast))
        self._progress(request, "Training", 1, request.training.steps // 2, request.training.steps)
        self._wait_for_release(request)

    def _wait_for_release(self, request: TrainingRequest) -> None:
        bucket = location(request.claim_uri)["Bucket"]
        deadline = time.monotonic() + RELEASE_SECONDS
        while time.monotonic() < deadline:
            try:
                self.s3.head_object(Bucket=bucket, Key="release")
            except ClientError:
                time.sleep(0.1)
            else:
                return

    def _stolen(self, request: TrainingRequest) -> dict[str, Any]:
        own = location(request.artifact.uri)
        listed = self.s3.list_objects_v2(Bucket=own["Bucket"], Prefix="artifacts/")["Contents"]
        key = next(
            entry["Key"]
            for entry in listed
            if entry["Key"].endswith(".tar.gz") and request.model.uid not in entry["Key"]
        )
        head = self.s3.head_object(Bucket=own["Bucket"], Key=key, ChecksumMode="ENABLED")
        destination = {
            "uri": f"s3://{own['Bucket']}/{key}",
            "manifestUri": request.artifact.manifest_uri,
            "targetModel": key.removeprefix("artifacts/"),
        }
        document = request.claim_uri.replace("claim.json", "request.json")
        rewritten = {**request.to_wire(), "artifact": destination}
        self.s3.put_object(**location(document), Body=json.dumps(rewritten).encode())
        return {
            **destination,
            "sha256": base64.b64decode(head["ChecksumSHA256"]).hex(),
            "sizeBytes": head["ContentLength"],
        }


if __name__ == "__main__":
    stand_in_worker.TRAINER = Liar()
    port = int(os.environ.get("SAGEMAKER_BIND_TO_PORT", "8080"))
    ThreadingHTTPServer(("127.0.0.1", port), stand_in_worker.Handler).serve_forever()
