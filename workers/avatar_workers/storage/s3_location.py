"""`s3://bucket/key`, taken apart."""

from dataclasses import dataclass

from avatar_workers.errors import WorkerFailure

SCHEME = "s3://"


@dataclass(frozen=True)
class S3Location:
    """A bucket and a key (or a prefix, if it ends with a slash or is empty)."""

    bucket: str
    key: str

    @classmethod
    def parse(cls, uri: str) -> "S3Location":
        """Take an `s3://bucket/key` URI apart.

        Raises:
            WorkerFailure: InvalidRequest, if it is none.
        """
        bucket, slash, key = uri.removeprefix(SCHEME).partition("/")
        if not uri.startswith(SCHEME) or not bucket or not slash:
            raise WorkerFailure(
                "InvalidRequest",
                f"{uri!r} is no S3 location: it should begin with s3:// and end with the key of an object",
            )
        return cls(bucket, key)

    def __str__(self) -> str:
        return f"{SCHEME}{self.bucket}/{self.key}"
