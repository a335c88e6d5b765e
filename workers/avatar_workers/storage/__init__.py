"""Objects in S3, behind a Protocol small enough to see what a worker can do to a bucket.

`object_storage` is the Protocol with its errors, `s3_object_storage` the implementation on boto3 (which honours
AWS_ENDPOINT_URL by itself), `s3_location` takes `s3://bucket/key` apart.

Nothing is ever overwritten: `create` is a conditional write (If-None-Match: *), which is what makes claims exclusive and
artifacts immutable. What is deleted is only what this process created, and nobody wants any more. Every read has a limit. Every
write carries its SHA-256, which S3 checks on arrival and keeps.
"""

from avatar_workers.storage.object_storage import (
    ObjectChanged,
    ObjectExists,
    ObjectNotFound,
    ObjectStorage,
    ObjectSummary,
    ObjectTooLarge,
    StorageDenied,
    StorageFailure,
    StorageUnavailable,
)
from avatar_workers.storage.s3_object_storage import S3ObjectStorage

__all__ = [
    "ObjectChanged",
    "ObjectExists",
    "ObjectNotFound",
    "ObjectStorage",
    "ObjectSummary",
    "ObjectTooLarge",
    "S3ObjectStorage",
    "StorageDenied",
    "StorageFailure",
    "StorageUnavailable",
]
