"""The whole flow with the real workers: twelve photos of one person, a real training, and pictures that show her.

Statuses alone cannot tell a good trainer from a broken one: with a learning rate of 0, an adapter that is not loaded or
another person's photos everything is green, and the pictures show a stranger. So the judge looks at them. It was trained
on renders only, and the base has never seen this person. `tiny_base.likeness` holds hyperparameters and thresholds,
`make bench-broken-trainers` shows that broken workers stay below them.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator

import pytest
from PIL import Image

from avatar_demo.settings import BASE_MODEL, JUDGE
from avatar_workers.base_model.directory_digest import directory_digest
from e2e.conftest import StartOperator
from e2e.flight import Flight, Object, eventually
from sagemaker_local.testing import LocalAws
from synthetic_people import photo_set
from tiny_base.judge import Judge
from tiny_base.likeness import (
    AS_PROMPTED,
    DRAWING,
    FIRST_SEED,
    LIKE_HER,
    PERSON,
    PICTURES_A_PLACE,
    PLACES,
    TRAINING,
    at_place,
    likeness,
    prompts,
)

PATIENCE_SECONDS = 1000.0
"""For each of the two waits. A training takes a minute on an idle core, and much longer where many share one."""


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    """An AWS whose endpoints run the real workers, one thread each: networks this small gain nothing from more."""
    environment = [
        "env",
        f"AVATAR_BASE_MODEL_CACHE={tmp_path_factory.mktemp('base-models')}",
        "AVATAR_TORCH_THREADS=1",
    ]
    images = {
        f"avatar-{role}": [*environment, sys.executable, "-m", f"avatar_workers.{role}"]
        for role in ("training", "serving")
    }
    with LocalAws(images=images) as local_aws:
        yield local_aws


def _runtime(flight: Flight) -> Object:
    manifest = flight.runtime_manifest()
    spec = manifest["spec"]
    spec["backend"]["sagemaker"]["training"]["image"] = "avatar-training"
    spec["backend"]["sagemaker"]["inference"]["image"] = "avatar-serving"
    spec["baseModel"]["sha256"] = directory_digest(BASE_MODEL)
    spec["defaults"] = {
        "training": TRAINING.model_dump(mode="json", by_alias=True, exclude_none=True),
        "inference": DRAWING.model_dump(mode="json", by_alias=True),
    }
    # One picture a call stays below InvokeEndpoint's 60 seconds on the busiest machine.
    spec["limits"]["inference"] = {"picturesPerInvocation": 1}
    return manifest


def _upload_base_and_photos(flight: Flight) -> None:
    for path in BASE_MODEL.rglob("*"):
        if path.is_file():
            key = f"base/{path.relative_to(BASE_MODEL).as_posix()}"
            flight.s3.upload_file(str(path), flight.bucket, key)
    prefix = flight.photos_prefix.removeprefix(f"s3://{flight.bucket}/")
    for number, photo in enumerate(photo_set(PERSON, 12)):
        # Over the bytes that other tests are content with.
        flight.s3.put_object(Bucket=flight.bucket, Key=f"{prefix}{number:02}.jpg", Body=photo.data)


def _wait_for_end(flight: Flight, kind: str, name: str, good: str) -> Object:
    found = eventually(
        lambda: flight.get(kind, name),
        lambda body: body is not None and body.get("status", {}).get("state") in (good, "Failed"),
        what=f"the end of {kind} {name}",
        seconds=PATIENCE_SECONDS,
    )
    assert found is not None
    assert found["status"]["state"] == good, found["status"]["conditions"]
    return found


def _picture(flight: Flight, uri: str) -> Image.Image:
    key = uri.removeprefix(f"s3://{flight.bucket}/")
    body = flight.s3.get_object(Bucket=flight.bucket, Key=key)["Body"].read()
    return Image.open(io.BytesIO(body)).convert("RGB")


@pytest.mark.slow
@pytest.mark.timeout(2 * PATIENCE_SECONDS + 200)
def test_the_pictures_show_the_person_of_the_photos_where_the_prompts_say(
    flight: Flight, start_operator: StartOperator
) -> None:
    _upload_base_and_photos(flight)
    start_operator()
    wanted = [
        {"prompt": prompt, "numImages": PICTURES_A_PLACE, "seed": FIRST_SEED + PICTURES_A_PLACE * index}
        for index, prompt in enumerate(prompts())
    ]
    flight.apply(
        _runtime(flight),
        flight.model_manifest("ann"),
        flight.request_manifest("first", "ann", prompts=wanted),
    )
    model = _wait_for_end(flight, "avm", "ann", "Ready")
    assert model["status"]["photos"]["accepted"] == 12
    images = _wait_for_end(flight, "avr", "first", "Succeeded")["status"]["images"]
    assert len(images) == len(PLACES) * PICTURES_A_PLACE
    pictures = [_picture(flight, image["uri"]) for image in images]
    judge = Judge.load(JUDGE)
    assert likeness(judge, pictures) >= LIKE_HER
    assert at_place(judge, pictures, [PLACES[image["promptIndex"]] for image in images]) >= AS_PROMPTED
