"""What every backend promises, whatever it runs on: one suite, two implementations.

Each test drives the port only. `Stage` prepares the outside world where one exists (photos in S3) and knows how time
passes there: really on SageMaker, by moving the clock in the simulation.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from avatar_api.avatar_model import AvatarModel
from avatar_api.avatar_runtime import AvatarRuntime
from avatar_api.documents.inference import PictureRequest
from avatar_operator.aws.clients import AwsClients
from avatar_operator.backends.base import (
    AttemptOutcome,
    AttemptPending,
    AttemptReference,
    AttemptSucceeded,
    Backend,
    BackendError,
    DrawCall,
    Drawn,
    Fenced,
)
from avatar_operator.backends.metered import BackendMetrics, MeteredBackend
from avatar_operator.backends.sagemaker import SageMakerBackend
from avatar_operator.backends.simulated import SimulatedBackend
from avatar_operator.request_lifecycle.pictures import output_prefix
from builders.backend_objects import (
    BUCKET,
    StoppedClock,
    eventually,
    make_attempt,
    make_model,
    make_request,
    make_runtime,
    make_simulated_runtime,
    make_training_request,
)


@dataclass
class Stage:
    """A backend and the world around it."""

    backend: Backend
    runtime: AvatarRuntime
    clock: StoppedClock
    s3: Any = None

    def put_photos(self, model: AvatarModel) -> None:
        prefix = (model.spec.photos.s3_prefix or "").removeprefix(f"s3://{BUCKET}/")
        for number in range(12):
            if self.s3 is not None:
                self.s3.put_object(Bucket=BUCKET, Key=f"{prefix}{number}.png", Body=b"photo")

    async def train(self, model: AvatarModel) -> AttemptReference:
        """Submit a training and record what the lifecycle would record."""
        attempt = make_attempt(model)
        document = make_training_request(self.runtime, model, attempt)
        submission = await self.backend.submit_training(self.runtime, document)
        return replace(
            attempt,
            output_location=submission.output_location,
            failure_location=submission.failure_location,
            submitted_time=self.clock.now(),
        )

    async def end(self, attempt: AttemptReference) -> AttemptOutcome:
        """Wait until a training is over."""
        self.clock.time += timedelta(hours=1)
        return await eventually(
            lambda: self.backend.attempt_outcome(self.runtime, attempt),
            lambda outcome: not isinstance(outcome, AttemptPending),
        )


@pytest.fixture(params=["sagemaker", "simulated", "metered"])
async def stage(request: pytest.FixtureRequest, clock: StoppedClock) -> Stage:
    simulated = SimulatedBackend(clock)
    if request.param == "simulated":
        return Stage(simulated, make_simulated_runtime(), clock)
    if request.param == "metered":
        metered = MeteredBackend(simulated, "simulated", BackendMetrics(CollectorRegistry()))
        return Stage(metered, make_simulated_runtime(), clock)
    clients: AwsClients = request.getfixturevalue("clients")
    backend, runtime = SageMakerBackend(clients, clock), make_runtime()
    await eventually(lambda: backend.ensure_endpoints(runtime), lambda facts: facts.ready)
    return Stage(backend, runtime, clock, request.getfixturevalue("s3"))


def pictures(count: int) -> tuple[PictureRequest, ...]:
    return tuple(
        PictureRequest(prompt="a photo of sks person", seed=7 + number, prompt_index=0, image_index=number)
        for number in range(count)
    )


def draw_call(target_model: str, prefix: str, count: int = 2) -> DrawCall:
    return DrawCall(
        target_model=target_model,
        pictures=pictures(count),
        num_inference_steps=5,
        guidance_scale=7.5,
        width=64,
        height=64,
        scheduler="DDIM",
        output_prefix=prefix,
    )


async def test_endpoints_become_ready_and_are_both_told(stage: Stage) -> None:
    facts = await stage.backend.ensure_endpoints(stage.runtime)
    assert facts.ready
    assert {endpoint.role for endpoint in facts.endpoints} == {"Training", "Inference"}


async def test_photos_under_a_prefix_are_pinned(stage: Stage) -> None:
    model = make_model()
    stage.put_photos(model)
    photos = await stage.backend.list_photos(stage.runtime, model)
    assert len(photos) == 12
    assert all(photo.uri.startswith(model.spec.photos.s3_prefix or "-") for photo in photos)
    assert all(photo.etag for photo in photos)


async def test_a_submitted_training_ends_with_a_sound_artifact_at_the_immutable_key(stage: Stage) -> None:
    model = make_model()
    outcome = await stage.end(await stage.train(model))
    assert isinstance(outcome, AttemptSucceeded)
    assert outcome.artifact_defect == ""
    assert outcome.result.artifact.target_model == f"team-a/{model.metadata.uid}/r1-a1.tar.gz"


async def test_an_attempt_that_was_never_submitted_can_be_fenced_again_and_again(stage: Stage) -> None:
    attempt = make_attempt(make_model())
    assert await stage.backend.fence_attempt(stage.runtime, attempt) == Fenced()
    assert await stage.backend.fence_attempt(stage.runtime, attempt) == Fenced()


async def test_what_nobody_submitted_stays_pending(stage: Stage) -> None:
    outcome = await stage.backend.attempt_outcome(stage.runtime, make_attempt(make_model()))
    assert isinstance(outcome, AttemptPending)


async def test_drawing_twice_gives_the_same_pictures_under_the_same_names(stage: Stage) -> None:
    result = await stage.end(await stage.train(make_model()))
    assert isinstance(result, AttemptSucceeded)
    prefix = output_prefix(stage.runtime, make_request())
    call = draw_call(result.result.artifact.target_model, prefix)
    assert isinstance(await stage.backend.draw(stage.runtime, call), Drawn)
    first = await stage.backend.describe_pictures(stage.runtime, prefix, call.pictures)
    await stage.backend.draw(stage.runtime, call)
    assert await stage.backend.existing_pictures(stage.runtime, prefix) == {
        picture.file_name() for picture in call.pictures
    }
    assert await stage.backend.describe_pictures(stage.runtime, prefix, call.pictures) == first


async def test_a_picture_that_is_missing_is_said_to_be(stage: Stage) -> None:
    prefix = output_prefix(stage.runtime, make_request())
    with pytest.raises(BackendError) as caught:
        await stage.backend.describe_pictures(stage.runtime, prefix, pictures(1))
    assert (caught.value.reason, caught.value.retryable) == ("PictureMissing", True)


@pytest.mark.parametrize("output", [None, {"prefix": f"s3://{BUCKET}/albums/"}])
async def test_deleting_a_request_deletes_what_was_drawn_for_it_and_nothing_else(
    stage: Stage, output: dict[str, str] | None
) -> None:
    result = await stage.end(await stage.train(make_model()))
    assert isinstance(result, AttemptSucceeded)
    kept, deleted = make_request(output=output), make_request(output=output)
    for request in (kept, deleted):
        prefix = output_prefix(stage.runtime, request)
        await stage.backend.draw(stage.runtime, draw_call(result.result.artifact.target_model, prefix))
    report = await stage.backend.delete_request_data(stage.runtime, deleted)
    assert report.left_behind == ()
    prefixes = [output_prefix(stage.runtime, request) for request in (kept, deleted)]
    counts = [len(await stage.backend.existing_pictures(stage.runtime, prefix)) for prefix in prefixes]
    assert counts == [2, 0]


async def test_deleting_a_models_data_twice_leaves_nothing_behind(stage: Stage) -> None:
    model = make_model()
    await stage.end(await stage.train(model))
    for _ in range(2):
        report = await stage.backend.delete_model_data(stage.runtime, model, artifacts=True)
        assert report.left_behind == ()


async def test_a_runtime_of_another_backend_is_refused(stage: Stage) -> None:
    other = make_simulated_runtime() if stage.runtime.spec.backend.sagemaker else make_runtime()
    with pytest.raises(BackendError) as caught:
        await stage.backend.attempt_outcome(other, make_attempt(make_model()))
    assert caught.value.reason == "BackendMismatch"
