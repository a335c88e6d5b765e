"""`s3://bucket/key`, taken apart and put together. The only place that knows how an S3 URI is written."""

from dataclasses import dataclass

from avatar_operator.aws.errors import AwsFailure

SCHEME = "s3://"


@dataclass(frozen=True)
class S3Location:
    """A bucket and a key; a key that is empty or ends with a slash is a prefix."""

    bucket: str
    key: str

    @classmethod
    def parse(cls, uri: str) -> "S3Location":
        """Take a URI apart.

        Raises:
            AwsFailure: InvalidLocation, if it does not read `s3://bucket/...`.
        """
        bucket, slash, key = uri.removeprefix(SCHEME).partition("/")
        if not uri.startswith(SCHEME) or not bucket or not slash:
            raise AwsFailure(
                "InvalidLocation",
                f"{uri!r} is no S3 location: it should read s3://bucket/key",
                retryable=False,
            )
        return cls(bucket, key)

    @property
    def uri(self) -> str:
        """The location as `s3://bucket/key`."""
        return f"{SCHEME}{self.bucket}/{self.key}"

    @property
    def name(self) -> str:
        """The last part of the key: a file name."""
        return self.key.rpartition("/")[2]

    def below(self, path: str) -> "S3Location":
        """The location of a path below this prefix."""
        separator = "" if self.key == "" or self.key.endswith("/") else "/"
        return S3Location(self.bucket, f"{self.key}{separator}{path}")
