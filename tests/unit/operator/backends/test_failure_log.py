"""What was said of a failure is written down once for each object, and again if it lasts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import structlog
from structlog.testing import capture_logs

from avatar_operator.backends.attempts import ArtifactFindings, AttemptFailed
from avatar_operator.backends.failures import BackendError
from avatar_operator.backends.metered.failure_log import AGAIN_SECONDS, FailureLog
from avatar_operator.core.confidential import Confidential

SAID = Confidential("User: arn:aws:iam::123456789012:user/operator is not authorized")
DENIED = BackendError("AccessDenied", "may not", retryable=True, said=SAID)


class Seconds:
    """A clock that a test sets."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def about_ann() -> Iterator[None]:
    """A pass over an object."""
    with structlog.contextvars.bound_contextvars(uid="ann"):
        yield


@pytest.mark.usefixtures("about_ann")
def test_the_same_failure_of_the_same_object_is_written_down_once_in_ten_minutes() -> None:
    clock = Seconds()
    failures = FailureLog(clock)
    with capture_logs() as lines:
        for clock.now in (0.0, 1.0, AGAIN_SECONDS - 1, AGAIN_SECONDS):
            failures.failed("draw", DENIED)
        with structlog.contextvars.bound_contextvars(uid="bob"):
            failures.failed("draw", DENIED)
    assert [line["log_level"] for line in lines] == ["warning", "debug", "debug", "warning", "warning"]
    assert {(line["op"], line["reason"], line["said"]) for line in lines} == {
        ("draw", "AccessDenied", SAID.reveal())
    }


def test_what_a_worker_says_is_written_down_too_and_nothing_where_nothing_was_said() -> None:
    failures = FailureLog()
    with capture_logs() as lines:
        failures.answered("attempt_outcome", AttemptFailed("StorageDenied", "may not", False, said=SAID))
        failures.answered("examine_artifact", ArtifactFindings("another attempt's", said=SAID))
        failures.answered("attempt_outcome", AttemptFailed("WorkerLost", "lost", True))
        failures.answered("examine_artifact", ArtifactFindings())
    assert [(line["op"], line["reason"]) for line in lines] == [
        ("attempt_outcome", "StorageDenied"),
        ("examine_artifact", "ArtifactInvalid"),
    ]
