"""Bring the base model's directory to this machine, and make sure that it is the right one.

    AVATAR_BASE_MODEL_SOURCE   s3://bucket/prefix/ of a diffusers pipeline directory, or a directory of the image
    AVATAR_BASE_MODEL_SHA256   its digest (see directory_digest)
    AVATAR_BASE_MODEL_CACHE    directory that downloads are kept in, one below it for each digest

A download goes to a directory of its own and takes its final name only after its digest has been checked, so neither a
killed worker nor a second one beside it can leave a half base behind that looks whole. The digest of what the cache
holds is checked at every start: reading the files costs seconds, a silently changed base would spoil every model.
"""

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import structlog

from avatar_workers.base_model.directory_digest import (
    MAX_FILES,
    BaseModelRefused,
    check_file_name,
    directory_digest,
)
from avatar_workers.errors import WorkerFailure
from avatar_workers.scratch import scratch_directory
from avatar_workers.storage import ObjectStorage
from avatar_workers.storage.s3_location import SCHEME

SOURCE_VARIABLE = "AVATAR_BASE_MODEL_SOURCE"
SHA256_VARIABLE = "AVATAR_BASE_MODEL_SHA256"
CACHE_VARIABLE = "AVATAR_BASE_MODEL_CACHE"
DEFAULT_CACHE = Path(tempfile.gettempdir()) / "avatar-base-models"
MAX_BASE_BYTES = 64 << 30

log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True)
class BaseModelSettings:
    """Which base this worker serves, and where it keeps the copy."""

    source: str
    sha256: str
    cache: Path = DEFAULT_CACHE

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "BaseModelSettings":
        """Read the three variables.

        Raises:
            WorkerFailure: InvalidConfiguration, naming the variable that is missing or malformed.
        """
        for variable in (SOURCE_VARIABLE, SHA256_VARIABLE):
            if not environment.get(variable):
                raise WorkerFailure("InvalidConfiguration", f"set the environment variable {variable}")
        sha256 = environment[SHA256_VARIABLE].lower()
        if len(sha256) != 64 or set(sha256) - set("0123456789abcdef"):
            raise WorkerFailure(
                "InvalidConfiguration",
                f"{SHA256_VARIABLE} must be 64 hexadecimal digits, as `avatar-workers digest DIR` prints them",
            )
        return cls(
            environment[SOURCE_VARIABLE], sha256, Path(environment.get(CACHE_VARIABLE) or DEFAULT_CACHE)
        )


def locate_base_model(settings: BaseModelSettings, storage: ObjectStorage) -> Path:
    """The directory of the base model on this machine, its digest checked.

    Raises:
        WorkerFailure: BaseModelMismatch for another digest, InvalidConfiguration for a directory that is refused, and
            the storage's own failures.
    """
    if not settings.source.startswith(SCHEME):
        return _checked(Path(settings.source), settings)
    directory = settings.cache / settings.sha256
    if not directory.is_dir():
        _download(settings, storage, directory)
    return _checked(directory, settings)


def _checked(directory: Path, settings: BaseModelSettings) -> Path:
    try:
        digest = directory_digest(directory)
    except BaseModelRefused as refusal:
        raise WorkerFailure("InvalidConfiguration", f"base model {settings.source}: {refusal}") from refusal
    if digest != settings.sha256:
        raise WorkerFailure(
            "BaseModelMismatch",
            f"base model {settings.source} has the digest {digest}, but {SHA256_VARIABLE} says {settings.sha256}",
        )
    return directory


def _download(settings: BaseModelSettings, storage: ObjectStorage, directory: Path) -> None:
    prefix = settings.source if settings.source.endswith("/") else f"{settings.source}/"
    with scratch_directory(settings.cache) as scratch:
        partial = scratch / settings.sha256
        partial.mkdir()
        budget = MAX_BASE_BYTES
        for entry in storage.list_objects(prefix, max_objects=MAX_FILES):
            name = entry.uri.removeprefix(prefix)
            if name.endswith("/") or not name:
                continue
            relative_path = PurePosixPath(name)
            try:
                check_file_name(relative_path)
            except BaseModelRefused as refusal:
                raise WorkerFailure("InvalidConfiguration", f"base model {prefix}: {refusal}") from refusal
            target = partial / relative_path
            target.parent.mkdir(parents=True, exist_ok=True)
            budget -= storage.download(entry.uri, target, max_bytes=budget)
        _checked(partial, settings)
        try:
            partial.rename(directory)
        except OSError:
            # Another process of this machine was faster; what it left under the digest's name is checked by the caller.
            if not directory.is_dir():
                raise
    log.info("base model downloaded", source=settings.source, sha256=settings.sha256)
