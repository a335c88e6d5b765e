"""`s3://bucket/key`, taken apart and put together. The only place that knows how an S3 URI is written."""

from dataclasses import dataclass

from avatar_api.literal_locations import is_literal
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

    @classmethod
    def told(cls, uri: str) -> "S3Location":
        """Take a URI apart that a user has named.

        What is made of a runtime's own prefixes is not judged again: a runtime that is older than the rules keeps working.

        Raises:
            AwsFailure: InvalidLocation, if it does not read `s3://bucket/...`, or could be read in another way, too.
        """
        if not is_literal(uri):
            raise AwsFailure(
                "InvalidLocation",
                f"{uri!r} may mean another object to whoever tidies it up: it has a . or .. between slashes, //, a backslash, a"
                " control character, or one of them percent-encoded",
                retryable=False,
            )
        return cls.parse(uri)

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
