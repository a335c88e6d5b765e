"""Why a pass was broken off before it came to a status: an API server that refuses or does not answer, or a defect. Pure.

Both are retries like any other, with a reason in the log, in the metric and, once they last, on the object.
"""

from avatar_operator.core.decision import Retry
from avatar_operator.core.defects import defect
from avatar_operator.kube.client import KubeError

NOT_UNDERSTOOD_SECONDS = 60.0


class StatusNotWrittenError(KubeError):
    """The status itself was not taken, so nothing can be told there."""


def why_interrupted(error: Exception) -> Retry:
    """The reason to try again.

    Args:
        error: what the pass was broken off by.
    """
    if not isinstance(error, KubeError):
        return defect(error)
    if error.is_passing:
        return Retry("ApiServerUnavailable", f"The API server did not take a call of the operator: {error}")
    return Retry(
        "ApiServerRefused",
        f"The API server refuses a call of the operator, which needs a right, or which something in the cluster forbids: {error}",
    )
