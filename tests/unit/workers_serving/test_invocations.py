"""Drawing over HTTP: where pictures go, what they say, and what is refused."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import io
import json
import shutil
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from avatar_api.documents.artifact import MANIFEST_NAME, WEIGHTS_NAME
from avatar_api.documents.errors import HTTP_STATUS, WorkerError
from avatar_api.documents.inference import InferenceRequest, InferenceResult
from builders.aws_stub import Answer, aws_stub
from builders.wire_documents import WIRE_DOCUMENTS

BUCKET = "pictures"
PREFIX = f"s3://{BUCKET}/team-a/request-1/"
TARGET_MODEL = "X-Amzn-SageMaker-Target-Model"

Document = Callable[..., dict[str, Any]]


def png_of(result: dict[str, Any], index: int = 0) -> Image.Image:
    picture = Image.open(io.BytesIO(base64.b64decode(result["pictures"][index]["pngBase64"])))
    picture.load()
    return picture


async def test_pictures_without_a_prefix_come_inline_in_order_with_their_checksum(
    running: Any, request_document: Document
) -> None:
    answer = await running.http.post("/invocations", json=request_document(3))
    result = InferenceResult.model_validate_json(answer.content)

    assert [picture.prompt_index for picture in result.pictures] == [0, 1, 2]
    assert [picture.seed for picture in result.pictures] == [7, 8, 9]
    for picture in result.pictures:
        assert picture.uri is None
        assert hashlib.sha256(base64.b64decode(picture.png_base64 or "")).hexdigest() == picture.sha256


async def test_pictures_with_a_prefix_go_to_s3_under_the_name_that_says_what_made_them(
    running: Any, s3: Any, request_document: Document
) -> None:
    answer = await running.http.post("/invocations", json=request_document(2, outputPrefix=PREFIX))
    result = InferenceResult.model_validate_json(answer.content)

    assert [picture.uri for picture in result.pictures] == [f"{PREFIX}00-00-7.png", f"{PREFIX}01-00-8.png"]
    assert all(picture.png_base64 is None for picture in result.pictures)
    stored = s3.get_object(Bucket=BUCKET, Key="team-a/request-1/01-00-8.png", ChecksumMode="ENABLED")
    content = stored["Body"].read()
    assert hashlib.sha256(content).hexdigest() == result.pictures[1].sha256
    assert base64.b64decode(stored["ChecksumSHA256"]).hex() == result.pictures[1].sha256
    assert stored["ContentType"] == "image/png"
    assert {key: stored["Metadata"][key] for key in ("seed", "prompt-index", "image-index")} == {
        "seed": "8",
        "prompt-index": "1",
        "image-index": "0",
    }
    assert Image.open(io.BytesIO(content)).size == (64, 64)


async def test_pictures_are_stored_with_the_credentials_that_came_with_the_request(
    running: Any, request_document: Document, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = WIRE_DOCUMENTS[InferenceRequest]["credentials"] | {"expiration": "2999-01-01T00:00:00Z"}
    with aws_stub(lambda _: Answer(200)) as stub:
        monkeypatch.setenv("AWS_ENDPOINT_URL", stub.url)
        answer = await running.http.post(
            "/invocations", json=request_document(outputPrefix=PREFIX, credentials=session)
        )

    assert answer.status_code == 200
    assert [(call.method, call.access_key) for call in stub.calls] == [("PUT", session["accessKeyId"])]
    assert session["secretAccessKey"] not in answer.text


async def test_credentials_that_are_none_are_refused_without_being_quoted(
    running: Any, request_document: Document
) -> None:
    session = WIRE_DOCUMENTS[InferenceRequest]["credentials"] | {"sessionToken": "secret" * 2000}
    answer = await running.http.post("/invocations", json=request_document(credentials=session))

    assert (answer.status_code, answer.json()["code"]) == (400, "InvalidRequest")
    assert "sessionToken" in answer.text
    assert "secretsecret" not in answer.text


async def test_a_picture_that_an_earlier_try_stored_stays_and_the_result_tells_its_checksum(
    running: Any, s3: Any, request_document: Document
) -> None:
    s3.put_object(Bucket=BUCKET, Key="team-a/request-1/00-00-7.png", Body=b"drawn before")

    answer = await running.http.post("/invocations", json=request_document(outputPrefix=PREFIX))

    assert answer.json()["pictures"][0]["sha256"] == hashlib.sha256(b"drawn before").hexdigest()
    stored = s3.get_object(Bucket=BUCKET, Key="team-a/request-1/00-00-7.png")
    assert stored["Body"].read() == b"drawn before"


async def test_what_was_promised_is_drawn(
    running: Any, write_artifact: Any, request_document: Document
) -> None:
    directory = write_artifact("uid-1")
    await running.load(directory)
    promised = hashlib.sha256((directory / WEIGHTS_NAME).read_bytes()).hexdigest()

    answer = await running.http.post(
        "/models/uid-1/invoke", json=request_document(weightsSha256=promised, outputPrefix=PREFIX)
    )

    assert answer.status_code == 200


async def test_another_artifact_than_the_one_that_was_verified_draws_nothing(
    running: Any, write_artifact: Any, request_document: Document, s3: Any
) -> None:
    ann, bob = write_artifact("uid-1"), write_artifact("uid-2")
    promised = hashlib.sha256((ann / WEIGHTS_NAME).read_bytes()).hexdigest()
    # Everything about the archive is sound, and its manifest says that it is ann's.
    shutil.copy(bob / WEIGHTS_NAME, ann / WEIGHTS_NAME)
    manifest = json.loads((bob / MANIFEST_NAME).read_text())
    manifest["model"]["uid"] = "uid-1"
    (ann / MANIFEST_NAME).write_text(json.dumps(manifest))
    assert (await running.load(ann)).status_code == 200

    answer = await running.http.post(
        "/models/uid-1/invoke",
        json=request_document(weightsSha256=promised, outputPrefix=PREFIX),
        headers={TARGET_MODEL: "team-a/uid-1/r2-a1.tar.gz"},
    )

    refusal = WorkerError.model_validate_json(answer.content)
    assert (answer.status_code, refusal.code, refusal.retryable) == (412, "ArtifactChanged", False)
    assert promised in refusal.message
    assert "Contents" not in s3.list_objects_v2(Bucket=BUCKET)


async def test_whoever_promises_nothing_is_drawn_for_as_before(
    running: Any, write_artifact: Any, request_document: Document
) -> None:
    await running.load(write_artifact("uid-1"))

    answer = await running.http.post("/models/uid-1/invoke", json=request_document())

    assert answer.status_code == 200


async def test_the_base_has_no_weights_that_could_be_promised(
    running: Any, request_document: Document
) -> None:
    answer = await running.http.post("/invocations", json=request_document(weightsSha256="d" * 64))

    assert (answer.status_code, answer.json()["code"]) == (400, "ModelNameMismatch")


async def test_several_batches_draw_what_one_batch_draws(
    run_container: Any, request_document: Document
) -> None:
    async with run_container(max_batch_pixels=2 * 64 * 64) as small:
        in_batches = (await small.http.post("/invocations", json=request_document(5))).json()
    async with run_container() as large:
        at_once = (await large.http.post("/invocations", json=request_document(5))).json()

    for index in range(5):
        assert in_batches["pictures"][index]["seed"] == at_once["pictures"][index]["seed"]
        pixels = zip(png_of(in_batches, index).tobytes(), png_of(at_once, index).tobytes(), strict=True)
        assert max(abs(a - b) for a, b in pixels) <= 1


async def test_a_picture_says_that_a_machine_made_it_and_nothing_of_the_user(
    running: Any, write_artifact: Any, request_document: Document
) -> None:
    await running.load(write_artifact("uid-of-ann"))
    document = request_document()
    document["pictures"][0]["prompt"] = "a secret wish"

    result = (await running.http.post("/models/uid-of-ann/invoke", json=document)).json()
    png = base64.b64decode(result["pictures"][0]["pngBase64"])
    text = png_of(result).text  # type: ignore[attr-defined]

    assert text["Software"].startswith("Avatar Operator ")
    assert text["DigitalSourceType"].endswith("/trainedAlgorithmicMedia")
    assert "Iptc4xmpExt:DigitalSourceType" in text["XML:com.adobe.xmp"]
    for private in (b"secret", b"ann", b"team-a"):
        assert private not in png


async def test_the_model_in_the_url_draws(
    running: Any, write_artifact: Any, request_document: Document
) -> None:
    for uid in ("uid-1", "uid-2"):
        await running.load(write_artifact(uid))

    answers = [
        await running.http.post(path, json=request_document())
        for path in ("/invocations", "/models/uid-1/invoke", "/models/uid-2/invoke")
    ]

    assert len({answer.json()["pictures"][0]["sha256"] for answer in answers}) == 3


async def test_the_target_model_header_must_name_the_artifact_that_is_loaded(
    running: Any, write_artifact: Any, request_document: Document
) -> None:
    await running.load(write_artifact("uid-1"), "hash1")
    await running.load(write_artifact("uid-2"), "hash2")

    async def invoke(target_model: str) -> Any:
        return await running.http.post(
            "/models/hash1/invoke", json=request_document(), headers={TARGET_MODEL: target_model}
        )

    assert (await invoke("team-a/uid-1/r2-a1.tar.gz")).status_code == 200
    assert (await invoke("/team-a/uid-1/r2-a1.tar.gz")).status_code == 200
    for wrong in (
        "team-a/uid-2/r2-a1.tar.gz",
        "team-a/uid-1/r3-a1.tar.gz",
        "team-b/uid-1/r2-a1.tar.gz",
        "hash1",
    ):
        answer = await invoke(wrong)
        assert (answer.status_code, answer.json()["code"]) == (400, "ModelNameMismatch")


async def test_the_base_does_not_draw_for_somebody_who_named_a_personal_model(
    running: Any, request_document: Document
) -> None:
    answer = await running.http.post(
        "/invocations", json=request_document(), headers={TARGET_MODEL: "team-a/uid-1/r2-a1.tar.gz"}
    )

    assert (answer.status_code, answer.json()["code"]) == (400, "ModelNameMismatch")


async def test_a_model_that_is_not_loaded_answers_404(running: Any, request_document: Document) -> None:
    answer = await running.http.post("/models/nobody/invoke", json=request_document())

    assert (answer.status_code, answer.json()["code"]) == (404, "ModelNotFound")


@pytest.mark.parametrize(
    ("overrides", "status", "problem"),
    [
        ({"width": 2048, "height": 1024}, 413, "AVATAR_MAX_PICTURE_PIXELS"),
        ({"width": 65}, 400, "width"),
        ({"height": 0}, 400, "height"),
        ({"numInferenceSteps": 151}, 400, "numInferenceSteps"),
        ({"guidanceScale": 50.1}, 400, "guidanceScale"),
        ({"guidanceScale": None}, 400, "guidanceScale"),
        ({"scheduler": "PNDM"}, 400, "scheduler"),
        ({"outputPrefix": "s3://bucket/no-slash"}, 400, "outputPrefix"),
        ({"outputPrefix": "file:///pictures/"}, 400, "outputPrefix"),
        ({"pictures": []}, 400, "pictures"),
        ({"schemaVersion": "avatars.dev/inference-request/v9"}, 400, "schemaVersion"),
    ],
)
async def test_a_request_outside_the_limits_is_refused_with_the_field_that_is_wrong(
    running: Any, request_document: Document, overrides: dict[str, Any], status: int, problem: str
) -> None:
    answer = await running.http.post("/invocations", json=request_document(**overrides))

    assert answer.status_code == status
    assert problem in answer.json()["message"]


async def test_two_pictures_of_one_name_are_refused(running: Any, request_document: Document) -> None:
    document = request_document()
    document["pictures"] *= 2

    answer = await running.http.post("/invocations", json=document)

    assert (answer.status_code, answer.json()["code"]) == (400, "InvalidRequest")


async def test_a_body_beyond_six_mebibytes_is_refused(running: Any) -> None:
    answer = await running.http.post("/invocations", content=b" " * (6 * 1024 * 1024 + 1))

    assert (answer.status_code, answer.json()["code"]) == (400, "InvalidRequest")


async def test_pictures_that_do_not_fit_into_an_answer_are_refused(
    running: Any, request_document: Document, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("avatar_workers.serving.pictures.MAX_INLINE_BYTES", 30_000)

    one = await running.http.post("/invocations", json=request_document(1))
    many = await running.http.post("/invocations", json=request_document(8))

    assert one.status_code == 200
    assert (many.status_code, many.json()["code"]) == (413, "PictureTooLarge")
    assert "outputPrefix" in many.json()["message"]


async def test_a_missing_bucket_is_the_callers_fault(running: Any, request_document: Document) -> None:
    answer = await running.http.post(
        "/invocations", json=request_document(outputPrefix="s3://nobodys-bucket/x/")
    )

    assert (answer.status_code, answer.json()["code"]) == (400, "InvalidRequest")


async def test_more_invocations_than_may_wait_are_turned_away(
    run_container: Any, request_document: Document
) -> None:
    async with run_container(max_waiting_invocations=2) as running:
        running.engine.go_on.clear()
        first = asyncio.create_task(running.http.post("/invocations", json=request_document()))
        await asyncio.to_thread(running.engine.drawing.wait, 60)
        others = [
            asyncio.create_task(running.http.post("/invocations", json=request_document())) for _ in range(2)
        ]
        done, waiting = await asyncio.wait(others, return_when=asyncio.FIRST_COMPLETED)
        running.engine.go_on.set()
        [turned_away], [served] = done, waiting

        assert (turned_away.result().status_code, turned_away.result().json()["retryable"]) == (503, True)
        assert (await served).status_code == 200
        assert (await first).status_code == 200


async def test_drawing_stops_when_the_client_hangs_up(running: Any, request_document: Document) -> None:
    body = json.dumps(request_document(16, numInferenceSteps=150)).encode()
    sent: list[dict[str, Any]] = []
    events = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def receive() -> dict[str, Any]:
        event = next(events, None)
        if event is None:
            await asyncio.to_thread(running.engine.drawing.wait, 60)
            return {"type": "http.disconnect"}
        return event

    async def send(event: dict[str, Any]) -> None:
        sent.append(event)

    scope = {"type": "http", "method": "POST", "path": "/invocations", "headers": [], "query_string": b""}
    await running.container.app(scope, receive, send)

    assert sent[0]["status"] == 503


async def test_a_container_that_stops_takes_no_more_work_but_finishes_what_it_draws(
    running: Any, request_document: Document
) -> None:
    running.engine.go_on.clear()
    drawing = asyncio.create_task(running.http.post("/invocations", json=request_document()))
    await asyncio.to_thread(running.engine.drawing.wait, 60)
    running.container.stop()

    ping = await running.http.get("/ping")
    late = await running.http.post("/invocations", json=request_document())
    running.engine.go_on.set()

    assert (ping.status_code, late.status_code) == (503, 503)
    assert (await drawing).status_code == 200


async def test_an_unknown_path_answers_404_with_a_document(running: Any) -> None:
    answer = await running.http.get("/nothing/here")

    assert answer.status_code == 404
    assert WorkerError.model_validate_json(answer.content).code == "InvalidRequest"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(st.text(max_size=10), values, max_size=3),
    max_leaves=5,
)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(field=st.sampled_from(sorted(InferenceRequest.model_fields)), value=json_values)
async def test_a_document_with_any_one_field_replaced_is_drawn_or_refused_with_a_document(
    running: Any, request_document: Document, field: str, value: Any
) -> None:
    wire_name = InferenceRequest.model_fields[field].alias or field
    body = json.dumps(request_document(**{wire_name: value}))

    answer = await running.http.post("/invocations", content=body)

    if answer.status_code == 200:
        InferenceResult.model_validate_json(answer.content)
    else:
        refusal = WorkerError.model_validate_json(answer.content)
        assert answer.status_code == HTTP_STATUS[refusal.code] < 500
