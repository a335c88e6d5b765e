"""The model data of a single-model container: fetched and unpacked before it starts."""

from __future__ import annotations

from pathlib import Path

from sagemaker_local.instances.archives import BadArchive, unpack
from sagemaker_local.s3_objects import S3Failure, S3Location, S3Objects

MAX_MODEL_ARCHIVE_BYTES = 32 << 30


def fetch_model_data(objects: S3Objects, url: str, archive: Path, target: Path) -> None:
    """Download the tar.gz at `url` to `archive`, unpack it into `target`, and remove it again.

    Raises:
        S3Failure, BadArchive: with the sentence that SageMaker puts into FailureReason.
    """
    try:
        objects.download(S3Location.parse(url), archive, MAX_MODEL_ARCHIVE_BYTES)
        unpack(archive, target)
    except S3Failure as error:
        raise S3Failure(f"Could not find model data at {url}." if error.missing else str(error)) from error
    except BadArchive as error:
        raise BadArchive(not_an_archive(url, error)) from error
    finally:
        archive.unlink(missing_ok=True)


def not_an_archive(url: str, error: BadArchive) -> str:
    """SageMaker's sentence for model data that cannot be unpacked, with the reason."""
    return (
        f'Failed to extract model data archive from URL "{url}" for container: {error}. '
        "Please ensure that the object located at the URL is a valid tar.gz archive."
    )
