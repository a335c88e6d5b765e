"""Whether a stored artifact is what the worker says it is.

S3 verified the SHA-256 when the object was written and keeps it, so a HEAD is enough to compare gigabytes; the manifest
beside it is read and must name this attempt and the base that was asked for.
"""

from dataclasses import dataclass

from pydantic import ValidationError

from avatar_api.avatar_request import ResolvedModel
from avatar_api.avatar_runtime import AvatarRuntime
from avatar_api.documents.artifact import WEIGHTS_NAME, ArtifactManifest
from avatar_api.documents.training import ArtifactDestination, ArtifactResult, TrainingRequest
from avatar_operator.aws.s3_location import S3Location
from avatar_operator.aws.s3_objects import S3Objects
from avatar_operator.backends.attempts import AttemptReference
from avatar_operator.backends.failures import BackendError

MAX_MANIFEST_BYTES = 1 << 20
MAX_REQUEST_BYTES = 1 << 20


@dataclass(frozen=True)
class ArtifactExpectation:
    """What the attempt was asked to make, and where to put it."""

    inference_id: str
    revision: int
    base_sha256: str
    destination: ArtifactDestination

    @classmethod
    def without_request(cls, runtime: AvatarRuntime, attempt: AttemptReference) -> "ArtifactExpectation":
        """What the attempt must have been asked for, if its request document is gone or unreadable."""
        locations = attempt.locations
        return cls(
            inference_id=attempt.inference_id,
            revision=attempt.revision,
            base_sha256=runtime.spec.base_model.sha256,
            destination=ArtifactDestination(
                uri=locations.artifact, manifest_uri=locations.manifest, target_model=locations.target_model
            ),
        )


async def artifact_defect(
    objects: S3Objects, runtime: AvatarRuntime, attempt: AttemptReference, artifact: ArtifactResult
) -> str:
    """See Storage.artifact_defect.

    Raises:
        AwsFailure: it could not be found out.
    """
    return await defect(objects, artifact, await _expectation(objects, runtime, attempt))


async def check_artifact(objects: S3Objects, pinned: ResolvedModel) -> None:
    """See Storage.check_artifact.

    Raises:
        BackendError: it is gone, or another.
        AwsFailure: it could not be found out.
    """
    facts = await objects.facts(S3Location.parse(pinned.uri))
    if facts is None:
        raise BackendError(
            "ArtifactMissing", f"revision {pinned.revision} is not at {pinned.uri} any more", retryable=False
        )
    if facts.sha256 != pinned.sha256:
        raise BackendError(
            "ArtifactReplaced",
            f"something else lies at {pinned.uri} than revision {pinned.revision}, whose SHA-256 is {pinned.sha256}:"
            " pictures of it might show somebody else",
            retryable=False,
        )


async def _expectation(
    objects: S3Objects, runtime: AvatarRuntime, attempt: AttemptReference
) -> ArtifactExpectation:
    # The runtime may have got another base since: what counts is what this attempt was asked for.
    content = await objects.read(S3Location.parse(attempt.locations.request), max_bytes=MAX_REQUEST_BYTES)
    try:
        request = TrainingRequest.model_validate_json(content or b"")
    except ValidationError:
        return ArtifactExpectation.without_request(runtime, attempt)
    return ArtifactExpectation(
        inference_id=attempt.inference_id,
        revision=attempt.revision,
        base_sha256=request.base_model.sha256,
        destination=request.artifact,
    )


async def defect(objects: S3Objects, artifact: ArtifactResult, expectation: ArtifactExpectation) -> str:
    """How an artifact differs from what was expected, in words; empty if it does not."""
    destination = expectation.destination
    for name, claimed, wanted in (
        ("artifact", artifact.uri, destination.uri),
        ("manifest", artifact.manifest_uri, destination.manifest_uri),
        ("target model", artifact.target_model, destination.target_model),
    ):
        if claimed != wanted:
            return f"the worker names {claimed} as its {name}, but was told {wanted}"
    return await _object_defect(objects, artifact) or await _manifest_defect(objects, artifact, expectation)


async def _object_defect(objects: S3Objects, artifact: ArtifactResult) -> str:
    stored = await objects.facts(S3Location.parse(artifact.uri))
    if stored is None:
        return f"{artifact.uri} is not there"
    if stored.size_bytes != artifact.size_bytes:
        return f"{artifact.uri} has {stored.size_bytes} bytes, the worker says {artifact.size_bytes}"
    if stored.sha256 is None:
        return f"{artifact.uri} was stored without a SHA-256 checksum of the whole object"
    if stored.sha256 != artifact.sha256:
        return f"{artifact.uri} has SHA-256 {stored.sha256}, the worker says {artifact.sha256}"
    return ""


async def _manifest_defect(
    objects: S3Objects, artifact: ArtifactResult, expectation: ArtifactExpectation
) -> str:
    content = await objects.read(S3Location.parse(artifact.manifest_uri), max_bytes=MAX_MANIFEST_BYTES)
    if content is None:
        return f"{artifact.manifest_uri} is not there"
    try:
        manifest = ArtifactManifest.model_validate_json(content)
    except ValidationError as error:
        return f"{artifact.manifest_uri} is no manifest: {error.errors()[0]['msg']}"
    return manifest_defect(manifest, expectation)


def manifest_defect(manifest: ArtifactManifest, expectation: ArtifactExpectation) -> str:
    """What is wrong with a manifest, in words; empty if nothing is. Pure."""
    if manifest.inference_id != expectation.inference_id or manifest.revision != expectation.revision:
        return (
            f"the manifest is that of {manifest.inference_id}, revision {manifest.revision},"
            f" not of {expectation.inference_id}, revision {expectation.revision}"
        )
    if manifest.base_model.sha256 != expectation.base_sha256:
        return f"the model was trained on base {manifest.base_model.sha256}, not on {expectation.base_sha256}"
    if not any(file.path == WEIGHTS_NAME for file in manifest.files):
        return f"the manifest lists no {WEIGHTS_NAME}"
    return ""
