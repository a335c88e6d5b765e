"""Where everything lies, and whose it is: one shape of keys, read in both directions."""

import uuid
from dataclasses import astuple, replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import ValidationError

from avatar_api.avatar_model import AvatarModelStatus, FormerStorage, ModelStorage
from avatar_api.avatar_request import AvatarRequestStatus, RequestOutput, ResolvedModel
from avatar_api.documents.inference import PictureRequest
from avatar_operator.backends.sagemaker.drawing import inference_request
from avatar_operator.left_behind.entries import left_by_request
from avatar_operator.locations import (
    OwnedDirectory,
    StorageLocations,
    artifact_directories,
    attempt_directory,
    attempt_locations,
    outcome_directory,
    outcome_extension,
    owner_of,
    picture_prefix,
    place_in_namespace,
    runtime_storage,
    storage_of,
    storages_of,
)
from avatar_operator.model_lifecycle.observation import attempt_reference
from avatar_operator.model_lifecycle.training_request import build_training_request
from avatar_operator.names import inference_id
from avatar_operator.request_lifecycle.pictures import draw_call, wanted_pictures
from builders import model_stages
from builders.clock import NOON
from builders.objects import MODEL_UID, REQUEST_UID, RUNTIME_UID, a_model, a_request, a_runtime, photos

STORAGE = StorageLocations("s3://models/requests/", "s3://models/artifacts/", "s3://pictures/")
NESTED = StorageLocations("s3://all/", "s3://all/artifacts/", "s3://all/outputs/")
SAME = StorageLocations("s3://all/", "s3://all/", "s3://all/")
UIDS = st.uuids().map(str)
NAMESPACES = st.from_regex(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", fullmatch=True) | UIDS
NUMBERS = st.integers(1, 9_999_999)
SOME_PICTURE = PictureRequest(prompt="x", seed=7, prompt_index=3, image_index=1)


def test_everything_of_a_tenant_lies_below_its_namespace_and_uid() -> None:
    locations = attempt_locations(STORAGE, "team-a", MODEL_UID, 2, 3)

    assert attempt_directory("team-a", MODEL_UID, 2, 3) == f"team-a/{MODEL_UID}/r2-a3"
    assert locations.request == f"s3://models/requests/team-a/{MODEL_UID}/r2-a3/request.json"
    assert locations.claim == f"s3://models/requests/team-a/{MODEL_UID}/r2-a3/claim.json"
    assert locations.artifact == f"s3://models/artifacts/team-a/{MODEL_UID}/r2-a3.tar.gz"
    assert locations.manifest == f"s3://models/artifacts/team-a/{MODEL_UID}/r2-a3.manifest.json"
    assert locations.target_model == f"team-a/{MODEL_UID}/r2-a3.tar.gz"


@given(UIDS, NUMBERS, NUMBERS)
def test_different_attempts_have_different_places(uid: str, revision: int, attempt: int) -> None:
    other = str(uuid.UUID(int=uuid.UUID(uid).int ^ 1))
    attempts = {
        (uid, revision, attempt),
        (uid, revision, attempt + 1),
        (uid, attempt + 1, revision),
        (other, revision, attempt),
    }

    places = [place for each in attempts for place in astuple(attempt_locations(STORAGE, "team-a", *each))]
    assert len(set(places)) == len(places)


def recorded(requests: str, artifacts: str, *, runtime_uid: str = "the one before") -> AvatarModelStatus:
    storage = ModelStorage(
        runtime_name="standard", runtime_uid=runtime_uid, requests=requests, artifacts=artifacts
    )
    return AvatarModelStatus(storage=storage)


def test_a_model_without_a_record_lies_where_its_runtime_says() -> None:
    assert storage_of(a_model(), a_runtime()) == runtime_storage(a_runtime()) == STORAGE


def test_a_model_stays_where_its_first_attempt_was_planned() -> None:
    model = a_model(status=recorded("s3://old/requests/", "s3://old/artifacts/"))

    assert storage_of(model, a_runtime()) == StorageLocations(
        "s3://old/requests/", "s3://old/artifacts/", "s3://pictures/"
    )


def test_where_a_runtime_of_today_stores_things_is_derived_whatever_a_status_says() -> None:
    forged = recorded("s3://theirs/requests/", "s3://theirs/artifacts/", runtime_uid=RUNTIME_UID)

    assert storage_of(a_model(status=forged), a_runtime()) == STORAGE


def test_what_earlier_runtimes_stored_lies_where_it_was() -> None:
    status = recorded("s3://new/requests/", "s3://new/artifacts/")
    assert status.storage is not None
    former = [FormerStorage(requests="s3://old/requests/", artifacts="s3://old/artifacts/")]
    moved = status.model_copy(update={"storage": status.storage.model_copy(update={"former": former})})

    assert storages_of(a_model(status=moved), a_runtime()) == (
        StorageLocations("s3://new/requests/", "s3://new/artifacts/", "s3://pictures/"),
        StorageLocations("s3://old/requests/", "s3://old/artifacts/", "s3://pictures/"),
    )
    assert [each.location for each in artifact_directories(a_runtime(), a_model(status=moved))] == [
        f"s3://new/artifacts/team-a/{MODEL_UID}/",
        f"s3://old/artifacts/team-a/{MODEL_UID}/",
    ]


@pytest.mark.parametrize(
    ("output", "prefix"),
    [
        (None, f"s3://pictures/team-a/{REQUEST_UID}/"),
        ({"prefix": "s3://albums/team-a/"}, f"s3://albums/team-a/{REQUEST_UID}/"),
    ],
)
def test_pictures_go_to_a_directory_of_the_requests_own(output: object, prefix: str) -> None:
    assert picture_prefix(a_runtime(), a_request(spec={"output": output})) == prefix


@pytest.mark.parametrize("path", ["s3://theirs/out", "s3://theirs/out/"])
def test_an_endpoints_path_need_not_end_with_a_slash(path: str) -> None:
    assert outcome_directory(path, a_model()) == f"s3://theirs/out/team-a/{MODEL_UID}/"


def test_pictures_stay_where_the_request_has_begun_to_draw() -> None:
    status = AvatarRequestStatus(storage_prefix=f"s3://old/team-a/{REQUEST_UID}/")

    assert picture_prefix(a_runtime(), a_request(status=status)) == f"s3://old/team-a/{REQUEST_UID}/"


@pytest.mark.parametrize(
    "prefix", ["s3://pictures/", "s3://pictures/team-a/", f"s3://pictures/x{REQUEST_UID}/"]
)
def test_a_recorded_directory_that_is_not_the_requests_own_is_not_believed(prefix: str) -> None:
    request = a_request(status=AvatarRequestStatus(storage_prefix=prefix))

    assert picture_prefix(a_runtime(), request) == f"s3://pictures/team-a/{REQUEST_UID}/"


def test_below_the_longest_prefixes_that_anybody_may_choose_every_document_can_be_written() -> None:
    home = f"s3://avatars/{'p' * 754}/"
    runtime = a_runtime(spec={"storage": {"requests": home, "artifacts": home, "outputs": home}})
    request = a_request(spec={"output": {"prefix": home}})
    status = model_stages.planned()
    assert status.training is not None
    training = status.training.model_copy(update={"revision": 1_000_000, "attempt": 9_999_999})
    model = a_model(status=status.model_copy(update={"training": training}))
    reference = replace(attempt_reference(runtime, model, training), namespace="n" * 63)

    with pytest.raises(ValidationError, match="at most 768"):
        RequestOutput(prefix=f"{home}x/")
    document = build_training_request(runtime, model, reference, photos(), None)
    pinned = ResolvedModel(
        name="ann",
        uid=MODEL_UID,
        revision=1,
        target_model=document.artifact.target_model,
        uri=document.artifact.uri,
        sha256="d" * 64,
    )
    call = inference_request(draw_call(runtime, request, pinned, wanted_pictures(request)[:1]))

    assert document.artifact.manifest_uri.startswith(home)
    assert call.output_prefix == f"{home}{REQUEST_UID}/"
    assert left_by_request(runtime, request, NOON).locations == [call.output_prefix]


@given(st.sampled_from([STORAGE, NESTED, SAME]), NAMESPACES, UIDS, NUMBERS, NUMBERS)
def test_what_a_model_stores_leads_back_to_it_however_prefixes_lie(
    storage: StorageLocations, namespace: str, uid: str, revision: int, attempt: int
) -> None:
    locations = attempt_locations(storage, namespace, uid, revision, attempt)
    outcome = f"{outcome_extension(namespace, uid, inference_id(uid, revision, attempt))}/1.out"
    stored = {
        locations.request: storage.requests,
        locations.claim: storage.requests,
        locations.credentials: storage.requests,
        locations.artifact: storage.artifacts,
        locations.manifest: storage.artifacts,
        f"{storage.training_output}{outcome}": storage.training_output,
        f"{storage.training_failure}{outcome}": storage.training_failure,
    }

    for uri, prefix in stored.items():
        directory = f"{prefix}{namespace}/{uid}/"
        assert owner_of(storage, uri) == OwnedDirectory(namespace, uid, "AvatarModel", directory)


@given(st.sampled_from([STORAGE, NESTED, SAME]), NAMESPACES, UIDS)
def test_what_a_request_draws_leads_back_to_it_however_prefixes_lie(
    storage: StorageLocations, namespace: str, uid: str
) -> None:
    directory = f"{storage.outputs}{namespace}/{uid}/"

    owner = owner_of(storage, f"{directory}{SOME_PICTURE.file_name()}")

    assert owner == OwnedDirectory(namespace, uid, "AvatarRequest", directory)


@pytest.mark.parametrize(
    "uri",
    [
        "s3://elsewhere/x",
        "s3://pictures/",
        "s3://pictures/readme.txt",
        "s3://pictures/team-a/holiday/00-00-1.png",
        f"s3://pictures/team-a/{MODEL_UID}/notes.txt",
        f"s3://pictures/team-a/{MODEL_UID}/deeper/00-00-1.png",
        f"s3://pictures/team-a/{MODEL_UID.upper()}x/00-00-1.png",
        f"s3://models/artifacts/team-a/{MODEL_UID}",
        f"s3://models/artifacts/team-a/{MODEL_UID}/base.tar.gz",
        f"s3://models/artifacts/deep/team-a/{MODEL_UID}/r1-a1.tar.gz",
        f"s3://models/requests/team-a/{MODEL_UID}/r1-a1/photo.png",
        f"s3://models/requests/output/team-a/{MODEL_UID}/avm-other/1.out",
    ],
)
def test_what_we_do_not_make_has_no_owner(uri: str) -> None:
    assert owner_of(STORAGE, uri) is None


@given(NAMESPACES, NAMESPACES, UIDS, UIDS, NUMBERS)
def test_nothing_of_others_lies_in_the_directories_of_a_namespace_that_is_not_reserved(
    mine: str, other: str, uid: str, other_uid: str, number: int
) -> None:
    assume(mine != other and place_in_namespace(STORAGE, a_runtime(), mine, "AvatarModel") is None)
    theirs = astuple(attempt_locations(STORAGE, other, other_uid, number, number))
    outcome = f"{STORAGE.training_output}{outcome_extension(other, other_uid, 'x')}/1.out"

    for home in (STORAGE.requests, STORAGE.artifacts):
        assert not any(place.startswith(f"{home}{mine}/") for place in (*theirs, outcome))


@pytest.mark.parametrize("namespace", ["output", "failure", "artifacts", "base", "pictures"])
def test_each_place_of_the_runtimes_own_reserves_a_name_where_prefixes_lie_in_each_other(
    namespace: str,
) -> None:
    storage = StorageLocations("s3://models/", "s3://models/artifacts/", "s3://models/pictures/")

    assert place_in_namespace(storage, a_runtime(), namespace, "AvatarModel") == f"s3://models/{namespace}/"
    assert place_in_namespace(storage, a_runtime(), namespace, "AvatarRequest") is None
