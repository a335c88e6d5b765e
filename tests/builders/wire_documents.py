"""One good document of each kind as it goes over the wire, and what somebody who means ill may make of it."""

import copy
import json
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st
from pydantic import BaseModel

from avatar_api.documents.artifact import WEIGHTS_NAME, ArtifactFile, ArtifactManifest
from avatar_api.documents.credentials import AttemptCredentials, SessionCredentials
from avatar_api.documents.errors import WorkerError
from avatar_api.documents.inference import (
    InferenceRequest,
    InferenceResult,
    PictureRequest,
    PictureResult,
)
from avatar_api.documents.photos import PhotoVerdict
from avatar_api.documents.training import (
    ProgressDestination,
    TrainingClaim,
    TrainingRequest,
)
from avatar_operator.model_lifecycle.observation import attempt_reference
from avatar_operator.model_lifecycle.training_request import build_training_request
from avatar_operator.names import inference_id
from builders import model_stages
from builders.backend import a_success
from builders.clock import NOON
from builders.objects import MODEL_UID, a_model, a_runtime, photos
from builders.observations import a_progress_message

Wire = dict[str, Any]
Path = tuple[str | int, ...]


def _training_request() -> TrainingRequest:
    runtime, model = a_runtime(), a_model(status=model_stages.planned())
    assert model.status.training is not None
    attempt = attempt_reference(runtime, model, model.status.training)
    queue = ProgressDestination(queue_url="https://sqs.us-east-1.amazonaws.com/123456789012/avatars")
    return build_training_request(runtime, model, attempt, photos(), queue)


def _manifest(request: TrainingRequest) -> ArtifactManifest:
    return ArtifactManifest(
        model=request.model,
        revision=request.revision,
        attempt=request.attempt,
        inference_id=request.inference_id,
        base_model=request.base_model,
        subject=request.subject,
        training=request.training,
        photo_count=len(request.photos),
        files=[ArtifactFile(path=WEIGHTS_NAME, sha256="d" * 64, size_bytes=3_000_000)],
        created_at=NOON,
        worker_version="0.1.0",
    )


A_SESSION = SessionCredentials(
    access_key_id="ASIAIOSFODNN7EXAMPLE",
    secret_access_key="wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    session_token="IQoJb3JpZ2luX2VjEXAMPLE",
    expiration=NOON,
)


def _pictures() -> tuple[InferenceRequest, InferenceResult]:
    picture = PictureRequest(prompt="a photo of sks person", seed=7, prompt_index=0, image_index=0)
    prefix = "s3://models/outputs/team-a/portraits/"
    request = InferenceRequest(
        pictures=[picture],
        num_inference_steps=25,
        guidance_scale=7.5,
        width=512,
        height=512,
        scheduler="DDIM",
        output_prefix=prefix,
        weights_sha256="d" * 64,
        credentials=A_SESSION,
    )
    drawn = PictureResult(
        uri=f"{prefix}{picture.file_name()}", prompt_index=0, image_index=0, seed=7, sha256="c" * 64
    )
    return request, InferenceResult(pictures=[drawn], generate_seconds=1.5)


def _wire_documents() -> dict[type[BaseModel], Wire]:
    request = _training_request()
    blurred = PhotoVerdict(uri="s3://photos/team-a/ann/00.jpg", rejection="Blurred", message="out of focus")
    documents = (
        request,
        _manifest(request),
        *_pictures(),
        a_success(inference_id(MODEL_UID, 1, 1), rejected=1).result,
        a_progress_message("Training", 40, remaining=60),
        AttemptCredentials(inference_id=request.inference_id, credentials=A_SESSION),
        TrainingClaim(inference_id=request.inference_id, holder="Worker", time=NOON),
        WorkerError(code="TooFewUsablePhotos", message="1 of 12", retryable=False, photos=[blurred]),
    )
    return {type(document): document.to_wire() for document in documents}


WIRE_DOCUMENTS = _wire_documents()
"""By type, as this version writes it."""

_JSON_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=5,
)
_FORGERIES: st.SearchStrategy[Any] = st.sampled_from(
    [
        *(-1, 0, 2**31 - 1, 2**31, 2**63, 10**30, 1e300, float("nan"), float("inf"), True),
        *("", "x" * 5000, "7", "\ud800", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00"),
        *([], [None] * 2000, {}, [[[[[]]]]]),
    ]
)


def paths(value: Any, here: Path = ()) -> Iterator[Path]:
    """The place of every member of a document, however deep."""
    members: Any = ()
    if isinstance(value, dict):
        members = value.items()
    elif isinstance(value, list):
        members = enumerate(value)
    for name, member in members:
        yield (*here, name)
        yield from paths(member, (*here, name))


def replaced(document: Wire, path: Path, value: Any) -> Wire:
    """The document with another value in one place; a place that is gone by now is left alone."""
    forged = copy.deepcopy(document)
    holder: Any = forged
    for part in path[:-1]:
        try:
            holder = holder[part]
        except (KeyError, IndexError, TypeError):
            return forged
    if isinstance(holder, dict) or (isinstance(holder, list) and isinstance(path[-1], int)):
        _put(holder, path[-1], value)
    return forged


def _put(holder: Any, place: str | int, value: Any) -> None:
    if isinstance(holder, list) and isinstance(place, int) and place >= len(holder):
        return
    holder[place] = value


@st.composite
def mutated(draw: st.DrawFn, document: type[BaseModel]) -> str:
    """A good document with up to three places forged, as text; once in a while a member stands twice."""
    wire = WIRE_DOCUMENTS[document]
    places = st.sampled_from(sorted(paths(wire), key=str))
    for path in draw(st.lists(places, max_size=3)):
        wire = replaced(wire, path, draw(_FORGERIES | _JSON_VALUES))
    text = json.dumps(wire)
    if draw(st.booleans()) and draw(st.booleans()):
        name = draw(st.sampled_from(sorted(wire)))
        text = f"{text[:-1]}, {json.dumps(name)}: {json.dumps(draw(_FORGERIES))}}}"
    return text
