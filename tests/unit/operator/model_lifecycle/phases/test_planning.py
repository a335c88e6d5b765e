"""Planning: the next attempt gets its name, and nothing is called."""

import pytest

from avatar_api.avatar_model import MAX_FORMER_STORAGES, AvatarModelStatus
from avatar_api.avatar_runtime import AvatarRuntime
from avatar_operator.core.conditions import find_condition
from avatar_operator.model_lifecycle.lifecycle import decide, summarise
from avatar_operator.model_lifecycle.observation import ModelObservation, attempt_reference
from avatar_operator.model_lifecycle.phases.planning import planning, storage_record
from avatar_operator.names import inference_id
from builders import model_stages
from builders.clock import NOON
from builders.objects import MODEL_UID, a_model, a_runtime, photos
from builders.observations import at, model_draft, observed_model


def _reason(observation: ModelObservation) -> str:
    draft = planning(observation, model_draft(observation))
    trained = find_condition(draft.status.conditions, "Trained")
    assert trained is not None
    assert draft.finished
    assert draft.actions == ()
    return trained.reason


def test_the_first_attempt_gets_its_derived_name() -> None:
    observation = observed_model(a_model(status=model_stages.waiting()), photos=photos(), now=at(5))

    draft = planning(observation, model_draft(observation))

    training = draft.status.training
    assert training is not None
    assert training.inference_id == inference_id(MODEL_UID, 1, 1)
    assert (training.attempt, training.planned_time, training.submitted_time) == (1, at(5), None)


def test_a_plan_records_where_everything_of_the_model_will_lie() -> None:
    observation = observed_model(a_model(status=model_stages.waiting()), photos=photos())
    runtime = observation.runtime
    assert runtime is not None

    recorded = planning(observation, model_draft(observation)).status.storage

    assert recorded is not None
    assert (recorded.runtime_name, recorded.runtime_uid) == (runtime.metadata.name, runtime.metadata.uid)
    assert (recorded.requests, recorded.artifacts) == (
        runtime.spec.storage.requests,
        runtime.spec.storage.artifacts,
    )


def _moved(times: int) -> AvatarModelStatus:
    """Of a model that has recorded the storage of one runtime after another."""
    storage, status = None, model_stages.waiting(attempt=1)
    for number in range(times):
        storage = storage_record(_runtime_on(f"s3://storage-{number}/", uid=f"uid-{number}"), storage)
    return status.model_copy(update={"storage": storage, "retained_time": NOON})


def _runtime_on(prefix: str, *, uid: str) -> AvatarRuntime:
    return a_runtime(
        uid=uid, spec={"storage": {"requests": f"{prefix}requests/", "artifacts": f"{prefix}artifacts/"}}
    )


def _planned_status(status: AvatarModelStatus, runtime: AvatarRuntime) -> AvatarModelStatus:
    observation = observed_model(a_model(status=status), runtime=runtime, photos=photos())
    return planning(observation, model_draft(observation)).status


def test_a_plan_with_another_runtime_of_the_name_records_its_storage_and_keeps_the_former() -> None:
    planned = _planned_status(_moved(2), _runtime_on("s3://new/", uid="new"))

    storage = planned.storage
    assert storage is not None
    assert (storage.runtime_uid, storage.requests, storage.artifacts) == (
        "new",
        "s3://new/requests/",
        "s3://new/artifacts/",
    )
    assert [place.artifacts for place in storage.former] == [
        "s3://storage-0/artifacts/",
        "s3://storage-1/artifacts/",
    ]
    assert planned.retained_time is None, "what will be stored there is not marked"


def test_a_plan_with_the_same_runtime_changes_no_record() -> None:
    status = _moved(2)

    planned = _planned_status(status, _runtime_on("s3://storage-1/", uid="uid-1"))

    assert (planned.storage, planned.retained_time) == (status.storage, NOON)


def test_a_runtime_that_was_created_anew_with_the_storage_of_before_is_no_other_place() -> None:
    planned = _planned_status(_moved(2), _runtime_on("s3://storage-0/", uid="again"))

    assert planned.storage is not None
    assert planned.storage.requests == "s3://storage-0/requests/"
    assert [place.requests for place in planned.storage.former] == ["s3://storage-1/requests/"]


def test_a_model_that_has_moved_too_often_is_not_trained_where_nobody_would_find_it() -> None:
    status = _moved(MAX_FORMER_STORAGES + 1)
    observation = observed_model(
        a_model(status=status), runtime=_runtime_on("s3://new/", uid="new"), photos=photos()
    )

    assert _reason(observation) == "TooManyStorages"
    refused = planning(observation, model_draft(observation)).status
    assert refused.storage == status.storage
    assert refused.last_failure is not None
    assert (refused.last_failure.reason, refused.last_failure.retryable) == ("TooManyStorages", False)
    later = observed_model(
        a_model(status=refused), runtime=_runtime_on("s3://new/", uid="new"), photos=photos(), now=at(60)
    )
    assert planning(later, model_draft(later)).status == refused, "it is told once"


def test_a_plan_is_all_that_a_pass_does() -> None:
    observation = observed_model(a_model(status=model_stages.waiting()), photos=photos())

    draft = planning(observation, model_draft(observation))

    assert draft.actions == ()
    assert draft.finished
    assert draft.requeue_after == 0
    assert _reason(observation) == "Planned"


def test_the_next_attempt_counts_on_and_keeps_the_failures() -> None:
    status = model_stages.failed(attempt=2, failures=2, retry_in=60)
    observation = observed_model(a_model(status=status), photos=photos(), now=at(60))

    training = planning(observation, model_draft(observation)).status.training

    assert training is not None
    assert (training.attempt, training.failures) == (3, 2)
    assert training.inference_id == inference_id(MODEL_UID, 1, 3)
    assert (training.completion_time, training.retry_time, training.sagemaker) == (None, None, None)


def test_a_retry_waits_for_its_time() -> None:
    observation = observed_model(a_model(status=model_stages.failed(retry_in=60)), now=at(20))

    draft = planning(observation, model_draft(observation))

    assert draft.status == observation.model.status
    assert draft.requeue_after == 40


def test_a_suspended_model_is_not_planned() -> None:
    model = a_model(spec={"suspend": True}, status=model_stages.waiting())

    assert _reason(observed_model(model)) == "Suspended"


def test_a_model_waits_for_endpoints_in_service() -> None:
    model = a_model(status=model_stages.waiting())

    assert _reason(observed_model(model, runtime=a_runtime(ready=False))) == "WaitingForRuntime"


def test_endpoints_that_served_an_earlier_generation_of_the_runtime_do_not_count() -> None:
    model = a_model(status=model_stages.waiting())

    assert _reason(observed_model(model, runtime=a_runtime(generation=2))) == "WaitingForRuntime"


@pytest.mark.parametrize(
    "status",
    [model_stages.planned(), model_stages.submitted(), model_stages.hosted(), model_stages.failed()],
    ids=["planned", "submitted", "hosted", "failed"],
)
@pytest.mark.parametrize("runtime", [a_runtime(), None], ids=["with runtime", "without runtime"])
def test_nothing_is_planned_beside_an_attempt_or_after_the_end(
    status: AvatarModelStatus, runtime: object
) -> None:
    observation = observed_model(a_model(status=status), runtime=None if runtime is None else a_runtime())

    assert planning(observation, model_draft(observation)) == model_draft(observation)


def test_where_a_former_version_found_an_attempts_outcome_is_read_and_not_carried_on() -> None:
    status = model_stages.failed(attempt=1, retry_in=60)
    assert status.training is not None
    former = status.training.model_copy(
        update={"output_location": "s3://models/out/1", "failure_location": "s3://models/failed/1"}
    )
    model = a_model(status=status.model_copy(update={"training": former}))
    reference = attempt_reference(a_runtime(), model, former)
    assert (reference.output_location, reference.failure_location) == (
        "s3://models/out/1",
        "s3://models/failed/1",
    )

    observation = observed_model(model, photos=photos(), now=at(60))
    training = planning(observation, model_draft(observation)).status.training

    assert training is not None
    assert (training.attempt, training.output_location, training.failure_location) == (2, None, None)


BEYOND = a_runtime(spec={"quotas": {"maxRunningTrainings": 3}})


def test_a_training_beyond_the_namespaces_quota_gets_no_plan_and_says_which_quota() -> None:
    observation = observed_model(
        a_model(status=model_stages.waiting()), runtime=BEYOND, photos=photos(), has_place=False
    )

    draft = planning(observation, model_draft(observation))

    assert _reason(observation) == "WaitingForQuota"
    trained = find_condition(draft.status.conditions, "Trained")
    assert trained is not None
    assert "AvatarRuntime standard lets one have: 3" in trained.message
    assert "quotas.maxRunningTrainings" in trained.message
    assert draft.status.training == observation.model.status.training
    assert (draft.requeue_after, draft.retrying) == (None, None), "nobody polls"


def test_a_model_that_waits_for_its_quota_is_pending_and_not_stalled() -> None:
    observation = observed_model(
        a_model(status=model_stages.waiting()), runtime=BEYOND, photos=photos(), has_place=False
    )

    status = summarise(observation, decide(observation)).status

    said = {condition.type: (condition.status, condition.reason) for condition in status.conditions}
    assert status.state == "Pending"
    assert said["Ready"] == ("False", "WaitingForQuota")
    assert said["Reconciling"] == ("True", "WaitingForQuota")
    assert said["Stalled"][0] == "False"
    assert status.last_failure is None
