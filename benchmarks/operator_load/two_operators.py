"""The ordeal of two operators on each backend: with the simulated one, and on sagemaker_local with the stand-in worker."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.operator_load.figures import Figure, none_of, plain
from benchmarks.operator_load.replicas import PLURAL, measure_replicas
from benchmarks.operator_load.stage import NAMESPACE, Stage, simulated_model, simulated_runtime
from benchmarks.operator_load.trainings import SubmissionsSeen, submitted_twice, trained_twice
from e2e.flight import STAND_IN, Flight
from sagemaker_local.testing import LocalAws

SIMULATED_TRAINING_SECONDS = 8
TRAINING_INSTANCES = 3


def measure_simulated(stage: Stage, models: int, fault_count: int, seed: int) -> Iterator[Figure]:
    """Measure with trainings that the operator only pretends."""
    stage.api.create("avatarruntimes", simulated_runtime(SIMULATED_TRAINING_SECONDS))
    submissions = SubmissionsSeen()
    with stage.api.watched(PLURAL, submissions.see):
        yield from measure_replicas(
            stage,
            lambda number: simulated_model(f"person-{number:04}"),
            models=models,
            fault_count=fault_count,
            seed=seed,
            environment={},
        )
    yield plain("versions of their status seen", submissions.versions, digits=0)
    yield plain("models whose submission was seen", submissions.trained(), digits=0)
    yield none_of("duplicate trainings", submissions.duplicates())


def measure_sagemaker(stage: Stage, models: int, fault_count: int, seed: int) -> Iterator[Figure]:
    """Measure with trainings that AWS counts."""
    with LocalAws(images={"stand-in": STAND_IN}) as aws:
        flight = Flight(stage.cluster, NAMESPACE, aws)
        flight.upload_photos()
        runtime = flight.runtime_manifest()
        runtime["spec"]["backend"]["sagemaker"]["training"]["instanceCount"] = TRAINING_INSTANCES
        stage.api.create("avatarruntimes", runtime)
        yield from measure_replicas(
            stage,
            lambda number: flight.model_manifest(f"person-{number:04}", token="unhurried"),  # noqa: S106  # a word in prompts
            models=models,
            fault_count=fault_count,
            seed=seed,
            environment=aws.environment,
        )
        invocations = len(aws.calls(api="InvokeEndpointAsync", carried_out="true"))
        ratio = f"one for each model: {models}; {invocations / models:.2f}"
        yield plain("invocations that AWS took", invocations, digits=0, peer=ratio)
        yield none_of("attempts submitted twice", submitted_twice(flight))
        yield none_of("duplicate trainings", trained_twice(flight))
