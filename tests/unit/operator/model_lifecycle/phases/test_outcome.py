"""Outcome: what became of the current attempt."""

import pytest

from avatar_api.avatar_model import AvatarModelStatus
from avatar_api.documents.errors import WorkerError
from avatar_api.documents.photos import PhotoVerdict
from avatar_api.meta import Cost
from avatar_operator.backends.attempts import AttemptFailed, AttemptOutcome, AttemptPending
from avatar_operator.core.conditions import find_condition, is_true
from avatar_operator.core.redaction import WITHHELD
from avatar_operator.model_lifecycle.actions import ModelDraft
from avatar_operator.model_lifecycle.news import MODEL_FAILED, MODEL_READY
from avatar_operator.model_lifecycle.phases.outcome import UNKNOWN_PHOTO, outcome, photos_status
from avatar_operator.names import inference_id
from builders import model_stages
from builders.backend import a_success
from builders.objects import MODEL_UID, a_model, an_artifact
from builders.observations import at, model_draft, observed_model, told_of_end

FIRST = inference_id(MODEL_UID, 1, 1)


def _after(result: AttemptOutcome | None, *, failures: int = 0, attempt: int = 1) -> ModelDraft:
    status = model_stages.submitted(failures=failures, attempt=attempt)
    observation = observed_model(a_model(status=status), outcome=result, now=at(100))
    return outcome(observation, model_draft(observation))


def test_a_success_is_hosted() -> None:
    draft = _after(a_success(FIRST))

    assert draft.status.artifact == an_artifact().model_copy(
        update={"base_model": "s3://models/base/@bbbbbbbbbbbb"}
    )
    assert is_true(draft.status.conditions, "Trained")
    assert is_true(draft.status.conditions, "Hosted")


def test_a_success_records_when_it_ended_and_what_it_cost() -> None:
    training = _after(a_success(FIRST)).status.training

    assert training is not None
    assert (training.completion_time, training.seconds) == (at(100), 62)
    assert training.estimated_cost == Cost(amount="0.024092", currency="USD", instance_type="ml.g5.xlarge")


@pytest.mark.parametrize(
    ("status", "seconds", "cost"),
    [
        (model_stages.working(since=at(10)), 90, "0.035200"),
        (model_stages.submitted(), None, None),
    ],
    ids=["after some work", "before any work was seen"],
)
def test_a_failure_has_cost_what_was_worked_in_vain(
    status: AvatarModelStatus, seconds: int | None, cost: str | None
) -> None:
    failure = AttemptFailed("InternalError", "it broke", retryable=True)
    observation = observed_model(a_model(status=status), outcome=failure, now=at(100))

    training = outcome(observation, model_draft(observation)).status.training

    assert training is not None
    assert training.seconds == seconds
    assert (training.estimated_cost and training.estimated_cost.amount) == cost


def test_a_success_is_announced() -> None:
    (notice,) = told_of_end(_after(a_success(FIRST)).status)

    assert (notice.type, notice.reason, notice.announce) == ("Normal", "ModelReady", MODEL_READY)


def test_the_photos_that_were_not_used_are_named_with_the_reason() -> None:
    status = _after(a_success(FIRST, rejected=2)).status.photos

    assert status is not None
    assert status.accepted == 10
    assert [(photo.key, photo.reason) for photo in status.rejected] == [
        ("team-a/ann/00.jpg", "Blurred"),
        ("team-a/ann/01.jpg", "Blurred"),
    ]


def test_a_success_with_a_defective_artifact_is_a_failure() -> None:
    draft = _after(a_success(FIRST, defect="its SHA-256 is another one"))

    assert draft.status.artifact is None
    assert find_condition(draft.status.conditions, "Hosted") is None
    assert draft.status.last_failure is not None
    assert draft.status.last_failure.reason == "ArtifactInvalid"
    assert "its SHA-256 is another one" in draft.status.last_failure.message


def test_a_failure_that_is_the_users_is_final() -> None:
    draft = _after(AttemptFailed("TooFewUsablePhotos", "4 of 12 photos are usable.", retryable=False))

    trained = find_condition(draft.status.conditions, "Trained")
    assert trained is not None
    assert trained.reason == "TooFewUsablePhotos"
    assert "4 of 12 photos are usable. Raise spec.revision" in trained.message
    assert draft.status.training is not None
    assert draft.status.training.retry_time is None
    assert draft.status.last_failure is not None
    assert not draft.status.last_failure.retryable


def test_a_final_failure_is_announced() -> None:
    (notice,) = told_of_end(_after(AttemptFailed("TooFewUsablePhotos", "few", retryable=False)).status)

    assert (notice.type, notice.reason, notice.announce) == ("Warning", "TooFewUsablePhotos", MODEL_FAILED)


def test_a_failure_that_may_pass_is_tried_again_after_the_back_off() -> None:
    draft = _after(AttemptFailed("InternalError", "oops", retryable=True))

    assert draft.status.training is not None
    assert draft.status.training.retry_time == at(130)
    assert draft.requeue_after == 30
    assert draft.status.last_failure is not None
    assert draft.status.last_failure.retryable


def test_every_further_failure_waits_twice_as_long() -> None:
    draft = _after(AttemptFailed("InternalError", "oops", retryable=True), failures=1, attempt=2)

    assert draft.status.training is not None
    assert draft.status.training.retry_time == at(160)


def test_a_failure_that_is_tried_again_is_told_and_not_announced() -> None:
    (notice,) = told_of_end(_after(AttemptFailed("InternalError", "oops", retryable=True)).status)

    assert (notice.reason, notice.announce) == ("TrainingAttemptFailed", None)


def test_the_last_attempt_that_the_runtime_grants_is_final() -> None:
    draft = _after(AttemptFailed("InternalError", "oops", retryable=True), failures=2, attempt=3)

    assert draft.status.training is not None
    assert draft.status.training.failures == 3
    assert draft.status.training.retry_time is None
    assert told_of_end(draft.status)[0].announce == MODEL_FAILED


def test_a_failure_leaves_what_an_earlier_revision_hosts() -> None:
    status = model_stages.submitted(revision=2, artifact=an_artifact(revision=1))
    failure = AttemptFailed("InternalError", "oops", retryable=False)
    observation = observed_model(a_model(spec={"revision": 2}, status=status), outcome=failure)

    assert outcome(observation, model_draft(observation)).status.artifact == an_artifact(revision=1)


def test_a_failure_tells_which_photos_were_at_fault() -> None:
    error = WorkerError(
        code="TooFewUsablePhotos",
        message="few",
        retryable=False,
        photos=[PhotoVerdict(uri="s3://photos/team-a/ann/1.jpg", rejection="NoFace", message="nobody there")],
    )

    status = _after(AttemptFailed("TooFewUsablePhotos", "few", retryable=False, error=error)).status.photos

    assert status is not None
    assert (status.accepted, status.rejected[0].key) == (0, "team-a/ann/1.jpg")
    assert status.rejected[0].reason == "NoFace: nobody there"


SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"


def test_of_photos_that_are_named_one_by_one_a_worker_names_none_that_only_begins_alike() -> None:
    model = a_model(spec={"photos": {"s3Prefix": None, "objects": [{"uri": "s3://photos/team-a/ann/1.jpg"}]}})
    verdicts = [
        PhotoVerdict(uri=f"s3://photos/team-a/ann/1.jpg{more}", rejection="NoFace")
        for more in ("", f" {SECRET}")
    ]

    assert [photo.key for photo in photos_status(model, verdicts).rejected] == [
        "team-a/ann/1.jpg",
        UNKNOWN_PHOTO,
    ]


def test_what_a_worker_puts_behind_the_prefix_of_a_models_photos_is_read_as_its_words_are() -> None:
    names = ("summer/IMG 1.jpg", f"{SECRET}.jpg", "::1 " * 200)
    verdicts = [PhotoVerdict(uri=f"s3://photos/team-a/ann/{name}", rejection="NoFace") for name in names]

    own, secret, long = (photo.key for photo in photos_status(a_model(), verdicts).rejected)

    assert own == "team-a/ann/summer/IMG 1.jpg"
    assert secret == f"team-a/ann/{WITHHELD}.jpg"
    assert long.startswith(f"team-a/ann/{WITHHELD}")


def _trained_after(result: AttemptOutcome, status: AvatarModelStatus) -> tuple[str, str]:
    observation = observed_model(a_model(status=status), outcome=result, now=at(100))
    trained = find_condition(outcome(observation, model_draft(observation)).status.conditions, "Trained")
    assert trained is not None
    return trained.reason, trained.message


def test_a_backend_that_has_no_room_says_so_until_it_has() -> None:
    waiting = AttemptPending(reason="NoFreeGPU", message="4 trainings are ahead.")
    told = _after(waiting).status
    assert _trained_after(waiting, told) == (
        "Queued",
        "Attempt 1 waits for a worker (NoFreeGPU): 4 trainings are ahead.",
    )

    assert _trained_after(AttemptPending(), told) == ("Queued", "Attempt 1 waits for a worker.")


def test_a_backend_that_knows_the_stage_is_believed_when_the_work_begins_and_the_worker_from_then_on() -> (
    None
):
    pending = AttemptPending(stage="Training", started=at(40))
    assert _trained_after(pending, model_stages.submitted())[0] == "Training"
    assert _trained_after(pending, model_stages.working(since=at(40)))[0] == "Preparing"


def test_an_attempt_without_an_outcome_goes_on() -> None:
    assert _after(AttemptPending()) == _after(None)


@pytest.mark.parametrize(
    ("claimed", "started"),
    [(40, 40), (9000, 100), (-9000, 0)],
    ids=["dated", "by a clock that is ahead", "by a clock that is behind"],
)
def test_a_claim_says_when_the_work_began_although_no_message_came(claimed: int, started: int) -> None:
    status = _after(AttemptPending(started=at(claimed))).status

    assert status.training is not None
    assert status.training.start_time == at(started)
    trained = find_condition(status.conditions, "Trained")
    assert trained is not None
    assert (trained.status, trained.reason) == ("False", "Preparing")


def test_a_claim_that_is_read_later_leaves_the_time_at_which_the_work_began() -> None:
    status = model_stages.working(since=at(10))
    observation = observed_model(a_model(status=status), outcome=AttemptPending(started=at(40)), now=at(100))

    assert outcome(observation, model_draft(observation)).status == status


def test_a_backend_without_notifications_says_when_to_ask_again() -> None:
    assert _after(AttemptPending(check_after=5.0)).requeue_after == 5.0


def test_an_outcome_is_no_news_once_the_attempt_has_ended() -> None:
    observation = observed_model(a_model(status=model_stages.hosted()), outcome=a_success(FIRST))

    assert outcome(observation, model_draft(observation)) == model_draft(observation)
