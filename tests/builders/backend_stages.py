"""Backends with a world around each, for the suite that all of them pass.

A `Stage` prepares the outside world where one exists (photos in S3), makes models that fare as the test wants, and knows
how time passes there: really on SageMaker, by moving the clock in the simulation. A new backend adds a Stage.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Literal

from avatar_api.avatar_model import AvatarModel
from avatar_api.avatar_runtime import AvatarRuntime
from avatar_operator.backends.attempts import (
    AttemptOutcome,
    AttemptPending,
    AttemptReference,
    AttemptSucceeded,
)
from avatar_operator.backends.selection import Backend
from builders.backend_objects import (
    BUCKET,
    StoppedClock,
    eventually,
    make_attempt,
    make_model,
    make_runtime,
    make_simulated_runtime,
    submit,
)

Fate = Literal["succeeds", "fails", "runs until it is stopped"]


@dataclass
class Stage(ABC):
    """A backend and the world around it."""

    backend: Backend
    runtime: AvatarRuntime
    clock: StoppedClock

    @abstractmethod
    def put_photos(self, model: AvatarModel) -> None:
        """Upload twelve photos where the model says."""

    @abstractmethod
    def fated_model(self, fate: Fate) -> AvatarModel:
        """A model whose training goes so; a failure is one that may not happen again."""

    @abstractmethod
    def foreign_runtime(self) -> AvatarRuntime:
        """A runtime of another backend."""

    @abstractmethod
    async def runtime_without_endpoints(self) -> AvatarRuntime:
        """A runtime whose endpoints were deleted."""

    async def submit(self, model: AvatarModel) -> AttemptReference:
        """Submit a training and record what the lifecycle would record."""
        attempt = make_attempt(model)
        submission = await submit(self.backend, self.runtime, model, attempt)
        return replace(
            attempt,
            endpoint_name=submission.endpoint_name,
            output_location=submission.output_location,
            failure_location=submission.failure_location,
            submitted_time=self.clock.now(),
        )

    async def begun(self, model: AvatarModel) -> AttemptReference:
        """Submit a training and wait until a worker has it."""
        attempt = await self.submit(model)
        await eventually(
            lambda: self.backend.storage.claimed_since(self.runtime, attempt),
            lambda since: since is not None,
        )
        return attempt

    async def end(self, attempt: AttemptReference) -> AttemptOutcome:
        """Wait until a training is over, and have its artifact looked at."""
        self.clock.time += timedelta(hours=1)
        outcome = await eventually(
            lambda: self.backend.compute.attempt_outcome(self.runtime, attempt),
            lambda outcome: not isinstance(outcome, AttemptPending),
        )
        if isinstance(outcome, AttemptSucceeded):
            artifact = outcome.result.artifact
            findings = await self.backend.storage.examine_artifact(self.runtime, attempt, artifact)
            return replace(outcome, findings=findings)
        return outcome


@dataclass
class SageMakerStage(Stage):
    """S3 and endpoints that really run, with the stand-in worker in them."""

    s3: Any

    def put_photos(self, model: AvatarModel) -> None:
        """See Stage."""
        prefix = (model.spec.photos.s3_prefix or "").removeprefix(f"s3://{BUCKET}/")
        for number in range(12):
            self.s3.put_object(Bucket=BUCKET, Key=f"{prefix}{number}.png", Body=b"photo")

    def fated_model(self, fate: Fate) -> AvatarModel:
        """See Stage. The stand-in worker listens to the word that stands for the person."""
        tokens = {"succeeds": "sks", "fails": "oops", "runs until it is stopped": "slow"}
        return make_model(subject={"token": tokens[fate]})

    def foreign_runtime(self) -> AvatarRuntime:
        """See Stage."""
        return make_simulated_runtime()

    async def runtime_without_endpoints(self) -> AvatarRuntime:
        """See Stage."""
        trivial = {"image": "trivial", "instanceType": "ml.m5.large"}
        runtime = make_runtime(
            "short-lived",
            training={"endpointName": "short-lived-training", **trivial},
            inference={"endpointName": "short-lived-inference", **trivial},
        )
        compute = self.backend.compute
        await eventually(lambda: compute.ensure_endpoints(runtime), lambda facts: facts.ready)
        await eventually(lambda: compute.delete_endpoints(runtime), lambda facts: facts.ready)
        return runtime


@dataclass
class SimulatedStage(Stage):
    """Nothing outside: what happens is in the runtime's spec, and time is the clock's."""

    def put_photos(self, model: AvatarModel) -> None:
        """Every prefix has photos."""

    def fated_model(self, fate: Fate) -> AvatarModel:
        """See Stage."""
        self.runtime = make_simulated_runtime(failurePercent=100 if fate == "fails" else 0)
        return make_model()

    def foreign_runtime(self) -> AvatarRuntime:
        """See Stage."""
        return make_runtime()

    async def runtime_without_endpoints(self) -> AvatarRuntime:
        """See Stage."""
        await self.backend.compute.ensure_endpoints(self.runtime)
        await self.backend.compute.delete_endpoints(self.runtime)
        return self.runtime
