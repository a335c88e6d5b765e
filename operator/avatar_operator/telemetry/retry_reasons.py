"""Why passes are repeated, as far as that is known beforehand: by kind, so that a series for each is there at 0.

A series that appears with its first event shows no increase, so nobody would be told of the first hour of a denial. A test
holds these lists to the code; a reason that is missing here all the same is counted from its first time on.
"""

from avatar_api.documents.errors import RETRYABLE
from avatar_api.group import AVATAR_MODEL, AVATAR_REQUEST, AVATAR_RUNTIME, Kind
from avatar_operator.aws.errors import FAILURE_REASONS
from avatar_operator.backends.sagemaker.endpoint_refusal import EndpointRefusal

_ANY_KIND = frozenset(
    {
        *FAILURE_REASONS,
        "ApiServerRefused",
        "ApiServerUnavailable",
        "BackendMismatch",
        "Defect",
        "InvalidLocation",
        "NotUnderstood",
        "UnsupportedBackend",
    }
)
_INVOCATIONS = frozenset(
    {"AttemptRoleRefused", "EndpointRefused", *(refusal.value for refusal in EndpointRefusal)}
)
_REMOVALS = frozenset({"CleanupIncomplete", "NotOwned"})
RETRY_REASONS: dict[Kind, frozenset[str]] = {
    AVATAR_MODEL: _ANY_KIND
    | _INVOCATIONS
    | _REMOVALS
    | {"ClaimContended", "PhotosDenied", "RequestDocumentLost"},
    AVATAR_REQUEST: _ANY_KIND
    | _INVOCATIONS
    | _REMOVALS
    | RETRYABLE
    | {"ArtifactUnreadable", "InvocationTimedOut", "PictureMissing", "WorkerFailed"},
    AVATAR_RUNTIME: _ANY_KIND
    | {
        "EndpointFailed",
        "EndpointNotFound",
        "EndpointUnfit",
        "LeftBehind",
        "NameConflict",
        "RuntimeIncomplete",
    },
}
"""By kind of the object whose pass is repeated."""
