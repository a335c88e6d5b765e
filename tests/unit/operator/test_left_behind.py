"""What stays when an object goes: handed over to its runtime."""

from datetime import timedelta

from avatar_api.avatar_model import MAX_FORMER_STORAGES, AvatarModelStatus, FormerStorage, ModelStorage
from avatar_api.avatar_runtime import AvatarRuntimeStatus
from avatar_api.training_status import SageMakerAttempt, TrainingStatus
from avatar_operator.left_behind.entries import directories_of, left_by_model, left_by_request
from avatar_operator.left_behind.register import LeftBehindRegister
from builders.clock import NOON
from builders.objects import MODEL_UID, REQUEST_UID, a_model, a_request, a_runtime

RUNTIME = a_runtime()
OWN = f"team-a/{MODEL_UID}/"
DOCUMENTS = [
    f"s3://models/requests/{OWN}",
    f"s3://models/requests/output/{OWN}",
    f"s3://models/requests/failure/{OWN}",
]


def test_a_model_leaves_every_directory_that_was_to_go_with_it() -> None:
    entry = left_by_model(RUNTIME, a_model(), NOON)

    assert entry.locations == [*DOCUMENTS, f"s3://models/artifacts/{OWN}"]
    assert (entry.kind, entry.namespace, entry.name, entry.uid) == ("AvatarModel", "team-a", "ann", MODEL_UID)
    assert (entry.since, entry.tries) == (NOON, 0)


def test_artifacts_that_shall_stay_are_named_apart_unless_they_are_marked() -> None:
    marked = AvatarModelStatus(retained_time=NOON)
    unmarked_entry, entry = (
        left_by_model(RUNTIME, a_model(spec={"deletionPolicy": "Retain"}, status=status), NOON)
        for status in (None, marked)
    )

    assert unmarked_entry.locations == entry.locations == DOCUMENTS
    assert (unmarked_entry.retained, entry.retained) == ([f"s3://models/artifacts/{OWN}"], [])


def test_pictures_that_shall_stay_are_named_where_no_version_removes_them() -> None:
    entry = left_by_request(RUNTIME, a_request(spec={"deletionPolicy": "Retain"}), NOON)

    assert (entry.locations, entry.retained) == ([], [f"s3://pictures/team-a/{REQUEST_UID}/"])


def test_a_model_that_has_moved_as_often_as_it_may_leaves_no_more_places_than_an_entry_can_name() -> None:
    storage = ModelStorage(
        runtime_name="standard",
        runtime_uid="1",
        requests="s3://new/requests/",
        artifacts="s3://new/artifacts/",
        former=[
            FormerStorage(requests=f"s3://{number}/requests/", artifacts=f"s3://{number}/artifacts/")
            for number in range(MAX_FORMER_STORAGES)
        ],
    )
    entries = [
        left_by_model(
            RUNTIME, a_model(spec={"deletionPolicy": policy}, status=AvatarModelStatus(storage=storage)), NOON
        )
        for policy in ("Delete", "Retain")
    ]

    assert [len(entry.locations) for entry in entries] == [16, 12]
    assert [len(entry.retained) for entry in entries] == [0, 4]


def test_outcomes_at_an_endpoint_of_somebody_else_are_found_by_the_attempts_record() -> None:
    sagemaker = SageMakerAttempt(
        output_location=f"s3://theirs/out/{OWN}avm-1/x.out", failure_location="s3://theirs/failed/x.out"
    )
    training = TrainingStatus(revision=1, attempt=1, sagemaker=sagemaker)
    model = a_model(status=AvatarModelStatus(training=training))

    assert f"s3://theirs/out/{OWN}" in left_by_model(RUNTIME, model, NOON).locations
    assert not any("failed" in location for location in left_by_model(RUNTIME, model, NOON).locations)


def test_outcomes_may_lie_as_deep_as_an_endpoint_may_put_them() -> None:
    place = f"s3://theirs/{'p' * 1000}/{OWN}"
    training = TrainingStatus(
        revision=1, attempt=1, sagemaker=SageMakerAttempt(output_location=f"{place}avm-1/x.out")
    )

    assert (
        place in left_by_model(RUNTIME, a_model(status=AvatarModelStatus(training=training)), NOON).locations
    )


def test_a_request_leaves_the_directory_of_its_pictures() -> None:
    entry = left_by_request(RUNTIME, a_request(), NOON)

    (directory,) = directories_of(entry, entry.locations)
    assert directory.location == f"s3://pictures/team-a/{REQUEST_UID}/"
    assert (directory.kind, directory.uid) == ("AvatarRequest", REQUEST_UID)


def test_an_entry_of_a_kind_that_a_newer_version_knows_is_left_alone() -> None:
    entry = left_by_request(RUNTIME, a_request(), NOON).model_copy(update={"kind": "AvatarAlbum"})

    assert directories_of(entry, entry.locations) == []


def test_asking_a_runtime_again_does_not_begin_anew() -> None:
    register = LeftBehindRegister(lambda _: None)
    assert register.asked_since("standard", MODEL_UID) is None

    for instant in (NOON, NOON + timedelta(hours=1)):
        register.hand_over("standard", left_by_model(RUNTIME, a_model(), instant))

    assert register.asked_since("standard", MODEL_UID) == NOON
    assert register.asked_since("another", MODEL_UID) is None


def test_an_entry_waits_until_it_is_written_and_its_runtime_is_called_for_it() -> None:
    called: list[str] = []
    register = LeftBehindRegister(called.append)
    of_model, of_request = (
        left_by_model(RUNTIME, a_model(), NOON),
        left_by_request(RUNTIME, a_request(), NOON),
    )
    register.hand_over("standard", of_model)
    register.hand_over("standard", of_request)
    register.hand_over("standard", of_request)

    assert called == ["standard"] * 3
    assert register.waiting("standard") == (of_model, of_request)
    register.written("standard", AvatarRuntimeStatus(left_behind=[of_model]))
    assert register.waiting("standard") == (of_request,)
    assert register.waiting("other") == ()
