"""What every backend promises, whatever it runs on: one suite, driven through the two ports only.

A backend takes part with a fixture that gives its `Stage` and a line in `STAGES`.
"""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from avatar_api.avatar_model import AvatarModel
from avatar_api.avatar_request import AvatarRequest
from avatar_api.documents.inference import PictureRequest
from avatar_operator.backends.attempts import (
    AttemptFailed,
    AttemptPending,
    AttemptSucceeded,
    ClaimedByWorker,
    Fenced,
)
from avatar_operator.backends.compute import DrawCall, Drawn
from avatar_operator.backends.failures import BackendError, OutcomeUnknownError
from avatar_operator.backends.metered import BackendMetrics, metered
from avatar_operator.backends.selection import Backend
from avatar_operator.backends.simulated import simulated_backend
from avatar_operator.backends.storage import StoredOwner
from avatar_operator.locations import picture_directory, picture_prefix
from builders.backend_objects import (
    BUCKET,
    StoppedClock,
    make_attempt,
    make_model,
    make_request,
    make_simulated_runtime,
    pinned,
    submit,
)
from builders.backend_stages import SageMakerStage, SimulatedStage, Stage

A_DAY = 86400.0
STAGES = ("sagemaker", "simulated", "metered")


@pytest.fixture
def sagemaker_stage(backend: Backend, runtime: Any, clock: StoppedClock, s3: Any) -> Stage:
    return SageMakerStage(backend, runtime, clock, s3)


@pytest.fixture
def simulated_stage(clock: StoppedClock) -> Stage:
    return SimulatedStage(simulated_backend(clock), make_simulated_runtime(), clock)


@pytest.fixture
def metered_stage(clock: StoppedClock) -> Stage:
    backend = metered(simulated_backend(clock), "simulated", BackendMetrics(CollectorRegistry()))
    return SimulatedStage(backend, make_simulated_runtime(), clock)


@pytest.fixture(params=STAGES)
def stage(request: pytest.FixtureRequest) -> Stage:
    stage: Stage = request.getfixturevalue(f"{request.param}_stage")
    return stage


def pictures(count: int) -> tuple[PictureRequest, ...]:
    return tuple(
        PictureRequest(prompt="a photo of sks person", seed=7 + number, prompt_index=0, image_index=number)
        for number in range(count)
    )


def draw_call(target_model: str, prefix: str, count: int = 2) -> DrawCall:
    return DrawCall(
        request_uid=str(uuid.uuid4()),
        target_model=target_model,
        artifact=f"s3://{BUCKET}/artifacts/{target_model}",
        weights_sha256=None,
        pictures=pictures(count),
        num_inference_steps=5,
        guidance_scale=7.5,
        width=64,
        height=64,
        scheduler="DDIM",
        output_prefix=prefix,
    )


class TestEndpoints:
    """They come, and once they have gone everybody is told so."""

    async def test_endpoints_become_ready_and_are_both_told(self, stage: Stage) -> None:
        facts = await stage.backend.compute.ensure_endpoints(stage.runtime)
        assert facts.ready
        assert {endpoint.role for endpoint in facts.endpoints} == {"Training", "Inference"}

    async def test_deleted_endpoints_take_no_training_for_now(self, stage: Stage) -> None:
        runtime = await stage.runtime_without_endpoints()
        model = make_model()
        with pytest.raises(BackendError) as caught:
            await submit(stage.backend, runtime, model, make_attempt(model))
        assert not isinstance(caught.value, OutcomeUnknownError)
        assert (caught.value.reason, caught.value.retryable) == ("EndpointNotFound", True)

    async def test_deleted_endpoints_draw_nothing_for_now(self, stage: Stage) -> None:
        runtime = await stage.runtime_without_endpoints()
        with pytest.raises(BackendError) as caught:
            await stage.backend.compute.draw(
                runtime, draw_call("team-a/ann.tar.gz", picture_prefix(runtime, make_request()))
            )
        assert (caught.value.reason, caught.value.retryable) == ("EndpointNotFound", True)

    async def test_deleting_endpoints_twice_is_fine(self, stage: Stage) -> None:
        runtime = await stage.runtime_without_endpoints()
        assert (await stage.backend.compute.delete_endpoints(runtime)).ready

    async def test_a_runtime_of_another_backend_is_refused(self, stage: Stage) -> None:
        with pytest.raises(BackendError) as caught:
            await stage.backend.compute.attempt_outcome(stage.foreign_runtime(), make_attempt(make_model()))
        assert (caught.value.reason, caught.value.retryable) == ("BackendMismatch", False)


class TestTraining:
    """From photos to an artifact, or to a failure that says whether to try again."""

    async def test_photos_under_a_prefix_are_pinned(self, stage: Stage) -> None:
        model = make_model()
        stage.put_photos(model)
        photos = await stage.backend.storage.list_photos(stage.runtime, model)
        assert len(photos) == 12
        assert all(photo.uri.startswith(model.spec.photos.s3_prefix or "-") for photo in photos)
        assert all(photo.etag for photo in photos)

    async def test_a_submitted_training_ends_with_a_sound_artifact_at_the_immutable_key(
        self, stage: Stage
    ) -> None:
        model = stage.fated_model("succeeds")
        outcome = await stage.end(await stage.submit(model))
        assert isinstance(outcome, AttemptSucceeded)
        assert outcome.findings.defect == ""
        assert outcome.findings.weights_sha256 is not None
        assert outcome.result.artifact.target_model == f"team-a/{model.metadata.uid}/r1-a1.tar.gz"

    async def test_a_passing_failure_is_worth_another_attempt(self, stage: Stage) -> None:
        outcome = await stage.end(await stage.submit(stage.fated_model("fails")))
        assert isinstance(outcome, AttemptFailed)
        assert (outcome.reason, outcome.retryable) == ("InternalError", True)

    async def test_what_nobody_submitted_stays_pending(self, stage: Stage) -> None:
        outcome = await stage.backend.compute.attempt_outcome(stage.runtime, make_attempt(make_model()))
        assert isinstance(outcome, AttemptPending)
        assert outcome.stage == "Queued"

    async def test_whoever_listens_is_told_to_workers_too(self, stage: Stage) -> None:
        tells = stage.backend.compute.progress_destination(stage.runtime) is not None
        sources = stage.backend.compute.hint_sources(stage.runtime)
        assert tells == (len(sources) > 0)
        assert sources == stage.backend.compute.hint_sources(stage.runtime)


class TestClaims:
    """Who owns an attempt: the worker that begins it or the operator that gives it up, never both."""

    async def test_an_attempt_that_was_never_submitted_can_be_fenced_again_and_again(
        self, stage: Stage
    ) -> None:
        attempt = make_attempt(make_model())
        assert await stage.backend.storage.fence_attempt(stage.runtime, attempt) == Fenced()
        assert await stage.backend.storage.fence_attempt(stage.runtime, attempt) == Fenced()
        assert await stage.backend.storage.claimed_since(stage.runtime, attempt) is None

    async def test_a_fence_that_comes_too_late_finds_the_worker_and_then_its_outcome(
        self, stage: Stage
    ) -> None:
        attempt = await stage.begun(stage.fated_model("succeeds"))
        since = await stage.backend.storage.claimed_since(stage.runtime, attempt)
        fence = await stage.backend.storage.fence_attempt(stage.runtime, attempt)
        assert since is not None
        assert fence == ClaimedByWorker(since=since)
        # Whoever had to fence has no record of where the outcome will be.
        forgotten = replace(attempt, endpoint_name=None, output_location=None, failure_location=None)
        assert isinstance(await stage.end(forgotten), AttemptSucceeded)

    async def test_an_attempt_that_is_fenced_before_it_is_submitted_never_trains(self, stage: Stage) -> None:
        model = stage.fated_model("succeeds")
        assert await stage.backend.storage.fence_attempt(stage.runtime, make_attempt(model)) == Fenced()
        outcome = await stage.end(await stage.submit(model))
        assert isinstance(outcome, AttemptFailed)
        assert outcome.reason == "AttemptFenced"

    async def test_a_cancelled_attempt_ends_without_an_artifact(self, stage: Stage) -> None:
        attempt = await stage.begun(stage.fated_model("runs until it is stopped"))
        for _ in range(2):
            await stage.backend.storage.revoke_claim(stage.runtime, attempt)
            await stage.backend.compute.stop_training(stage.runtime, attempt)
        outcome = await stage.end(attempt)
        assert isinstance(outcome, AttemptFailed)
        assert outcome.reason == "AttemptFenced"
        assert await stage.backend.storage.claimed_since(stage.runtime, attempt) is None

    async def test_an_attempt_that_was_never_submitted_can_be_cancelled(self, stage: Stage) -> None:
        attempt = make_attempt(make_model())
        await stage.backend.storage.revoke_claim(stage.runtime, attempt)
        await stage.backend.compute.stop_training(stage.runtime, attempt)
        assert await stage.backend.storage.fence_attempt(stage.runtime, attempt) == Fenced()


class TestPictures:
    """What is drawn lies where it should, under names that tell what is missing."""

    async def test_drawing_twice_gives_the_same_pictures_under_the_same_names(self, stage: Stage) -> None:
        prefix, call = await self.drawn(stage)
        storage = stage.backend.storage
        first = await storage.describe_pictures(stage.runtime, prefix, call.pictures)
        await stage.backend.compute.draw(stage.runtime, call)
        assert await storage.existing_pictures(stage.runtime, prefix) == {
            picture.file_name() for picture in call.pictures
        }
        assert await storage.describe_pictures(stage.runtime, prefix, call.pictures) == first

    async def test_an_artifact_that_nobody_has_touched_may_be_drawn_with(self, stage: Stage) -> None:
        outcome = await stage.end(await stage.submit(stage.fated_model("succeeds")))
        assert isinstance(outcome, AttemptSucceeded)
        await stage.backend.storage.check_artifact(stage.runtime, pinned(outcome.result.artifact))

    async def test_the_weights_that_were_verified_are_drawn_with_and_no_others(self, stage: Stage) -> None:
        outcome = await stage.end(await stage.submit(stage.fated_model("succeeds")))
        assert isinstance(outcome, AttemptSucceeded)
        prefix = picture_prefix(stage.runtime, make_request())
        call = draw_call(outcome.result.artifact.target_model, prefix)
        verified = replace(call, weights_sha256=outcome.findings.weights_sha256)
        with pytest.raises(BackendError) as caught:
            await stage.backend.compute.draw(stage.runtime, replace(call, weights_sha256="0" * 64))
        assert (caught.value.reason, caught.value.retryable) == ("ArtifactChanged", False)
        assert await stage.backend.storage.existing_pictures(stage.runtime, prefix) == frozenset()
        assert isinstance(await stage.backend.compute.draw(stage.runtime, verified), Drawn)

    async def test_a_picture_that_is_missing_is_said_to_be(self, stage: Stage) -> None:
        prefix = picture_prefix(stage.runtime, make_request())
        with pytest.raises(BackendError) as caught:
            await stage.backend.storage.describe_pictures(stage.runtime, prefix, pictures(1))
        assert (caught.value.reason, caught.value.retryable) == ("PictureMissing", True)

    @staticmethod
    async def drawn(stage: Stage) -> tuple[str, DrawCall]:
        outcome = await stage.end(await stage.submit(stage.fated_model("succeeds")))
        assert isinstance(outcome, AttemptSucceeded)
        prefix = picture_prefix(stage.runtime, make_request())
        call = draw_call(outcome.result.artifact.target_model, prefix)
        assert isinstance(await stage.backend.compute.draw(stage.runtime, call), Drawn)
        return prefix, call


class TestCleanup:
    """What goes, goes entirely, and nothing else goes with it."""

    @pytest.mark.parametrize("output", [None, {"prefix": f"s3://{BUCKET}/albums/"}])
    async def test_deleting_a_request_deletes_what_was_drawn_for_it_and_nothing_else(
        self, stage: Stage, output: dict[str, str] | None
    ) -> None:
        outcome = await stage.end(await stage.submit(stage.fated_model("succeeds")))
        assert isinstance(outcome, AttemptSucceeded)
        target_model = outcome.result.artifact.target_model
        kept, deleted = make_request(output=output), make_request(output=output)
        for request in (kept, deleted):
            call = draw_call(target_model, picture_prefix(stage.runtime, request))
            await stage.backend.compute.draw(stage.runtime, call)
        for _ in range(2):
            report = await stage.backend.storage.delete_request_data(stage.runtime, deleted)
            assert report.left_behind == ()
        prefixes = [picture_prefix(stage.runtime, request) for request in (kept, deleted)]
        storage = stage.backend.storage
        counts = [len(await storage.existing_pictures(stage.runtime, prefix)) for prefix in prefixes]
        assert counts == [2, 0]

    async def test_deleting_a_models_data_twice_leaves_nothing_behind(self, stage: Stage) -> None:
        model = stage.fated_model("succeeds")
        await stage.end(await stage.submit(model))
        for _ in range(2):
            stored = await stage.backend.storage.delete_model_data(stage.runtime, model, artifacts=True)
            outcomes = await stage.backend.compute.delete_outcomes(stage.runtime, model)
            assert stored.with_that_of(outcomes).left_behind == ()


class TestOwners:
    """What is stored tells whose it is, so that nothing stays for ever because its object has gone."""

    async def test_a_model_is_found_by_what_was_stored_for_its_training(self, stage: Stage) -> None:
        model = stage.fated_model("succeeds")
        await stage.end(await stage.submit(model))
        found = await self.owned_by(stage, model)
        assert f"{stage.runtime.spec.storage.requests}team-a/{model.metadata.uid}/" in found
        assert {(owner.namespace, owner.kind) for owner in found.values()} == {("team-a", "AvatarModel")}
        assert all(owner.objects > 0 for owner in found.values())
        assert all(0 <= owner.age_seconds < A_DAY for owner in found.values())

    async def test_a_request_is_found_by_its_pictures(self, stage: Stage) -> None:
        outcome = await stage.end(await stage.submit(stage.fated_model("succeeds")))
        assert isinstance(outcome, AttemptSucceeded)
        request = make_request()
        prefix = picture_prefix(stage.runtime, request)
        await stage.backend.compute.draw(
            stage.runtime, draw_call(outcome.result.artifact.target_model, prefix, count=3)
        )
        found = await self.owned_by(stage, request)
        assert {(owner.location, owner.kind, owner.objects) for owner in found.values()} == {
            (prefix, "AvatarRequest", 3)
        }

    async def test_what_is_deleted_of_an_owner_is_gone_and_the_rest_stays(self, stage: Stage) -> None:
        kept, deleted = stage.fated_model("succeeds"), stage.fated_model("succeeds")
        for model in (kept, deleted):
            await stage.end(await stage.submit(model))
        before = {owner.location: owner.objects for owner in (await self.owned_by(stage, kept)).values()}
        for owner in (await self.owned_by(stage, deleted)).values():
            for _ in range(2):
                report = await stage.backend.storage.delete_owned(stage.runtime, owner)
                assert report.left_behind == ()
        assert await self.owned_by(stage, deleted) == {}
        after = {owner.location: owner.objects for owner in (await self.owned_by(stage, kept)).values()}
        assert after == before

    async def test_what_was_deleted_with_its_model_has_no_owner_any_more(self, stage: Stage) -> None:
        model = stage.fated_model("succeeds")
        await stage.end(await stage.submit(model))
        await stage.backend.storage.delete_model_data(stage.runtime, model, artifacts=True)
        await stage.backend.compute.delete_outcomes(stage.runtime, model)
        assert await self.owned_by(stage, model) == {}

    async def test_what_is_meant_to_outlive_its_object_says_so(self, stage: Stage) -> None:
        outcome = await stage.end(await stage.submit(stage.fated_model("succeeds")))
        assert isinstance(outcome, AttemptSucceeded)
        request, empty = make_request(), make_request()
        await stage.backend.compute.draw(
            stage.runtime,
            draw_call(outcome.result.artifact.target_model, picture_prefix(stage.runtime, request)),
        )
        before = await self.owned_by(stage, request)
        for drawn in (request, empty):
            await stage.backend.storage.mark_retained(stage.runtime, picture_directory(stage.runtime, drawn))
        after = await self.owned_by(stage, request)
        assert [owner.retained for owner in (*before.values(), *after.values())] == [False, True]
        for drawn in (request, empty):
            await stage.backend.storage.unmark_retained(
                stage.runtime, picture_directory(stage.runtime, drawn)
            )
        assert [owner.retained for owner in (await self.owned_by(stage, request)).values()] == [False]
        assert await self.owned_by(stage, empty) == {}

    @pytest.mark.parametrize("location", [f"s3://{BUCKET}/", f"s3://{BUCKET}/photos/"])
    @pytest.mark.parametrize("verb", ["delete_owned", "mark_retained", "unmark_retained"])
    async def test_nothing_but_an_owners_own_directory_is_deleted_or_marked(
        self, stage: Stage, location: str, verb: str
    ) -> None:
        model = make_model()
        claimed = StoredOwner(
            "team-a", model.metadata.uid, "AvatarModel", location, age_seconds=A_DAY, objects=1
        )
        with pytest.raises(BackendError) as caught:
            await getattr(stage.backend.storage, verb)(stage.runtime, claimed)
        assert (caught.value.reason, caught.value.retryable) == ("NotOwned", False)

    @staticmethod
    async def owned_by(stage: Stage, body: AvatarModel | AvatarRequest) -> dict[str, StoredOwner]:
        owners = await stage.backend.storage.owners(stage.runtime)
        return {owner.location: owner for owner in owners if owner.uid == body.metadata.uid}
