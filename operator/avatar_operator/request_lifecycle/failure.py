"""The end of a request that cannot succeed. Pure."""

from avatar_api.meta import Failure
from avatar_operator.core.condition_drafts import set_condition, update_status
from avatar_operator.core.conditions import shortened
from avatar_operator.request_lifecycle.actions import RequestDraft
from avatar_operator.request_lifecycle.conditions import SUCCEEDED
from avatar_operator.request_lifecycle.observation import RequestObservation


def fail_request(
    observation: RequestObservation, draft: RequestDraft, *, reason: str, message: str
) -> RequestDraft:
    """The draft of a request that has failed for good."""
    draft = set_condition(observation, draft, SUCCEEDED, "False", reason, message)
    failed = update_status(
        draft,
        state="Failed",
        last_failure=Failure(
            reason=reason, message=shortened(message), retryable=False, time=observation.now
        ),
    )
    # Its time to live begins.
    return failed.look_again_in(0).finish()
