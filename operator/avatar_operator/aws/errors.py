"""What botocore raises, as AwsFailure: a reason for conditions, a message for people, and whether to try again.

Missing permissions and bad credentials count as retryable although somebody usually has to act: IAM changes take
effect with a delay, credentials rotate, and none of it is the fault of the object that happens to be worked on. A
platform's slip must never turn two hundred models into terminal failures.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
    TokenRetrievalError,
)
from botocore.parsers import ResponseParserError

AwsCallError = ClientError | BotoCoreError | ResponseParserError
"""Everything that a call of boto3 raises."""
AWS_CALL_ERRORS = (ClientError, BotoCoreError, ResponseParserError)
"""The same, for `except`."""
CREDENTIAL_ERRORS = (
    NoCredentialsError,
    PartialCredentialsError,
    CredentialRetrievalError,
    TokenRetrievalError,
)
MAX_AWS_TEXT = 1000


class AwsFailure(Exception):  # an error may pass; this has been classified
    """A call to AWS that failed. Whoever speaks for a port turns it into the port's own error.

    Attributes:
        reason: one CamelCase word for conditions and Events.
        message: what happened and how to mend it, for a person.
        retryable: whether the same call may succeed later.
        retry_after: seconds to wait at least, if AWS said so.
    """

    def __init__(
        self, reason: str, message: str, *, retryable: bool, retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.retryable = retryable
        self.retry_after = retry_after


THROTTLING_CODES = frozenset(
    {
        "BandwidthLimitExceeded",
        "LimitExceededException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "Throttled",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionInProgressException",
    }
)
"""As botocore.retries.standard.ThrottledRetryableChecker has them, and SNS's own."""
DENIED_CODES = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "AuthorizationError",
        "AuthorizationErrorException",
        "403",
        "Forbidden",
    }
)
CREDENTIAL_CODES = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "RequestExpired",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
MISSING_OBJECT_CODES = frozenset({"404", "NoSuchKey", "NoSuchVersion", "NotFound"})
QUOTA_CODES = frozenset({"ResourceLimitExceeded", "ServiceQuotaExceededException"})


def error_code(error: ClientError) -> str:
    """AWS's word for what went wrong; for HEAD requests, which have no body, the HTTP status."""
    return str(error.response.get("Error", {}).get("Code", ""))


def error_text(error: ClientError) -> str:
    """AWS's sentence for what went wrong: one line, of a length that fits a condition."""
    return " ".join(str(error.response.get("Error", {}).get("Message", "")).split())[:MAX_AWS_TEXT]


def http_status(error: ClientError) -> int:
    """The HTTP status of the answer, 0 if there is none."""
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def is_throttling(error: ClientError) -> bool:
    """Whether AWS said "slower"."""
    return error_code(error) in THROTTLING_CODES


def aws_failure(error: AwsCallError, doing: str) -> AwsFailure:
    """Classify an error of botocore.

    Args:
        error: what was raised.
        doing: what was attempted, to begin the message with: "read s3://photos/ann/1.png".
    """
    if isinstance(error, ClientError):
        return _answered(error, doing)
    if isinstance(error, CREDENTIAL_ERRORS):
        return AwsFailure(
            "CredentialsMissing",
            f"could not {doing}: the operator has no usable AWS credentials ({error}). Give its service account an IAM role.",
            retryable=True,
        )
    if isinstance(error, ParamValidationError):
        return AwsFailure("AwsRejected", f"could not {doing}: {str(error)[:MAX_AWS_TEXT]}", retryable=False)
    return AwsFailure(
        "AwsUnreachable",
        f"could not {doing}: AWS could not be reached ({type(error).__name__}: {str(error)[:MAX_AWS_TEXT]})",
        retryable=True,
    )


def _answered(error: ClientError, doing: str) -> AwsFailure:
    code, status = error_code(error), http_status(error)
    said = f"AWS says {code}: {error_text(error)}"
    if is_throttling(error):
        return AwsFailure(
            "Throttled", f"could not {doing}: {said}", retryable=True, retry_after=_retry_after(error)
        )
    if code in CREDENTIAL_CODES:
        return AwsFailure(
            "CredentialsInvalid",
            f"could not {doing}: {said}. Check the operator's IAM role and the machine's clock.",
            retryable=True,
        )
    if code in DENIED_CODES:
        return AwsFailure(
            "AccessDenied",
            f"could not {doing}: {said}. The operator's IAM role must allow {error.operation_name} there.",
            retryable=True,
        )
    if code == "NoSuchBucket":
        return AwsFailure(
            "BucketNotFound",
            f"could not {doing}: there is no such bucket. Create it, or correct the location.",
            retryable=False,
        )
    if code in MISSING_OBJECT_CODES:
        return AwsFailure("NotFound", f"could not {doing}: it is not there", retryable=False)
    if code in QUOTA_CODES:
        return AwsFailure(
            "QuotaExceeded",
            f"could not {doing}: {said}. Ask AWS for a higher quota, or free some.",
            retryable=True,
        )
    if status >= 500 or status == 429:
        return AwsFailure("AwsUnavailable", f"could not {doing}: {said}", retryable=True)
    return AwsFailure("AwsRejected", f"could not {doing}: {said}", retryable=False)


def _retry_after(error: ClientError) -> float | None:
    headers = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    try:
        return float(headers["retry-after"])
    except (KeyError, ValueError):
        return None


@contextmanager
def aws_errors(doing: str) -> Iterator[None]:
    """Raise AwsFailure for whatever botocore raises inside.

    Args:
        doing: what is attempted, to begin the message with.
    """
    try:
        yield
    except AWS_CALL_ERRORS as error:
        raise aws_failure(error, doing) from error
