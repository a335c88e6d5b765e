"""Orphans: what the collector found is said in the status, at once if it is new, else once a day."""

import pytest

from avatar_api.avatar_runtime import AvatarRuntimeStatus, Orphans
from avatar_operator.orphans.finding import Finding
from avatar_operator.runtime_lifecycle.actions import RuntimeDraft
from avatar_operator.runtime_lifecycle.phases.orphans import SAME_AGAIN_SECONDS, orphans
from builders.clock import NOON
from builders.objects import a_runtime
from builders.observations import at, observed_runtime

SAID = Orphans(found=2, removed=5, last_checked_time=NOON)


def _after(finding: Finding | None, said: Orphans | None = None) -> Orphans | None:
    runtime = a_runtime(status=AvatarRuntimeStatus(orphans=said))
    observation = observed_runtime(runtime, orphans=finding)
    return orphans(observation, RuntimeDraft(status=runtime.status)).status.orphans


def test_nothing_is_said_before_anybody_has_looked() -> None:
    assert _after(None) is None


def test_the_first_look_is_said_whatever_it_found() -> None:
    assert _after(Finding(0, 0, at(1))) == Orphans(found=0, removed=0, last_checked_time=at(1))


@pytest.mark.parametrize(
    ("found", "removed"), [(3, 0), (2, 1), (1, 0)], ids=["one more", "one removed", "one less"]
)
def test_a_look_that_found_something_new_is_said_at_once_and_what_was_removed_is_summed(
    found: int, removed: int
) -> None:
    now = at(3600)
    assert _after(Finding(found, removed, now), SAID) == Orphans(
        found=found, removed=5 + removed, last_checked_time=now
    )


def test_a_look_that_found_the_same_is_said_once_a_day() -> None:
    assert _after(Finding(2, 0, at(SAME_AGAIN_SECONDS - 1)), SAID) == SAID
    later = at(SAME_AGAIN_SECONDS)
    assert _after(Finding(2, 0, later), SAID) == Orphans(found=2, removed=5, last_checked_time=later)
