"""The phases of an AvatarRequest, each with what it documents."""

import pytest

from avatar_api.avatar_model import AvatarModelStatus
from avatar_operator.backends.cleanup_report import CleanupReport
from avatar_operator.core.conditions import find_condition, is_true
from avatar_operator.core.decision import ActionFailed
from avatar_operator.request_lifecycle.actions import (
    DeletePictures,
    DrawPictures,
    MarkedRetained,
    MarkRetained,
    PicturesDeleted,
    RecordLeftBehind,
    RequestAction,
    RequestDraft,
)
from avatar_operator.request_lifecycle.lifecycle import state_of
from avatar_operator.request_lifecycle.observation import DrawingNotes, RequestObservation
from avatar_operator.request_lifecycle.phases.acceptance import acceptance
from avatar_operator.request_lifecycle.phases.deadline import deadline
from avatar_operator.request_lifecycle.phases.deletion import deletion, fold_cleanup, fold_mark
from avatar_operator.request_lifecycle.phases.drawing import drawing
from avatar_operator.request_lifecycle.phases.expiry import expiry
from avatar_operator.request_lifecycle.phases.resolution import resolution
from avatar_operator.request_lifecycle.pictures import wanted_pictures
from builders import model_stages, request_stages
from builders.backend import stored
from builders.clock import NOON
from builders.manifests import Changes
from builders.objects import MODEL_UID, REQUEST_UID, a_model, a_request, a_runtime
from builders.observations import at, observed_request, request_draft
from builders.request_stages import PREFIX

ANN = a_model(status=model_stages.hosted())
RUNNING = request_stages.drawing()
SUCCEEDED = request_stages.succeeded()
ANSWERED = DrawingNotes(all_answered=True)


def _reason(draft: RequestDraft, condition_type: str) -> tuple[str, str]:
    condition = find_condition(draft.status.conditions, condition_type)
    assert condition is not None
    return condition.status, condition.reason


# resolution


def test_a_hosted_model_is_resolved() -> None:
    observation = observed_request(a_request(), model=ANN)

    draft = resolution(observation, request_draft(observation))

    assert _reason(draft, "ModelResolved") == ("True", "Resolved")
    assert not draft.finished


@pytest.mark.parametrize(
    ("observation", "reason"),
    [
        (observed_request(a_request(), model=None), "ModelNotFound"),
        (
            observed_request(a_request(), model=a_model(status=model_stages.submitted())),
            "WaitingForModel",
        ),
        (observed_request(a_request(), model=ANN, runtime=None), "RuntimeNotFound"),
        (
            observed_request(a_request(), model=a_model(status=model_stages.hosted(), deleted_at=NOON)),
            "ModelDeleting",
        ),
    ],
    ids=["no model", "no artifact", "no runtime", "a model that is being deleted"],
)
def test_a_request_waits_for_a_hosted_model(observation: RequestObservation, reason: str) -> None:
    draft = resolution(observation, request_draft(observation))

    assert _reason(draft, "ModelResolved") == ("False", reason)
    assert _reason(draft, "Succeeded") == ("Unknown", reason)
    assert state_of(draft.status, deleting=False) == "Pending"
    assert draft.finished


@pytest.mark.parametrize(
    "status", [None, model_stages.waiting(), model_stages.planned(), model_stages.submitted()]
)
def test_a_request_says_the_same_at_every_step_of_a_training(status: AvatarModelStatus | None) -> None:
    planned = observed_request(a_request(), model=a_model(status=model_stages.planned()))
    other = observed_request(a_request(), model=a_model(status=status))

    assert resolution(planned, request_draft(planned)) == resolution(other, request_draft(other))


# acceptance


def _refused(observation: RequestObservation) -> tuple[str, str]:
    draft = acceptance(observation, request_draft(observation))
    condition = find_condition(draft.status.conditions, "Accepted")
    assert condition is not None
    assert condition.status == "False"
    assert _reason(draft, "Succeeded") == ("False", condition.reason)
    assert draft.status.last_failure is not None
    assert (draft.status.last_failure.reason, draft.status.last_failure.message) == (
        condition.reason,
        condition.message,
    )
    assert draft.status.model is None
    assert draft.finished
    return condition.reason, condition.message


def test_an_accepted_request_says_that_it_runs_before_anything_is_drawn() -> None:
    observation = observed_request(a_request(), model=ANN)

    draft = acceptance(observation, request_draft(observation))

    assert state_of(draft.status, deleting=False) == "Running"
    assert draft.status.storage_prefix == PREFIX
    assert draft.status.start_time == NOON
    assert draft.status.runtime_name == "standard"
    assert draft.actions == ()
    assert draft.finished
    assert draft.requeue_after == 0


def test_a_request_is_accepted_once() -> None:
    retrained = a_model(status=model_stages.hosted(revision=2))
    observation = observed_request(a_request(status=RUNNING), model=retrained, now=at(60))

    assert acceptance(observation, request_draft(observation)) == request_draft(observation)


def test_a_runtime_that_withdraws_a_namespace_ends_its_requests() -> None:
    runtime = a_runtime(spec={"tenancy": {"allowedNamespaces": ["x"]}})
    observation = observed_request(a_request(status=RUNNING), model=ANN, runtime=runtime)

    draft = acceptance(observation, request_draft(observation))

    assert _reason(draft, "Accepted") == ("False", "NamespaceNotAllowed")
    assert _reason(draft, "Succeeded") == ("False", "NamespaceNotAllowed")
    assert draft.finished


def test_a_namespace_that_the_runtime_does_not_admit_is_refused() -> None:
    runtime = a_runtime(spec={"tenancy": {"allowedNamespaces": ["team-b"]}})

    reason, message = _refused(observed_request(a_request(), model=ANN, runtime=runtime))

    assert reason == "NamespaceNotAllowed"
    assert "does not admit namespace team-a" in message


def test_an_output_within_the_allowed_prefixes_is_accepted() -> None:
    request = a_request(spec={"output": {"prefix": "s3://albums/team-a/summer/"}})
    observation = observed_request(request, model=ANN)

    draft = acceptance(observation, request_draft(observation))

    assert draft.status.storage_prefix == f"s3://albums/team-a/summer/{REQUEST_UID}/"


@pytest.mark.parametrize("prefix", ["s3://albums/team-b/", "s3://albums/", "s3://pictures/team-a/"])
def test_an_output_outside_the_allowed_prefixes_is_refused(prefix: str) -> None:
    reason, message = _refused(observed_request(a_request(spec={"output": {"prefix": prefix}}), model=ANN))

    assert reason == "OutputNotAllowed"
    assert f"{prefix} is outside" in message


def test_a_runtime_that_allows_no_outputs_says_so() -> None:
    runtime = a_runtime(spec={"storage": {"allowed": {"outputs": None}}})
    request = a_request(spec={"output": {"prefix": "s3://albums/team-a/"}})

    assert (
        "none but the runtime's own default"
        in _refused(observed_request(request, model=ANN, runtime=runtime))[1]
    )


@pytest.mark.parametrize(
    ("limits", "spec", "expected"),
    [
        ({"maxPictures": 1}, {}, "number of pictures is 2, at most 1"),
        ({}, {"steps": 101}, "steps is 101, at most 100"),
        ({}, {"width": 2048, "height": 1024}, "width x height is 2097152, at most 1048576"),
        ({"maxSteps": 10}, {}, "steps is 25, at most 10"),
    ],
    ids=["pictures", "steps", "pixels", "the runtime's own default"],
)
def test_a_request_above_a_limit_is_refused_by_name(limits: Changes, spec: Changes, expected: str) -> None:
    runtime = a_runtime(spec={"limits": {"inference": limits}})

    reason, message = _refused(observed_request(a_request(spec=spec), model=ANN, runtime=runtime))

    assert reason == "LimitExceeded"
    assert expected in message


# drawing


def _drawing(*, existing: frozenset[str], complete: bool = False, pictures: int = 7) -> RequestDraft:
    prompts = [{"prompt": "one", "numImages": pictures, "seed": 1}]
    request = a_request(spec={"prompts": prompts}, status=RUNNING)
    described = [stored(PREFIX, picture) for picture in wanted_pictures(request)] if complete else None
    observation = observed_request(request, model=ANN, existing=existing, pictures=described)
    return drawing(observation, request_draft(observation))


def test_an_invocation_draws_no_more_than_the_runtime_says() -> None:
    (action,) = _drawing(existing=frozenset()).actions

    assert isinstance(action, DrawPictures)
    assert [picture.image_index for picture in action.call.pictures] == [0, 1, 2, 3]


def test_drawing_goes_on_with_the_pictures_that_are_missing() -> None:
    existing = frozenset({"00-00-1.png", "00-02-3.png", "00-03-4.png", "00-05-6.png"})

    (action,) = _drawing(existing=existing).actions

    assert isinstance(action, DrawPictures)
    assert [picture.image_index for picture in action.call.pictures] == [1, 4, 6]


def test_pictures_of_others_below_the_prefix_count_for_nothing() -> None:
    (action,) = _drawing(existing=frozenset({"holiday.png"}), pictures=1).actions

    assert isinstance(action, DrawPictures)


def test_a_request_is_drawn_with_the_models_artifact_and_the_runtimes_defaults() -> None:
    (action,) = _drawing(existing=frozenset()).actions

    assert isinstance(action, DrawPictures)
    call = action.call
    assert call.target_model == f"team-a/{MODEL_UID}/r1-a1.tar.gz"
    assert (call.num_inference_steps, call.guidance_scale, call.width, call.height, call.scheduler) == (
        25,
        7.5,
        512,
        512,
        "DDIM",
    )


def test_a_request_succeeds_when_no_picture_is_missing() -> None:
    names = frozenset(f"00-{index:02d}-{index + 1}.png" for index in range(7))

    draft = _drawing(existing=names, complete=True)

    assert draft.actions == ()
    assert state_of(draft.status, deleting=False) == "Succeeded"
    assert [picture.uri for picture in draft.status.images] == [f"{PREFIX}{name}" for name in sorted(names)]
    assert is_true(draft.status.conditions, "Succeeded")
    assert draft.finished


# deadline


def test_a_request_in_time_is_looked_at_again_when_it_is_due() -> None:
    observation = observed_request(a_request(status=RUNNING), now=at(600))

    assert deadline(observation, request_draft(observation)).requeue_after == 3000


def test_an_overdue_request_fails_even_without_a_model() -> None:
    request = a_request(spec={"queueDeadlineSeconds": 60})
    observation = observed_request(request, model=None, runtime=None, now=at(60))

    draft = deadline(observation, request_draft(observation))

    assert state_of(draft.status, deleting=False) == "Failed"
    assert _reason(draft, "Succeeded") == ("False", "QueueDeadlineExceeded")


def test_waiting_does_not_count_as_drawing() -> None:
    request = a_request(
        spec={"queueDeadlineSeconds": 60, "activeDeadlineSeconds": 60},
        status=request_stages.drawing(since=at(50)),
    )
    observation = observed_request(request, now=at(100))

    assert deadline(observation, request_draft(observation)).requeue_after == 10


@pytest.mark.parametrize(
    ("wanted", "due"), [(600, 600), (None, 3600), (7200, 3600)], ids=["less", "nothing", "more"]
)
def test_the_earlier_of_the_requests_deadline_and_the_runtimes_counts(wanted: int | None, due: int) -> None:
    spec = {"activeDeadlineSeconds": wanted, "queueDeadlineSeconds": wanted}
    for status in (RUNNING, None):
        observation = observed_request(a_request(spec=spec, status=status))

        assert deadline(observation, request_draft(observation)).requeue_after == due


# expiry


@pytest.mark.parametrize("ttl", [None, 60])
def test_a_finished_request_changes_no_more(ttl: int | None) -> None:
    request = a_request(spec={"ttlSecondsAfterFinished": ttl}, status=SUCCEEDED)
    observation = observed_request(request, model=None, runtime=None)

    draft = expiry(observation, request_draft(observation))

    assert draft.status == SUCCEEDED
    assert draft.finished
    assert draft.requeue_after == ttl


def test_a_finished_request_deletes_itself_when_its_time_is_over() -> None:
    request = a_request(spec={"ttlSecondsAfterFinished": 60}, status=SUCCEEDED)
    observation = observed_request(request, now=at(60))

    assert expiry(observation, request_draft(observation)).delete_object


def test_a_request_that_still_runs_does_not_expire() -> None:
    request = a_request(spec={"ttlSecondsAfterFinished": 0}, status=RUNNING)
    observation = observed_request(request, now=at(60))

    assert expiry(observation, request_draft(observation)) == request_draft(observation)


# deletion


def test_the_pictures_go_before_their_request() -> None:
    observation = observed_request(a_request(deleted_at=NOON, status=SUCCEEDED), notes=ANSWERED)

    draft = deletion(observation, request_draft(observation))
    cleaned = fold_cleanup(observation, draft, PicturesDeleted(CleanupReport()))

    assert draft.actions == (DeletePictures(),)
    assert draft.finalizer == "Keep"
    assert cleaned.finalizer == "Remove"


def test_pictures_stay_if_the_request_says_retain() -> None:
    request = a_request(deleted_at=NOON, spec={"deletionPolicy": "Retain"}, status=SUCCEEDED)
    observation = observed_request(request)

    draft = deletion(observation, request_draft(observation))

    assert draft.actions == (MarkRetained(),)
    assert fold_mark(observation, draft, MarkedRetained()).finalizer == "Remove"


@pytest.mark.parametrize("policy", ["Retain", "Delete"])
def test_a_request_that_retains_its_pictures_goes_though_its_runtime_is_gone(policy: str) -> None:
    request = a_request(deleted_at=NOON, spec={"deletionPolicy": policy}, status=SUCCEEDED)
    observation = observed_request(request, runtime=None)

    draft = deletion(observation, request_draft(observation))

    assert draft.finalizer == "Remove"
    assert bool(draft.farewells) == (policy == "Delete")


def test_a_request_waits_for_a_mark_and_goes_without_one_when_patience_ends() -> None:
    request = a_request(deleted_at=NOON, spec={"deletionPolicy": "Retain"}, status=SUCCEEDED)
    failed = ActionFailed[RequestAction](MarkRetained(), "AccessDenied", "s3:PutObject.", True)
    waiting, going = (
        fold_mark(observation, request_draft(observation), failed)
        for observation in (observed_request(request, now=at(age)) for age in (599, 600))
    )

    assert waiting.retrying is not None
    assert (waiting.retrying.reason, waiting.finalizer) == ("AccessDenied", "Keep")
    (farewell,) = going.farewells
    assert (farewell.reason, going.finalizer) == ("RetainedUnmarked", "Remove")
    assert "s3:PutObject" in farewell.message


def test_a_request_that_drew_nothing_has_nothing_to_remove() -> None:
    observation = observed_request(a_request(deleted_at=NOON))

    draft = deletion(observation, request_draft(observation))

    assert draft.actions == ()
    assert draft.finalizer == "Remove"


@pytest.mark.parametrize(
    "fact",
    [
        PicturesDeleted(CleanupReport(left_behind=("s3://x",))),
        ActionFailed(DeletePictures(), "AccessDenied", "denied: s3://x", retryable=False),
        ActionFailed(DeletePictures(), "Throttled", "slow down: s3://x", retryable=True),
    ],
    ids=["left behind", "denied", "throttled"],
)
def test_what_cannot_be_removed_is_tried_again_then_handed_over_and_at_last_let_go(
    fact: PicturesDeleted | ActionFailed[RequestAction],
) -> None:
    request = a_request(deleted_at=NOON, status=SUCCEEDED)
    kept, handed, gone = (
        fold_cleanup(observation, request_draft(observation), fact)
        for observation in (observed_request(request, now=at(age)) for age in (599, 600, 4200))
    )

    assert kept.finalizer == handed.finalizer == "Keep"
    assert kept.retrying is not None
    assert "s3://x" in kept.retrying.message
    (record,) = handed.actions
    assert isinstance(record, RecordLeftBehind)
    assert "s3://x" in record.remains
    assert gone.finalizer == "Remove"
    assert gone.retrying is None
    assert [notice.reason for notice in gone.farewells] == ["CleanupIncomplete"]
    assert "s3://x" in gone.farewells[0].message


def test_a_request_whose_runtime_is_gone_is_let_go_and_says_what_stays() -> None:
    observation = observed_request(a_request(deleted_at=NOON, status=SUCCEEDED), runtime=None)

    draft = deletion(observation, request_draft(observation))

    assert draft.finalizer == "Remove"
    assert [notice.reason for notice in draft.farewells] == ["CleanupImpossible"]
    assert PREFIX in draft.farewells[0].message
