"""Whether a place that a status names can be its object's own. Pure.

A status is a memory: whoever may write one may write anything into it. What the operator itself wrote there has a shape that
follows from names alone (`names`, `locations`): the whole namespace, uid, revision and attempt stand in every key that it makes.
Nobody else's data can have such a key, so what has it is harmless, whatever bucket it lies in; what has not is not used.
"""

import re
from collections.abc import Collection

from avatar_api.avatar_model import AvatarModel, ModelStorage
from avatar_api.avatar_runtime import AvatarRuntime
from avatar_api.schema_base import S3_BUCKET_PATTERN
from avatar_operator.locations import object_directory, outcome_extension, runtime_storage, storages_of

MAX_ATTEMPT = 9_999_999
"""What an inference id can name (`names`)."""
_PREFIX = re.compile(rf"s3://{S3_BUCKET_PATTERN}/([^\x00-\x1f]*/)?")
_STEPS = (".", "..")


def is_plain_prefix(prefix: str) -> bool:
    """Whether this is an S3 prefix that means what it says, to whatever reads it: no part of it leads back."""
    if _PREFIX.fullmatch(prefix) is None:
        return False
    _, _, key = prefix.removeprefix("s3://").partition("/")
    return not any(part in _STEPS for part in key.split("/")[:-1])


def is_own_target_model(target_model: str, namespace: str, uid: str, revision: int) -> bool:
    """Whether a target model is the key of an attempt at a revision of a model."""
    own = re.escape(f"{object_directory(namespace, uid)}r{revision}-a")
    return re.fullmatch(rf"{own}[1-9][0-9]{{0,6}}\.tar\.gz", target_model) is not None


def is_own_artifact(uri: str, target_model: str, homes: Collection[str]) -> bool:
    """Whether an artifact's URI is its target model below one of the prefixes that its model may store artifacts below."""
    return any(uri == f"{home}{target_model}" for home in homes)


def artifact_homes(model: AvatarModel, runtime: AvatarRuntime) -> tuple[str, ...]:
    """Every prefix below which artifacts of a model may lie."""
    return tuple(storage.artifacts for storage in storages_of(model, runtime))


def is_own_outcome(location: str, namespace: str, uid: str, inference_id: str) -> bool:
    """Whether a location is that of an attempt's output or failure; SageMaker chooses its last part, and the path's owner the
    first.
    """
    directory, slash, name = location.rpartition("/")
    own = outcome_extension(namespace, uid, inference_id)
    return (
        name not in ("", *_STEPS) and directory.endswith(f"/{own}") and is_plain_prefix(f"{directory}{slash}")
    )


def is_own_directory(location: str, namespace: str, uid: str) -> bool:
    """Whether a location is a directory of an object, wherever it lies."""
    return location.endswith(f"/{object_directory(namespace, uid)}") and is_plain_prefix(location)


def is_storage_of(recorded: ModelStorage, runtime: AvatarRuntime) -> bool:
    """Whether a record of a runtime's storage says what that runtime says itself: its storage never changes."""
    today = runtime_storage(runtime)
    return (recorded.requests, recorded.artifacts) == (today.requests, today.artifacts)
