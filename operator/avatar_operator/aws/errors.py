"""What botocore raises, as AwsFailure: a reason and a sentence for conditions, AWS's own words for the log, and whether to
try again. The sentence follows from the reason alone, so that no word of AWS's reaches a tenant.

Missing permissions and bad credentials count as retryable although somebody usually has to act: IAM changes take
effect with a delay, credentials rotate, and none of it is the fault of the object that happens to be worked on. A
platform's slip must never turn two hundred models into terminal failures. The same goes for keys that may not be used
and for buckets that are not there. What is final is what AWS has read, understood and refused.

Each of these has a reason of its own, because each is mended by somebody else in another place.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConfigParseError,
    CredentialRetrievalError,
    LoginError,
    MetadataRetrievalError,
    NoAuthTokenError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
)
from botocore.parsers import ResponseParserError

from avatar_operator.aws.error_codes import (
    CAPACITY_CODES,
    CLOCK_CODES,
    CLOCK_WORDS,
    CREDENTIAL_CODES,
    DENIED_CODES,
    EXPIRED_CODES,
    KEY_DENIED_WORDS,
    KEY_PREFIX,
    MISSING_OBJECT_CODES,
    PASSING_CODES,
    PASSING_STATUSES,
    QUOTA_CODES,
    SIGNATURE_CODES,
    THROTTLING_CODES,
)
from avatar_operator.aws.public_sentences import public_sentence
from avatar_operator.core.confidential import Confidential

AwsCallError = ClientError | BotoCoreError | ResponseParserError
"""Everything that a call of boto3 raises."""
AWS_CALL_ERRORS = (ClientError, BotoCoreError, ResponseParserError)
"""The same, for `except`."""
CREDENTIAL_ERRORS = (
    ConfigParseError,
    CredentialRetrievalError,
    LoginError,
    MetadataRetrievalError,
    NoAuthTokenError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
)
"""What botocore raises if it finds no credentials to sign with. Nothing has been sent then."""
MAX_AWS_TEXT = 1000
MAX_RETRY_AFTER = 300.0
"""Whoever answers for AWS on a bad day must not put us to sleep for longer."""


class AwsFailure(Exception):  # an error may pass; this has been classified
    """A call to AWS that failed. Whoever speaks for a port turns it into the port's own error.

    Attributes:
        reason: one CamelCase word for conditions and Events.
        message: the sentence that tenants read; it follows from the reason.
        said: what was attempted, what AWS said and how to mend it, for the platform team.
        retryable: whether the same call may succeed later.
        retry_after: seconds to wait at least, if AWS said so.
    """

    def __init__(self, reason: str, said: str, *, retryable: bool, retry_after: float | None = None) -> None:
        super().__init__(public_sentence(reason))
        self.reason = reason
        self.message = public_sentence(reason)
        self.said = Confidential(said)
        self.retryable = retryable
        self.retry_after = retry_after


def error_code(error: ClientError) -> str:
    """AWS's word for what went wrong; for HEAD requests, which have no body, the HTTP status."""
    return str(error.response.get("Error", {}).get("Code", ""))


def error_text(error: ClientError) -> Confidential:
    """AWS's sentence for what went wrong: one line, of a length that fits a condition."""
    text = " ".join(str(error.response.get("Error", {}).get("Message", "")).split())
    return Confidential(text[:MAX_AWS_TEXT])


def request_id(error: ClientError) -> str:
    """AWS's name for the call, empty if it gave none: whoever asks AWS about it is asked for this."""
    return str(error.response.get("ResponseMetadata", {}).get("RequestId", ""))


def http_status(error: ClientError) -> int:
    """The HTTP status of the answer, 0 if there is none."""
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def is_passing(code: str, status: int) -> bool:
    """Whether the same call may succeed a moment later, as it is."""
    return code in THROTTLING_CODES or code in PASSING_CODES or status in PASSING_STATUSES or status >= 500


def is_about_credentials(error: AwsCallError) -> bool:
    """Whether other credentials would have helped: new ones may be there already."""
    if isinstance(error, ClientError):
        return _signing_trouble(error) in (_EXPIRED, _INVALID)
    return isinstance(error, CREDENTIAL_ERRORS)


def aws_failure(error: AwsCallError, doing: str) -> AwsFailure:
    """Classify an error of botocore.

    Args:
        error: what was raised.
        doing: what was attempted, for the platform team: "read s3://photos/ann/1.png".
    """
    if isinstance(error, ClientError):
        verdict = _verdict(error)
        said = f"AWS says {error_code(error)}: {error_text(error).reveal().rstrip('.')}."
        mend = verdict.mend.format(operation=error.operation_name)
        call = f" (request {request_id(error)})" if request_id(error) else ""
        return AwsFailure(
            verdict.reason,
            f"could not {doing}: {said} {mend}".rstrip() + call,
            retryable=verdict.retryable,
            retry_after=_retry_after(error),
        )
    if isinstance(error, CREDENTIAL_ERRORS):
        return AwsFailure(
            _MISSING_CREDENTIALS,
            f"could not {doing}: the operator has no usable AWS credentials ({error}). Give its service account an IAM role.",
            retryable=True,
        )
    if isinstance(error, ParamValidationError):
        said = f"could not {doing}: {str(error)[:MAX_AWS_TEXT]}"
        return AwsFailure("AwsRejected", said, retryable=False)
    said = (
        f"could not {doing}: AWS could not be reached ({type(error).__name__}: {str(error)[:MAX_AWS_TEXT]})"
    )
    return AwsFailure(_UNREACHABLE, said, retryable=True)


def attempt_role_failure(error: AwsCallError, doing: str) -> AwsFailure:
    """Classify an error of our own AssumeRole for a worker: what is refused there is the runtime's attempt role.

    Always waited for: the role, its trust policy and the operator's rights are the platform's to mend.
    """
    if not isinstance(error, ClientError):
        return aws_failure(error, doing)
    code = error_code(error)
    is_of_the_operator = code in {*CLOCK_CODES, *EXPIRED_CODES, *CREDENTIAL_CODES, *SIGNATURE_CODES}
    if is_of_the_operator or is_passing(code, http_status(error)):
        return aws_failure(error, doing)
    said = f"AWS says {code}: {error_text(error).reveal().rstrip('.')}."
    return AwsFailure(
        "AttemptRoleRefused",
        f"could not {doing}: {said} The operator's IAM role must allow sts:AssumeRole on it, and its trust policy must let the"
        " operator in.",
        retryable=True,
    )


@dataclass(frozen=True)
class _Verdict:
    reason: str
    mend: str = ""
    retryable: bool = True


_SKEWED = _Verdict("ClockSkewed", "Correct the clock of the operator's machine.")
_EXPIRED = _Verdict(
    "CredentialsExpired",
    "New credentials are used as soon as they are there; see that something renews them.",
)
_INVALID = _Verdict(
    "CredentialsInvalid",
    "Check the operator's IAM role and its trust policy; new credentials are used as soon as they are there.",
)
_KEY_DENIED = _Verdict(
    "KeyDenied", "The policy of the KMS key must let the operator's IAM role use it for {operation}."
)
_KEY_UNUSABLE = _Verdict("KeyUnusable", "Enable the KMS key, or encrypt with another one.")
_BY_CODE = {
    **dict.fromkeys(THROTTLING_CODES, _Verdict("Throttled")),
    **dict.fromkeys(
        DENIED_CODES, _Verdict("AccessDenied", "The operator's IAM role must allow {operation} there.")
    ),
    **dict.fromkeys(
        MISSING_OBJECT_CODES, _Verdict("NotFound", "What is asked for is not there.", retryable=False)
    ),
    **dict.fromkeys(QUOTA_CODES, _Verdict("QuotaExceeded", "Ask AWS for a higher quota, or free some.")),
    **dict.fromkeys(
        CAPACITY_CODES, _Verdict("InsufficientCapacity", "AWS has no machine of this kind free.")
    ),
    "NoSuchBucket": _Verdict("BucketNotFound", "Create the bucket, or correct the location."),
}
_UNAVAILABLE = _Verdict("AwsUnavailable")
_REJECTED = _Verdict("AwsRejected", retryable=False)
_MISSING_CREDENTIALS = "CredentialsMissing"
_UNREACHABLE = "AwsUnreachable"
FAILURE_REASONS = tuple(
    sorted(
        {
            verdict.reason
            for verdict in (
                *(_SKEWED, _EXPIRED, _INVALID, _KEY_DENIED, _KEY_UNUSABLE, _UNAVAILABLE, _REJECTED),
                *_BY_CODE.values(),
            )
        }
        | {_MISSING_CREDENTIALS, _UNREACHABLE}
    )
)
"""Every reason that `aws_failure` gives."""
_KEY_ACTION = re.compile(r"\AUser: \S+ is not authorized to perform: kms:")


def _verdict(error: ClientError) -> _Verdict:
    code = error_code(error)
    verdict = _signing_trouble(error) or _key_trouble(error) or _BY_CODE.get(code)
    if verdict is not None:
        return verdict
    return _UNAVAILABLE if is_passing(code, http_status(error)) else _REJECTED


def _signing_trouble(error: ClientError) -> _Verdict | None:
    code = error_code(error)
    if code in CLOCK_CODES or (code in SIGNATURE_CODES and error_text(error).begin_with(*CLOCK_WORDS)):
        return _SKEWED
    if code in EXPIRED_CODES:
        return _EXPIRED
    if code in CREDENTIAL_CODES or code in SIGNATURE_CODES:
        return _INVALID
    # botocore assumes the operator's role on the way to any other call.
    is_assuming = error.operation_name.startswith("AssumeRole")
    return _INVALID if is_assuming and not is_passing(code, http_status(error)) else None


def _key_trouble(error: ClientError) -> _Verdict | None:
    code = error_code(error).lower()
    if not code.startswith(KEY_PREFIX):
        is_denied = error_code(error) in DENIED_CODES and error_text(error).match(_KEY_ACTION)
        return _KEY_DENIED if is_denied else None
    if "throttl" in code:
        return _BY_CODE["Throttling"]
    return _KEY_DENIED if any(word in code for word in KEY_DENIED_WORDS) else _KEY_UNUSABLE


def _retry_after(error: ClientError) -> float | None:
    headers = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    try:
        seconds = float(headers["retry-after"])
    except (KeyError, ValueError):
        return None
    return min(seconds, MAX_RETRY_AFTER) if seconds > 0 else None


@contextmanager
def aws_errors(doing: str) -> Iterator[None]:
    """Raise AwsFailure for whatever botocore raises inside.

    Args:
        doing: what is attempted, for the platform team.
    """
    try:
        yield
    except AWS_CALL_ERRORS as error:
        raise aws_failure(error, doing) from error
