"""Where everything lies in S3: the one owner of every location. Pure, derived from names alone.

    <requests><namespace>/<uid>/r<revision>-a<attempt>/request.json, claim.json, credentials.json
    <requests>output/<namespace>/<uid>/<inference id>/...             what SageMaker stores of a success
    <requests>failure/<namespace>/<uid>/<inference id>/...            and of a failure
    <artifacts><namespace>/<uid>/r<revision>-a<attempt>.tar.gz, .manifest.json
    <outputs><namespace>/<uid>/..., or <prefix of the request><uid>/...    pictures
    retained.json beside artifacts and pictures that outlive their object

Every key names the uid of the Kubernetes object that it belongs to, so an object's data is found, and what has lost its
object is recognised (`owner_of`), without any table. SageMaker chooses the last part of an outcome's key. Prefixes are
those that an object recorded at its first use, else the runtime's: see `storage_of` and `picture_prefix`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from avatar_api.avatar_model import AvatarModel
from avatar_api.avatar_request import AvatarRequest
from avatar_api.avatar_runtime import AvatarRuntime

OwnerKind = Literal["AvatarModel", "AvatarRequest"]
MODEL: OwnerKind = "AvatarModel"
REQUEST: OwnerKind = "AvatarRequest"


@dataclass(frozen=True)
class StorageLocations:
    """The prefixes below which everything lies. Each ends with a slash."""

    requests: str
    artifacts: str
    outputs: str

    @property
    def training_output(self) -> str:
        """S3OutputPath of the training endpoint that we manage."""
        return f"{self.requests}output/"

    @property
    def training_failure(self) -> str:
        """S3FailurePath of the training endpoint that we manage."""
        return f"{self.requests}failure/"

    @property
    def roots(self) -> tuple[str, ...]:
        """The prefixes that lie in no other one: below these, and nowhere else, is everything."""
        prefixes = sorted({self.requests, self.artifacts, self.outputs})
        return tuple(
            prefix
            for prefix in prefixes
            if not any(prefix != other and prefix.startswith(other) for other in prefixes)
        )


@dataclass(frozen=True)
class AttemptLocations:
    """Everything that belongs to one attempt to train, as URIs; `target_model` is a key below the artifacts' prefix."""

    request: str
    claim: str
    credentials: str
    artifact: str
    manifest: str
    target_model: str


@dataclass(frozen=True)
class ModelDirectories:
    """Every directory that may hold something of a model, each once and ending with a slash.

    Attributes:
        documents: request documents and claims.
        artifacts: artifacts and their manifests.
        outcomes: what SageMaker stored of trainings, as far as it can be told from names and the model's own record.
    """

    documents: tuple[str, ...]
    artifacts: tuple[str, ...]
    outcomes: tuple[str, ...]


@dataclass(frozen=True)
class OwnedDirectory:
    """A directory whose name says which Kubernetes object it belongs to. `location` ends with a slash."""

    namespace: str
    uid: str
    kind: OwnerKind
    location: str


def runtime_storage(runtime: AvatarRuntime) -> StorageLocations:
    """The prefixes that a runtime gives to whoever begins now."""
    storage = runtime.spec.storage
    return StorageLocations(storage.requests, storage.artifacts, storage.outputs)


def place_in_namespace(
    storage: StorageLocations, runtime: AvatarRuntime, namespace: str, kind: OwnerKind
) -> str | None:
    """A place of the runtime's own that lies in the directory that objects of a kind and namespace would have; None if none does.

    `output` and `failure` below the requests are such places, and each prefix that lies in another one. Keys alone would not
    mix, because uids follow; but whoever is granted `<requests><namespace>/` would be granted everybody's.
    """
    homes = (storage.requests, storage.artifacts) if kind == MODEL else (storage.outputs,)
    places = (
        storage.training_output,
        storage.training_failure,
        storage.requests,
        storage.artifacts,
        storage.outputs,
        runtime.spec.base_model.source,
    )
    own = tuple(f"{home}{namespace}/" for home in homes)
    return next((place for place in places if place.startswith(own)), None)


def storage_of(model: AvatarModel, runtime: AvatarRuntime) -> StorageLocations:
    """The prefixes below which a model's data lies: those that it recorded at its first attempt, else the runtime's.

    A runtime's storage never changes, so what was recorded of this very runtime is derived, not read: only another one, that
    went before it under the name, is remembered.
    """
    recorded, current = model.status.storage, runtime_storage(runtime)
    if recorded is None or recorded.runtime_uid == runtime.metadata.uid:
        return current
    return StorageLocations(recorded.requests, recorded.artifacts, current.outputs)


def storages_of(model: AvatarModel, runtime: AvatarRuntime) -> tuple[StorageLocations, ...]:
    """Everywhere a model's data may lie: the prefixes of today first, then those of runtimes that went before its own."""
    today, recorded = storage_of(model, runtime), model.status.storage
    former = () if recorded is None else recorded.former
    return today, *(StorageLocations(each.requests, each.artifacts, today.outputs) for each in former)


def object_directory(namespace: str, uid: str) -> str:
    """`<namespace>/<uid>/`: the part of every key that belongs to one Kubernetes object."""
    return f"{namespace}/{uid}/"


def attempt_directory(namespace: str, uid: str, revision: int, attempt: int) -> str:
    """`<namespace>/<uid>/r<revision>-a<attempt>`: the one shape of an attempt's keys below every prefix."""
    return f"{object_directory(namespace, uid)}r{revision}-a{attempt}"


def attempt_locations(
    storage: StorageLocations, namespace: str, uid: str, revision: int, attempt: int
) -> AttemptLocations:
    """Where an attempt's documents and its artifact lie. Immutable: a new attempt has new keys."""
    directory = attempt_directory(namespace, uid, revision, attempt)
    target_model = f"{directory}.tar.gz"
    return AttemptLocations(
        request=f"{storage.requests}{directory}/request.json",
        claim=f"{storage.requests}{directory}/claim.json",
        credentials=f"{storage.requests}{directory}/credentials.json",
        artifact=f"{storage.artifacts}{target_model}",
        manifest=f"{storage.artifacts}{directory}.manifest.json",
        target_model=target_model,
    )


def document_directory(storage: StorageLocations, namespace: str, uid: str) -> str:
    """The directory of a model's request documents and claims below some prefixes."""
    return f"{storage.requests}{object_directory(namespace, uid)}"


def model_directories(runtime: AvatarRuntime, model: AvatarModel) -> ModelDirectories:
    """Where a model's data may lie, today's places first, then those of runtimes that went before its own."""
    namespace, uid, storages = model.metadata.namespace, model.metadata.uid, storages_of(model, runtime)
    directory = object_directory(namespace, uid)
    managed = [
        outcome_directory(path, model)
        for storage in storages
        for path in (storage.training_output, storage.training_failure)
    ]
    return ModelDirectories(
        documents=_each_once([document_directory(storage, namespace, uid) for storage in storages]),
        artifacts=_each_once([f"{storage.artifacts}{directory}" for storage in storages]),
        outcomes=_each_once([*managed, *_recorded_outcomes(model)]),
    )


def _each_once(locations: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(locations))


def outcome_directory(path: str, model: AvatarModel) -> str:
    """The directory of a model's outcomes below a training endpoint's S3OutputPath or S3FailurePath."""
    separator = "" if path.endswith("/") else "/"
    return f"{path}{separator}{object_directory(model.metadata.namespace, model.metadata.uid)}"


def _recorded_outcomes(model: AvatarModel) -> list[str]:
    """Directories of outcomes at an endpoint that somebody else has made: known only from the attempt's own record."""
    training = model.status.training
    if training is None or training.sagemaker is None:
        return []
    own = f"/{object_directory(model.metadata.namespace, model.metadata.uid)}"
    recorded = (training.sagemaker.output_location, training.sagemaker.failure_location)
    return [
        outcome_directory(uri.partition(own)[0], model) for uri in recorded if uri is not None and own in uri
    ]


def artifact_directories(runtime: AvatarRuntime, model: AvatarModel) -> tuple[OwnedDirectory, ...]:
    """The directories of a model's artifacts, as their owner's."""
    namespace, uid = model.metadata.namespace, model.metadata.uid
    return tuple(
        OwnedDirectory(namespace, uid, MODEL, location)
        for location in model_directories(runtime, model).artifacts
    )


def picture_directory(runtime: AvatarRuntime, request: AvatarRequest) -> OwnedDirectory:
    """The directory of a request's pictures."""
    namespace, uid = request.metadata.namespace, request.metadata.uid
    return OwnedDirectory(namespace, uid, REQUEST, picture_prefix(runtime, request))


def outcome_extension(namespace: str, uid: str, inference_id: str) -> str:
    """S3OutputPathExtension of an attempt: keeps tenants apart below a training endpoint's one output path."""
    return f"{object_directory(namespace, uid)}{inference_id}"


def picture_prefix(runtime: AvatarRuntime, request: AvatarRequest) -> str:
    """The directory of a request's pictures, and of nothing else, even if requests share an output prefix.

    A prefix of the user's own never changes, so it is derived. Where a runtime was created anew with other storage, what
    the request recorded holds; but only a directory that is named for the request: whatever else a status says, nobody
    deletes from it. Nobody draws there any more either (acceptance).
    """
    own, recorded = (
        object_directory(request.metadata.namespace, request.metadata.uid),
        request.status.storage_prefix,
    )
    if request.spec.output is None and recorded is not None and recorded.endswith(f"/{own}"):
        return recorded
    return drawing_prefix(runtime, request)


def drawing_prefix(runtime: AvatarRuntime, request: AvatarRequest) -> str:
    """Where a request's pictures are drawn to, by its spec and its runtime's: whatever its status says."""
    metadata = request.metadata
    if request.spec.output is not None:
        return f"{request.spec.output.prefix}{metadata.uid}/"
    return f"{runtime.spec.storage.outputs}{object_directory(metadata.namespace, metadata.uid)}"


_OBJECT = r"(?P<namespace>[a-z0-9][-a-z0-9]*)/(?P<uid>[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})/"
RETAINED = "retained.json"
"""In an object's directory: the object is gone, and its data was meant to stay."""
_DOCUMENT = re.compile(rf"{_OBJECT}r[0-9]+-a[0-9]+/(request|claim|credentials)\.json")
_OUTCOME = re.compile(rf"{_OBJECT}avm-[0-9a-f]{{32}}-r[0-9]+-a[0-9]+/.+")
_ARTIFACT = re.compile(rf"{_OBJECT}(r[0-9]+-a[0-9]+\.(tar\.gz|manifest\.json)|{re.escape(RETAINED)})")
_PICTURE = re.compile(rf"{_OBJECT}([0-9]{{2}}-[0-9]{{2}}-[0-9]+\.png|{re.escape(RETAINED)})")


def owner_of(storage: StorageLocations, uri: str) -> OwnedDirectory | None:
    """Whose an object in S3 is, told by its key; None if we do not make such keys.

    The whole key has to fit: prefixes may lie inside each other, and a namespace may be called "output".
    """
    shapes = (
        (storage.requests, _DOCUMENT, MODEL),
        (storage.training_output, _OUTCOME, MODEL),
        (storage.training_failure, _OUTCOME, MODEL),
        (storage.artifacts, _ARTIFACT, MODEL),
        (storage.outputs, _PICTURE, REQUEST),
    )
    for prefix, shape, kind in shapes:
        match = shape.fullmatch(uri.removeprefix(prefix)) if uri.startswith(prefix) else None
        if match is not None:
            namespace, uid = match["namespace"], match["uid"]
            return OwnedDirectory(namespace, uid, kind, f"{prefix}{object_directory(namespace, uid)}")
    return None
