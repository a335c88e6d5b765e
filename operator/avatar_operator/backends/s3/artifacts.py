"""Whether a stored artifact is what the worker says it is.

S3 verified the SHA-256 when the object was written and keeps it, so a HEAD is enough to compare gigabytes; the manifest
beside it is read and must name this attempt and the base that was asked for.

What a worker says is a claim. Where the artifact had to go follows from the attempt (`locations`), so that nobody can
have something else of ours verified in its place. The one thing that is taken from the request document, which a worker
may write, too, is the digest of the base that the attempt was asked for: the runtime may have got another one since.
Whoever lies about that gets a model that no worker draws with.
"""

from avatar_api.avatar_request import ResolvedModel
from avatar_api.avatar_runtime import AvatarRuntime
from avatar_api.documents.artifact import WEIGHTS_NAME, ArtifactManifest
from avatar_api.documents.parsing import UnreadableDocument, parse_document
from avatar_api.documents.training import ArtifactResult
from avatar_operator.aws.s3_location import S3Location
from avatar_operator.aws.s3_objects import ObjectTooLarge, S3Objects
from avatar_operator.backends.attempts import ArtifactFindings, AttemptReference
from avatar_operator.backends.failures import BackendError
from avatar_operator.backends.s3.request_documents import find_request
from avatar_operator.core.confidential import Confidential

MAX_MANIFEST_BYTES = 1 << 20


async def examine_artifact(
    objects: S3Objects, runtime: AvatarRuntime, attempt: AttemptReference, artifact: ArtifactResult
) -> ArtifactFindings:
    """See Storage.examine_artifact.

    Raises:
        AwsFailure: it could not be found out.
    """
    misplaced = _misplaced(artifact, attempt)
    if misplaced is not None:
        return misplaced
    defect = await _object_defect(objects, artifact, attempt)
    if defect:
        return ArtifactFindings(defect)
    location = S3Location.parse(attempt.locations.manifest)
    try:
        content = await objects.read(location, max_bytes=MAX_MANIFEST_BYTES)
        if content is None:
            return ArtifactFindings(f"{location.uri} is not there")
        manifest = parse_document(ArtifactManifest, content)
    except (ObjectTooLarge, UnreadableDocument) as error:
        return ArtifactFindings(f"{location.uri} is no manifest", said=Confidential(str(error)))
    return examine_manifest(manifest, attempt, await _wanted_base(objects, runtime, attempt))


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


def examine_manifest(
    manifest: ArtifactManifest, attempt: AttemptReference, base_sha256: str
) -> ArtifactFindings:
    """What a manifest says of the attempt's artifact, or what is wrong with it. Pure.

    Args:
        manifest: as it lies beside the artifact.
        attempt: whose it has to be.
        base_sha256: of the base that was asked for.
    """
    if manifest.inference_id != attempt.inference_id or manifest.revision != attempt.revision:
        return ArtifactFindings(
            f"the manifest is that of another attempt, not of {attempt.inference_id}, revision {attempt.revision}",
            said=Confidential(f"{manifest.inference_id}, revision {manifest.revision}"),
        )
    if manifest.base_model.sha256 != base_sha256:
        return ArtifactFindings(
            f"the model was trained on base {manifest.base_model.sha256}, not on {base_sha256}"
        )
    weights = [file.sha256 for file in manifest.files if file.path == WEIGHTS_NAME]
    if len(weights) != 1:
        return ArtifactFindings(f"the manifest lists {WEIGHTS_NAME} {len(weights)} times, not once")
    return ArtifactFindings(weights_sha256=weights[0])


def _misplaced(artifact: ArtifactResult, attempt: AttemptReference) -> ArtifactFindings | None:
    locations = attempt.locations
    for name, claimed, wanted in (
        ("artifact", artifact.uri, locations.artifact),
        ("manifest", artifact.manifest_uri, locations.manifest),
        ("target model", artifact.target_model, locations.target_model),
    ):
        if claimed != wanted:
            return ArtifactFindings(
                f"the worker names another {name}, but was told {wanted}", said=Confidential(claimed)
            )
    return None


async def _object_defect(objects: S3Objects, artifact: ArtifactResult, attempt: AttemptReference) -> str:
    location = S3Location.parse(attempt.locations.artifact)
    stored = await objects.facts(location)
    if stored is None:
        return f"{location.uri} is not there"
    if stored.size_bytes != artifact.size_bytes:
        return f"{location.uri} has {stored.size_bytes} bytes, the worker says {artifact.size_bytes}"
    if stored.sha256 is None:
        return f"{location.uri} was stored without a SHA-256 checksum of the whole object"
    if stored.sha256 != artifact.sha256:
        return f"{location.uri} has SHA-256 {stored.sha256}, the worker says {artifact.sha256}"
    return ""


async def _wanted_base(objects: S3Objects, runtime: AvatarRuntime, attempt: AttemptReference) -> str:
    request = await find_request(objects, attempt)
    # Without one, what the runtime says today is all there is to go by.
    return runtime.spec.base_model.sha256 if request is None else request.base_model.sha256
