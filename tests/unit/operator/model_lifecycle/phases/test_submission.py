"""Submission: call the backend for the attempt that stands planned in the status."""

from collections.abc import Sequence

import pytest

from avatar_api.avatar_model import AvatarModelStatus, ModelStorage
from avatar_api.documents.training import PhotoLocation
from avatar_operator.backends.failures import BackendError
from avatar_operator.model_lifecycle.actions import ModelDraft, SubmitTraining
from avatar_operator.model_lifecycle.base_models import base_model_word
from avatar_operator.model_lifecycle.phases.submission import submission
from avatar_operator.names import inference_id
from builders import model_stages
from builders.backend import denied
from builders.objects import MODEL_UID, a_model, a_runtime, photos
from builders.observations import STANDARD, model_draft, observed_model


def test_the_planned_attempt_is_submitted_with_the_photos_as_they_are_now() -> None:
    observation = observed_model(
        a_model(status=model_stages.planned(attempt=2)), photos=photos(11), planned_here=True
    )

    (action,) = submission(observation, model_draft(observation)).actions

    assert isinstance(action, SubmitTraining)
    assert action.request.inference_id == inference_id(MODEL_UID, 1, 2)
    assert action.request.photos == list(photos(11))


@pytest.mark.parametrize(
    "status",
    [
        model_stages.waiting(),
        model_stages.submitted(),
        model_stages.hosted(),
        model_stages.failed(retry_in=9),
    ],
    ids=["waiting", "submitted", "hosted", "failed"],
)
def test_only_a_plan_is_submitted(status: AvatarModelStatus) -> None:
    observation = observed_model(a_model(status=status))

    assert submission(observation, model_draft(observation)) == model_draft(observation)


@pytest.mark.parametrize(
    "found",
    [denied("PhotosDenied"), photos(0), photos(9), photos(101)],
    ids=["unreadable", "none left", "too few left", "many more"],
)
def test_a_plan_is_withdrawn_when_its_photos_are_not_acceptable_any_more(
    found: Sequence[PhotoLocation] | BackendError,
) -> None:
    observation = observed_model(a_model(status=model_stages.planned()), photos=found, planned_here=True)

    draft = submission(observation, model_draft(observation))

    assert draft.actions == ()
    assert is_withdrawn(draft)


def test_a_plan_is_withdrawn_when_the_model_is_suspended() -> None:
    model = a_model(spec={"suspend": True}, status=model_stages.planned())
    observation = observed_model(model, planned_here=True)

    draft = submission(observation, model_draft(observation))

    assert draft.actions == ()
    assert is_withdrawn(draft)


def test_a_plan_is_withdrawn_when_the_runtime_has_got_another_base_than_it_was_made_for() -> None:
    status = model_stages.planned()
    assert status.training is not None
    planned_base = status.training.model_copy(
        update={"base_model": base_model_word(STANDARD.spec.base_model)}
    )
    model = a_model(status=status.model_copy(update={"training": planned_base}))
    other = a_runtime(spec={"baseModel": {"source": "s3://models/other/", "sha256": "c" * 64}})
    unchanged = observed_model(model, photos=photos(), planned_here=True)
    changed = observed_model(model, photos=photos(), planned_here=True, runtime=other)

    assert [type(action) for action in submission(unchanged, model_draft(unchanged)).actions] == [
        SubmitTraining
    ]
    draft = submission(changed, model_draft(changed))
    assert draft.actions == ()
    assert is_withdrawn(draft)


def is_withdrawn(draft: ModelDraft) -> bool:
    training = draft.status.training
    assert training is not None
    return (training.inference_id, training.planned_time, draft.requeue_after) == (None, None, 0)


@pytest.mark.parametrize(
    ("spec", "storage"),
    [
        ({"tenancy": {"allowedNamespaces": ["team-b"]}}, None),
        ({"limits": {"training": {"maxSteps": 10}}}, None),
        (
            {},
            ModelStorage(
                runtime_name="standard",
                runtime_uid="the one before",
                requests="s3://theirs/requests/",
                artifacts="s3://theirs/artifacts/",
            ),
        ),
    ],
    ids=["a namespace that is not admitted", "more than the limits", "somebody else's storage"],
)
def test_a_plan_that_the_runtime_does_not_take_is_withdrawn_whoever_wrote_it(
    spec: dict[str, object], storage: ModelStorage | None
) -> None:
    status = model_stages.planned().model_copy(update={"storage": storage})
    observation = observed_model(
        a_model(status=status), runtime=a_runtime(spec=spec), photos=photos(), planned_here=True
    )

    draft = submission(observation, model_draft(observation))

    assert draft.actions == ()
    assert draft.status.training is not None
    assert draft.status.training.inference_id is None
