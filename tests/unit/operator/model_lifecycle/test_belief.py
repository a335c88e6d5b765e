"""Belief: what the operator cannot have written of a model is not used, and said once."""

from datetime import timedelta
from typing import Any

import pytest

from avatar_api.avatar_model import AvatarModelStatus, FormerStorage, ModelStorage
from avatar_api.group import AVATAR_MODEL
from avatar_api.training_status import SageMakerAttempt, TrainingStatus
from avatar_operator.core.conditions import find_condition
from avatar_operator.core.foreign_status import Belief
from avatar_operator.locations import storage_of
from avatar_operator.model_lifecycle.belief import believed
from avatar_operator.names import inference_id
from builders import model_stages
from builders.clock import NOON
from builders.objects import MODEL_UID, RUNTIME_UID, a_model, a_runtime, an_artifact
from builders.world import World

OTHER_UID = "99999999-2222-3333-4444-555555555555"
OWN = f"team-a/{MODEL_UID}"
RUNTIME = a_runtime()


def belief_in(status: AvatarModelStatus) -> Belief[AvatarModelStatus]:
    return believed(a_model(status=status), RUNTIME, NOON)


def with_training(status: AvatarModelStatus, **changes: Any) -> AvatarModelStatus:
    assert status.training is not None
    return status.model_copy(update={"training": status.training.model_copy(update=changes)})


def trained_in(storage: ModelStorage) -> AvatarModelStatus:
    return model_stages.waiting().model_copy(update={"storage": storage})


def a_record(**changes: Any) -> ModelStorage:
    record = ModelStorage(
        runtime_name="standard",
        runtime_uid=RUNTIME_UID,
        requests="s3://models/requests/",
        artifacts="s3://models/artifacts/",
    )
    return record.model_copy(update=changes)


@pytest.mark.parametrize(
    "status",
    [
        AvatarModelStatus(),
        model_stages.waiting(),
        model_stages.planned(attempt=3),
        with_training(model_stages.submitted(), sagemaker=None),
        model_stages.failed(retry_in=9),
        model_stages.hosted(revision=2),
        trained_in(a_record()),
        trained_in(a_record(runtime_uid="another", requests="s3://before/r/", artifacts="s3://before/a/")),
    ],
)
def test_what_the_operator_writes_is_believed(status: AvatarModelStatus) -> None:
    assert belief_in(status) == Belief(status)


@pytest.mark.parametrize(
    "changes",
    [
        {"target_model": f"team-a/{OTHER_UID}/r1-a1.tar.gz"},
        {"target_model": f"team-b/{MODEL_UID}/r1-a1.tar.gz"},
        {"target_model": f"{OWN}/../{OTHER_UID}/r1-a1.tar.gz"},
        {"target_model": f"{OWN}/r2-a1.tar.gz"},
        {"target_model": f"{OWN}/r1-a0.tar.gz"},
        {"target_model": f"{OWN}/r1-a1.tar.gz/"},
        {"uri": f"s3://models/artifacts/team-a/{OTHER_UID}/r1-a1.tar.gz"},
        {"uri": f"s3://theirs/{OWN}/r1-a1.tar.gz"},
        {"revision": 2},
    ],
    ids=lambda changes: next(iter(changes.values())),
)
def test_an_artifact_that_is_not_the_models_own_is_none(changes: dict[str, Any]) -> None:
    artifact = an_artifact().model_copy(update=changes)
    forged = model_stages.hosted().model_copy(update={"artifact": artifact})

    belief = belief_in(forged)

    assert (belief.status.artifact, belief.foreign) == (None, ("status.artifact",))


def test_an_artifact_of_a_runtime_that_went_before_is_the_models_own() -> None:
    artifact = an_artifact().model_copy(update={"uri": f"s3://before/a/{OWN}/r1-a1.tar.gz"})
    record = a_record(former=[FormerStorage(requests="s3://before/r/", artifacts="s3://before/a/")])
    status = model_stages.hosted().model_copy(update={"artifact": artifact, "storage": record})

    assert belief_in(status) == Belief(status)


@pytest.mark.parametrize(
    ("changes", "foreign"),
    [
        ({"runtime_name": "theirs"}, "status.storage.runtimeName"),
        ({"requests": "s3://theirs/requests/"}, "status.storage"),
        ({"artifacts": "s3://theirs/artifacts/"}, "status.storage"),
        (
            {"former": [FormerStorage(requests="s3://b/a/../", artifacts="s3://b/a/")]},
            "status.storage.former",
        ),
        ({"former": [FormerStorage(requests="no place", artifacts="s3://b/a/")]}, "status.storage.former"),
    ],
)
def test_what_a_runtime_of_today_says_itself_is_derived(changes: dict[str, Any], foreign: str) -> None:
    belief = belief_in(trained_in(a_record(**changes)))

    assert (belief.status.storage, belief.foreign) == (a_record(), (foreign,))


@pytest.mark.parametrize("place", ["s3://b/../c/", "s3://b/c", "https://b/c/", "s3://b/./"])
def test_a_former_place_that_is_no_prefix_is_none(place: str) -> None:
    record = a_record(runtime_uid="another", requests=place)

    belief = belief_in(trained_in(record))

    assert (belief.status.storage, belief.foreign) == (None, ("status.storage",))
    assert storage_of(a_model(status=belief.status), RUNTIME).requests == "s3://models/requests/"


def test_a_plan_under_another_name_is_no_plan() -> None:
    forged = with_training(model_stages.planned(attempt=4), inference_id=inference_id(OTHER_UID, 1, 4))

    belief = belief_in(forged)

    assert belief.status.training == TrainingStatus(revision=1, attempt=4)
    assert belief.foreign == ("status.training.inferenceId",)


@pytest.mark.parametrize("changes", [{"attempt": -1}, {"attempt": 9_999_999}, {"revision": 0}])
def test_an_attempt_that_nothing_can_be_named_for_is_none(changes: dict[str, int]) -> None:
    belief = belief_in(with_training(model_stages.planned(), **changes))

    assert (belief.status.training, belief.foreign) == (None, ("status.training",))


@pytest.mark.parametrize("name", ["planned_time", "submitted_time", "start_time", "completion_time"])
def test_no_time_is_so_far_ahead_that_a_deadline_never_comes(name: str) -> None:
    near = with_training(model_stages.planned(), **{name: NOON + timedelta(minutes=59)})
    far = with_training(model_stages.planned(), **{name: NOON + timedelta(days=3650)})

    assert belief_in(near) == Belief(near)
    training = belief_in(far).status.training
    assert training is not None
    assert getattr(training, name) == NOON
    assert belief_in(far).foreign == ("status.training, a time in the future",)


@pytest.mark.parametrize(
    "location",
    [
        "s3://private/diary",
        f"s3://models/out/{OWN}/{inference_id(MODEL_UID, 1, 1)}",
        f"s3://models/out/{OWN}/{inference_id(MODEL_UID, 1, 1)}/",
        f"s3://models/out/{OWN}/{inference_id(MODEL_UID, 1, 1)}/..",
        f"s3://models/../{OWN}/{inference_id(MODEL_UID, 1, 1)}/1.out",
        f"s3://models/out/{OWN}/{inference_id(MODEL_UID, 1, 2)}/1.out",
        f"s3://models/out/team-a/{OTHER_UID}/{inference_id(OTHER_UID, 1, 1)}/1.out",
    ],
)
def test_an_outcome_is_looked_for_only_where_the_attempts_own_can_lie(location: str) -> None:
    attempt = SageMakerAttempt(output_location=location, failure_location=location)
    forged = with_training(
        model_stages.submitted(), sagemaker=attempt, output_location=location, failure_location=location
    )

    belief = belief_in(forged)

    training = belief.status.training
    assert training is not None
    assert training.sagemaker == SageMakerAttempt()
    assert (training.output_location, training.failure_location) == (None, None)
    assert belief.foreign == (
        "status.training.sagemaker.outputLocation",
        "status.training.sagemaker.failureLocation",
        "status.training.outputLocation",
        "status.training.failureLocation",
    )


async def test_a_forged_artifact_is_taken_away_and_told_once(world: World) -> None:
    await world.train()
    stolen = an_artifact(uid=OTHER_UID)
    forged = world.model.status.model_copy(update={"artifact": stolen})
    world.kube.force_status(AVATAR_MODEL, "ann", forged.to_wire())

    await world.settle(AVATAR_MODEL)
    status = world.model.status
    writes = world.kube.writes["apply_status", "AvatarModel"]
    await world.settle(AVATAR_MODEL)

    assert status.artifact is None
    assert status.state == "Failed"
    for condition_type, reason in (
        ("StatusTrusted", "StatusForeign"),
        ("Hosted", "ArtifactForeign"),
        ("Ready", "ArtifactForeign"),
    ):
        condition = find_condition(status.conditions, condition_type)
        assert condition is not None
        assert (condition.status, condition.reason) == ("False", reason)
    assert world.kube.writes["apply_status", "AvatarModel"] == writes
