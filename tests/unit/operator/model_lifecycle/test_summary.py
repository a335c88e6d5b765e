"""What follows from the details: Ready, one word for columns, the generation."""

import pytest

from avatar_api.avatar_model import AvatarModelStatus
from avatar_api.meta import Condition
from avatar_operator.core.conditions import find_condition
from avatar_operator.core.decision import Draft
from avatar_operator.model_lifecycle.lifecycle import state_of, summarise
from builders import model_stages
from builders.clock import NOON
from builders.manifests import Changes
from builders.objects import a_condition, a_model
from builders.observations import observed_model

NOT_ACCEPTED = a_condition("Accepted", "False", "LimitExceeded", "too many steps")
NO_RUNTIME = a_condition("Accepted", "False", "RuntimeNotFound", "there is none")


def _status(*conditions: Condition) -> AvatarModelStatus:
    return AvatarModelStatus(conditions=list(conditions))


def _trained(reason: str) -> Condition:
    return a_condition("Trained", "False", reason, f"because {reason}")


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (_status(), "Pending"),
        (_status(_trained("Pending")), "Pending"),
        (_status(_trained("WaitingForRuntime")), "Pending"),
        (_status(_trained("RetryScheduled")), "Pending"),
        (_status(_trained("Suspended")), "Suspended"),
        (_status(_trained("Planned")), "Queued"),
        (_status(_trained("SubmissionDelayed")), "Queued"),
        (_status(_trained("Queued")), "Queued"),
        (_status(_trained("Preparing")), "Preparing"),
        (_status(_trained("Training")), "Training"),
        (_status(_trained("Packaging")), "Packaging"),
        (_status(_trained("TooFewUsablePhotos")), "Failed"),
        (
            _status(a_condition("Trained", "True", "Trained"), a_condition("Hosted", "True", "Verified")),
            "Ready",
        ),
        (
            _status(
                a_condition("Trained", "True", "Trained"), a_condition("Hosted", "False", "BaseModelChanged")
            ),
            "Failed",
        ),
        (_status(NOT_ACCEPTED, _trained("Pending")), "Failed"),
        (_status(NO_RUNTIME, _trained("Pending")), "Pending"),
    ],
)
def test_the_state_is_one_word_for_what_the_conditions_say(status: AvatarModelStatus, state: str) -> None:
    assert state_of(status, deleting=False) == state


def test_a_model_that_is_going_is_deleting_whatever_else_it_is() -> None:
    assert state_of(model_stages.hosted(), deleting=True) == "Deleting"


def _ready(status: AvatarModelStatus, *, spec: Changes | None = None, going: bool = False) -> Condition:
    model = a_model(spec=spec, status=status, generation=4, deleted_at=NOON if going else None)
    draft = summarise(observed_model(model), Draft(status=status))
    ready = find_condition(draft.status.conditions, "Ready")
    assert ready is not None
    assert draft.status.observed_generation == ready.observed_generation == 4
    return ready


def test_a_hosted_model_is_ready() -> None:
    ready = _ready(model_stages.hosted())

    assert (ready.status, ready.message) == ("True", "Serving revision 1.")


def test_a_hosted_model_stays_ready_while_the_next_revision_is_trained() -> None:
    status = model_stages.hosted()
    conditions = [a_condition("Hosted", "True"), _trained("Training")]

    ready = _ready(status.model_copy(update={"conditions": conditions}), spec={"revision": 2})

    assert (ready.status, ready.message) == ("True", "Serving revision 1. Revision 2: Training.")


def test_a_model_in_training_is_not_ready_and_says_why() -> None:
    ready = _ready(_status(model_stages.ACCEPTED, _trained("Training")))

    assert (ready.status, ready.reason, ready.message) == ("False", "Training", "because Training")


def test_a_model_that_is_not_accepted_says_that_first() -> None:
    ready = _ready(_status(NOT_ACCEPTED, _trained("Pending")))

    assert (ready.reason, ready.message) == ("LimitExceeded", "too many steps")


def test_a_model_that_is_going_is_not_ready() -> None:
    ready = _ready(model_stages.hosted(), going=True)

    assert (ready.status, ready.reason) == ("False", "Deleting")


def _kstatus(status: AvatarModelStatus, *, going: bool = False) -> tuple[tuple[str, str], tuple[str, str]]:
    """Status and reason of Reconciling and of Stalled."""
    model = a_model(status=status, deleted_at=NOON if going else None)
    conditions = summarise(observed_model(model), Draft(status=status)).status.conditions
    reconciling, stalled = find_condition(conditions, "Reconciling"), find_condition(conditions, "Stalled")
    assert reconciling is not None
    assert stalled is not None
    return (reconciling.status, reconciling.reason), (stalled.status, stalled.reason)


UNDER_WAY = (
    "Pending",
    "WaitingForRuntime",
    "RetryScheduled",
    "Planned",
    "SubmissionDelayed",
    "Recovering",
    "Queued",
    "Preparing",
    "Training",
    "Packaging",
)
HOSTED = a_condition("Hosted", "True", "Verified")
OTHER_BASE = a_condition("Hosted", "False", "BaseModelChanged", "trained on another base")
TRAINED = a_condition("Trained", "True", "Trained")


@pytest.mark.parametrize("reason", UNDER_WAY)
def test_a_model_that_the_operator_works_on_is_reconciling(reason: str) -> None:
    assert _kstatus(_status(model_stages.ACCEPTED, _trained(reason))) == (
        ("True", reason),
        ("False", "InProgress"),
    )


@pytest.mark.parametrize(
    ("status", "reconciling", "stalled"),
    [
        (_status(), ("True", "Pending"), ("False", "InProgress")),
        (_status(NO_RUNTIME), ("True", "RuntimeNotFound"), ("False", "InProgress")),
        (_status(NOT_ACCEPTED), ("False", "LimitExceeded"), ("True", "LimitExceeded")),
        (
            _status(model_stages.ACCEPTED, _trained("TooFewUsablePhotos")),
            ("False", "TooFewUsablePhotos"),
            ("True", "TooFewUsablePhotos"),
        ),
        (
            _status(model_stages.ACCEPTED, _trained("QueueDeadlineExceeded")),
            ("False", "QueueDeadlineExceeded"),
            ("True", "QueueDeadlineExceeded"),
        ),
        (
            _status(model_stages.ACCEPTED, _trained("Suspended")),
            ("False", "Suspended"),
            ("False", "Suspended"),
        ),
        (model_stages.hosted(), ("False", "Ready"), ("False", "Ready")),
        (
            _status(model_stages.ACCEPTED, TRAINED, OTHER_BASE),
            ("False", "BaseModelChanged"),
            ("True", "BaseModelChanged"),
        ),
        (
            _status(model_stages.ACCEPTED, _trained("Training"), HOSTED),
            ("True", "Training"),
            ("False", "InProgress"),
        ),
        (
            _status(model_stages.ACCEPTED, _trained("TooFewUsablePhotos"), HOSTED),
            ("False", "TooFewUsablePhotos"),
            ("True", "TooFewUsablePhotos"),
        ),
    ],
    ids=[
        "new",
        "without its runtime",
        "refused",
        "failed",
        "overdue",
        "suspended",
        "ready",
        "of another base",
        "serving while the next revision is trained",
        "serving while the next revision has failed",
    ],
)
def test_tools_that_know_nothing_of_our_kinds_can_tell_how_a_model_stands(
    status: AvatarModelStatus, reconciling: tuple[str, str], stalled: tuple[str, str]
) -> None:
    assert _kstatus(status) == (reconciling, stalled)


def test_a_model_that_is_going_is_reconciling_however_it_stood() -> None:
    failed = _status(model_stages.ACCEPTED, _trained("TooFewUsablePhotos"))

    assert _kstatus(failed, going=True) == (("True", "Deleting"), ("False", "InProgress"))
