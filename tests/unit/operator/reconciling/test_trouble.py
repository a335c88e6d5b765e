"""What keeps an object from getting on is told on the object once it lasts, and written once."""

import pytest

from avatar_api.avatar_model import AvatarModelStatus
from avatar_api.group import AVATAR_MODEL
from avatar_operator.core.conditions import find_condition, is_true
from avatar_operator.core.decision import Retry
from avatar_operator.kube.cache import ObjectCache
from avatar_operator.reconciling.trouble import Troubles
from builders import model_stages
from builders.clock import FakeClock
from builders.manifests import merged, model_manifest
from builders.objects import MODEL_UID, a_condition
from builders.world import MODEL_KEY

DENIED = Retry("AccessDenied", "The role may not do this (request 1).")


class Bedside:
    """Passes over one object, each of which would write the same status."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.cache = ObjectCache()
        self.body = merged(model_manifest(), {"metadata": {"uid": MODEL_UID, "resourceVersion": "1"}})
        self.cache.store(AVATAR_MODEL, self.body)
        self.troubles = Troubles(self.cache, self.clock)
        self.status = model_stages.submitted()
        self.written: list[AvatarModelStatus] = []

    def a_pass(self, retry: Retry | None) -> AvatarModelStatus:
        """What the pass writes."""
        observed = self.written[-1] if self.written else self.status
        told = self.troubles.told(MODEL_UID, retry, self.status, observed=observed, generation=3)
        if told != observed:
            self.written.append(told)
        return told


def test_a_trouble_that_passes_within_a_minute_is_nobodys_concern() -> None:
    bedside = Bedside()
    for _ in range(6):
        assert bedside.a_pass(DENIED) == bedside.status
        bedside.clock.advance(9.9)

    assert bedside.a_pass(None) == bedside.status


def test_a_trouble_that_lasts_a_minute_is_told_with_its_reason() -> None:
    bedside = Bedside()
    bedside.a_pass(DENIED)
    bedside.clock.advance(60)

    reconciling = find_condition(bedside.a_pass(DENIED).conditions, "Reconciling")

    assert reconciling is not None
    assert (reconciling.status, reconciling.reason, reconciling.message) == (
        "True",
        "AccessDenied",
        DENIED.message,
    )
    assert reconciling.observed_generation == 3


def test_a_trouble_whose_words_change_is_written_once() -> None:
    bedside = Bedside()
    for request in range(20):
        bedside.a_pass(Retry("AccessDenied", f"The role may not do this (request {request})."))
        bedside.clock.advance(60)

    assert len(bedside.written) == 1


def test_another_trouble_is_told_in_its_own_words() -> None:
    bedside = Bedside()
    bedside.a_pass(DENIED)
    bedside.clock.advance(60)
    bedside.a_pass(DENIED)

    reconciling = find_condition(bedside.a_pass(Retry("Throttled", "Slow down.")).conditions, "Reconciling")

    assert reconciling is not None
    assert (reconciling.reason, reconciling.message) == ("Throttled", "Slow down.")


@pytest.mark.parametrize("ends", ["a pass that went well", "the end of the object"])
def test_the_next_trouble_starts_its_own_minute(ends: str) -> None:
    bedside = Bedside()
    bedside.a_pass(DENIED)
    bedside.clock.advance(60)
    if ends == "the end of the object":
        bedside.cache.remove(AVATAR_MODEL, MODEL_KEY, MODEL_UID)
        bedside.cache.store(AVATAR_MODEL, bedside.body)
    else:
        bedside.a_pass(None)

    assert bedside.a_pass(DENIED) == bedside.status


def test_a_trouble_of_an_object_that_would_rest_otherwise_is_written_once() -> None:
    bedside = Bedside()
    resting = bedside.status
    for _ in range(5):
        rests = a_condition("Reconciling", "False", "Ready", since=bedside.clock.now())
        bedside.status = resting.model_copy(update={"conditions": [*resting.conditions, rests]})
        bedside.a_pass(DENIED)
        bedside.clock.advance(60)

    told = [status for status in bedside.written if is_true(status.conditions, "Reconciling")]
    assert len(told) == 1


def _stalled(reason: str) -> AvatarModelStatus:
    status = model_stages.failed()
    conditions = [
        a_condition("Reconciling", "False", reason),
        a_condition("Stalled", "True", reason, "Mend it."),
    ]
    return status.model_copy(update={"conditions": [*status.conditions, *conditions]})


def test_a_stalled_object_that_says_already_what_is_wrong_stays_stalled() -> None:
    bedside = Bedside()
    bedside.status = _stalled("AccessDenied")
    for _ in range(3):
        assert bedside.a_pass(DENIED) == bedside.status
        bedside.clock.advance(60)


def test_an_object_that_something_else_has_stalled_is_told_its_trouble_once() -> None:
    bedside = Bedside()
    bedside.status = _stalled("PhotosNotFound")
    for _ in range(5):
        bedside.a_pass(DENIED)
        bedside.clock.advance(60)

    (told,) = bedside.written
    reconciling = find_condition(told.conditions, "Reconciling")
    assert reconciling is not None
    assert (reconciling.status, reconciling.reason) == ("True", "AccessDenied")
    assert not is_true(told.conditions, "Stalled")
    assert bedside.a_pass(None) == bedside.status
