"""Where an asynchronous invocation's results go.

    output:   <S3OutputPath>/[<S3OutputPathExtension>/]<Filename | generated>.out
    failure:  <S3FailurePath>/[<S3OutputPathExtension>/]<Filename | generated>-error.out

The generated name is a fresh UUID, never the InferenceId: on AWS the two have been seen to differ, so a client that derives one
from the other must fail here, not in production. With a Filename, `-error` goes before its extension, so that both objects can
share a path.
"""

from __future__ import annotations

import uuid

from sagemaker_local.s3_objects import S3Location


def output_location(
    output_path: str, extension: str | None, filename: str | None, unique: uuid.UUID
) -> S3Location:
    """Where a success is written."""
    return S3Location.parse(output_path).child(extension or "", filename or f"{unique}.out")


def failure_location(
    failure_path: str, extension: str | None, filename: str | None, unique: uuid.UUID
) -> S3Location:
    """Where a failure is written."""
    name = f"{unique}-error.out"
    if filename is not None:
        stem, dot, suffix = filename.rpartition(".")
        name = f"{stem}-error.{suffix}" if dot and stem else f"{filename}-error"
    return S3Location.parse(failure_path).child(extension or "", name)
