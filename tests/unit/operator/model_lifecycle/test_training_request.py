"""From what a user wishes and a platform team allows to the document that a worker obeys."""

import pytest

from avatar_api.documents.training import ProgressDestination, TrainingRequest
from avatar_operator.backends.attempts import AttemptReference
from avatar_operator.locations import runtime_storage
from avatar_operator.model_lifecycle.training_request import (
    BUILT_IN_SETTINGS,
    build_training_request,
    exceeded_limits,
    training_settings,
)
from avatar_operator.names import inference_id
from builders.objects import MODEL_UID, a_model, a_runtime, photos

FIRST = AttemptReference(
    "team-a", MODEL_UID, 1, 1, inference_id(MODEL_UID, 1, 1), runtime_storage(a_runtime())
)
QUEUE = ProgressDestination(queue_url="https://sqs.eu-central-1.amazonaws.com/123456789012/avatars")


def _request() -> TrainingRequest:
    return build_training_request(a_runtime(), a_model(), FIRST, photos(), QUEUE)


def test_nobody_says_anything_and_our_own_settings_hold() -> None:
    assert training_settings(a_runtime(), a_model()) == BUILT_IN_SETTINGS


def test_the_runtimes_default_goes_before_ours() -> None:
    runtime = a_runtime(spec={"defaults": {"training": {"steps": 400}}})

    assert training_settings(runtime, a_model()).steps == 400


def test_the_users_wish_goes_before_the_runtimes_default() -> None:
    runtime = a_runtime(spec={"defaults": {"training": {"steps": 400, "rank": 8}}})

    settings = training_settings(runtime, a_model(spec={"training": {"steps": 500}}))

    assert (settings.steps, settings.rank) == (500, 8)


def test_prior_preservation_is_completed_field_by_field() -> None:
    runtime = a_runtime(spec={"defaults": {"training": {"priorPreservation": {"weight": "0.5"}}}})
    model = a_model(spec={"training": {"priorPreservation": {"numClassImages": 7}}})

    settings = training_settings(runtime, model)

    assert settings.prior_preservation.weight == 0.5
    assert settings.prior_preservation.num_class_images == 7


@pytest.mark.parametrize(
    ("wish", "field", "value"),
    [
        ({"seed": 0}, "seed", 0),
        ({"learningRate": "0.0005"}, "learning_rate", 0.0005),
        ({"textEncoder": "Train"}, "text_encoder", "Train"),
    ],
)
def test_a_wish_becomes_a_setting(wish: dict[str, object], field: str, value: object) -> None:
    assert getattr(training_settings(a_runtime(), a_model(spec={"training": wish})), field) == value


def test_our_own_settings_are_within_the_default_limits() -> None:
    assert exceeded_limits(a_runtime(), a_model()) == []


def test_a_wish_at_its_limit_is_within_it() -> None:
    training = {"steps": 2000, "rank": 64, "batchSize": 8, "resolution": 1024}
    deadlines = {"queueDeadlineSeconds": 21600, "activeDeadlineSeconds": 7200}

    assert exceeded_limits(a_runtime(), a_model(spec={"training": training, **deadlines})) == []


def test_every_place_of_an_attempt_is_its_own() -> None:
    request = _request()

    directory = f"team-a/{MODEL_UID}/r1-a1"
    assert request.claim_uri == f"s3://models/requests/{directory}/claim.json"
    assert request.artifact.uri == f"s3://models/artifacts/{directory}.tar.gz"
    assert request.artifact.manifest_uri == f"s3://models/artifacts/{directory}.manifest.json"
    assert request.artifact.target_model == f"{directory}.tar.gz"


def test_the_base_model_is_that_of_the_runtime() -> None:
    assert _request().base_model.model_dump() == a_runtime().spec.base_model.model_dump()


def test_progress_goes_where_the_backend_listens() -> None:
    assert _request().progress == QUEUE


def test_the_document_survives_its_journey() -> None:
    request = _request()

    assert TrainingRequest.model_validate_json(request.model_dump_json(by_alias=True)) == request
    assert TrainingRequest.model_validate(request.to_wire()) == request
