"""How a worker says no: one document for every door, with a code that the operator decides on.

The user's fault is a 4xx and never retried; ours is a 5xx, or says `retryable`. SageMaker wraps the body of a failed
invocation in text of its own, so the operator looks for this document inside whatever it is given.
"""

from typing import Literal

from avatar_api.documents.bounds import Sentence
from avatar_api.documents.photos import PhotoVerdicts
from avatar_api.schema_base import ApiModel

WorkerErrorCode = Literal[
    "InvalidRequest",
    "InvalidConfiguration",
    "TooFewUsablePhotos",
    "PhotosUnreadable",
    "BaseModelMismatch",
    "AttemptFenced",
    "ArtifactInvalid",
    "ArtifactChanged",
    "ModelNotFound",
    "ModelNameMismatch",
    "ModelAlreadyLoaded",
    "PictureTooLarge",
    "InsufficientMemory",
    "StorageDenied",
    "StorageUnavailable",
    "TrainingDiverged",
    "WorkerUnavailable",
    "InternalError",
]

HTTP_STATUS: dict[WorkerErrorCode, int] = {
    "InvalidRequest": 400,
    "InvalidConfiguration": 400,
    "TooFewUsablePhotos": 422,
    "PhotosUnreadable": 422,
    "BaseModelMismatch": 422,
    "AttemptFenced": 409,
    "ArtifactInvalid": 422,
    "ArtifactChanged": 412,
    "ModelNotFound": 404,
    "ModelNameMismatch": 400,
    "ModelAlreadyLoaded": 409,
    "PictureTooLarge": 413,
    "InsufficientMemory": 507,
    "StorageDenied": 403,
    "StorageUnavailable": 503,
    "TrainingDiverged": 500,
    "WorkerUnavailable": 503,
    "InternalError": 500,
}

RETRYABLE: frozenset[WorkerErrorCode] = frozenset(
    {"InsufficientMemory", "StorageUnavailable", "WorkerUnavailable", "InternalError"}
)


class WorkerError(ApiModel):
    """Body of every non-2xx answer of a worker."""

    schema_version: Literal["avatars.dev/worker-error/v1alpha1"] = "avatars.dev/worker-error/v1alpha1"
    code: WorkerErrorCode
    message: Sentence
    retryable: bool
    photos: PhotoVerdicts | None = None
