"""AWS's many words for the same few troubles, by what a person has to do about them.

Every service spells them in its own way, and some change the spelling with the protocol. Sources: "Common errors" of the
API references of S3, SNS, SQS, STS and SageMaker; botocore.retries.standard.ThrottledRetryableChecker.
"""

THROTTLING_CODES = frozenset(
    {
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
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
DENIED_CODES = frozenset(
    {
        "403",
        "AccessDenied",
        "AccessDeniedException",
        "AccountProblem",
        "AllAccessDisabled",
        "AuthorizationError",
        "AuthorizationErrorException",
        "Forbidden",
        "NotSignedUp",
        "OptInRequired",
    }
)
CLOCK_CODES = frozenset({"RequestExpired", "RequestInTheFuture", "RequestTimeTooSkewed"})
CLOCK_WORDS = ("Signature expired", "Signature not yet current")
"""How a SignatureDoesNotMatch or InvalidSignatureException begins that is about the time and not about the key."""
EXPIRED_CODES = frozenset(
    {"ExpiredToken", "ExpiredTokenException", "ExpiredTokenIdentityException", "TokenRefreshRequired"}
)
SIGNATURE_CODES = frozenset({"InvalidSignatureException", "SignatureDoesNotMatch"})
CREDENTIAL_CODES = frozenset(
    {
        "AuthFailure",
        "IncompleteSignature",
        "IncompleteSignatureException",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidIdentityToken",
        "InvalidIdentityTokenException",
        "InvalidSecurity",
        "InvalidToken",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "UnrecognizedClientException",
    }
)
MISSING_OBJECT_CODES = frozenset({"404", "NoSuchKey", "NoSuchVersion", "NotFound"})
QUOTA_CODES = frozenset({"ResourceLimitExceeded", "ServiceQuotaExceededException"})
CAPACITY_CODES = frozenset(
    {
        "CapacityError",
        "InsufficientCapacity",
        "InsufficientCapacityException",
        "InsufficientInstanceCapacity",
    }
)
PASSING_CODES = frozenset(
    {
        "ConflictException",
        "IDPCommunicationError",
        "InternalError",
        "InternalFailure",
        "InternalServerError",
        "ModelNotReadyException",
        "OperationAborted",
        "RequestTimeout",
        "RequestTimeoutException",
        "ResourceInUse",
        "ServiceUnavailable",
        "ServiceUnavailableException",
        "TemporaryRedirect",
    }
)
"""Trouble that passes by itself, whatever HTTP status it comes with."""
PASSING_STATUSES = frozenset({408, 425, 429})
"""And these, whatever they are called; every 5xx besides."""
KEY_PREFIX = "kms"
"""How every service begins what KMS said to it: KMS.DisabledException, KMSAccessDenied, KmsThrottled."""
KEY_DENIED_WORDS = ("denied", "optin")
"""In a code of KMS: we may not use the key. All others are about the state of the key."""
