"""What AWS may heal ends no request: it is tried again until the request's deadline, and by then the reason is told."""

import asyncio
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from avatar_api.avatar_runtime import AvatarRuntime
from avatar_api.group import AVATAR_MODEL, AVATAR_REQUEST, AVATAR_RUNTIME
from avatar_operator.backends.compute import DrawCall, DrawResult
from avatar_operator.backends.failures import BackendError
from avatar_operator.core.workqueue import WorkQueue
from avatar_operator.kube.cache import ObjectKey
from avatar_operator.reconciling.workers import ReconcileWorkers
from avatar_operator.telemetry.metrics import OperatorMetrics
from builders import model_stages
from builders.backend import ScriptedBackend, denied, out_of_reach
from builders.manifests import request_manifest
from builders.virtual_time import VirtualTimeLoop
from builders.world import World

REQUESTS = 50
THROTTLED_SECONDS = 10.0


class ThrottledBackend(ScriptedBackend):
    """Takes nothing for the first ten virtual seconds, as SageMaker does when a burst arrives."""

    refused = 0

    async def draw(self, runtime: AvatarRuntime, call: DrawCall) -> DrawResult:
        """See Compute."""
        if asyncio.get_running_loop().time() < THROTTLED_SECONDS:
            self.refused += 1
            raise out_of_reach("Throttled")
        self.pictures.clear()
        return await super().draw(runtime, call)

    async def existing_pictures(self, runtime: AvatarRuntime, output_prefix: str) -> frozenset[str]:
        """See Storage. Of this request only: each has a prefix of its own."""
        drawn = {call.output_prefix for call in self.asked("draw")}
        return frozenset({"00-00-7.png", "00-01-8.png"}) if output_prefix in drawn else frozenset()


async def _hosted(world: World) -> World:
    world.add_runtime()
    await world.settle(AVATAR_RUNTIME)
    world.add_model()
    world.kube.force_status(AVATAR_MODEL, "ann", model_stages.hosted().to_wire())
    return world


@pytest.fixture
async def world() -> World:
    """A runtime in service, a hosted model and a new request for two pictures."""
    world = await _hosted(World())
    world.add_request()
    return world


def test_ten_seconds_of_throttling_end_none_of_fifty_requests() -> None:
    world, backend = World(), ThrottledBackend()
    world.backend = backend
    world.crash()

    async def story() -> None:
        await _hosted(world)
        queue: WorkQueue[ObjectKey] = WorkQueue(base_delay=0.5, max_delay=60.0)
        metrics = OperatorMetrics(CollectorRegistry())
        workers = ReconcileWorkers(world.reconciler_of(AVATAR_REQUEST), queue, metrics, count=4)
        for number in range(REQUESTS):
            world.kube.create(AVATAR_REQUEST, request_manifest(name=f"portraits-{number}"))
            queue.add(ObjectKey(AVATAR_REQUEST.kind, "team-a", f"portraits-{number}"))
        task = asyncio.create_task(workers.run())
        await asyncio.sleep(60.0)
        task.cancel()
        await asyncio.wait([task])

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(story())

    states = [body["status"]["state"] for kind, body in world.kube.everything() if kind == AVATAR_REQUEST]
    assert states == ["Succeeded"] * REQUESTS
    assert backend.refused >= 4 * REQUESTS
    assert world.kube.writes["apply_status", "AvatarRequest"] == 2 * REQUESTS


async def test_a_request_outlives_the_replacement_of_its_endpoint(world: World) -> None:
    replaced = BackendError("EndpointNotFound", "Endpoint avatar-inference not found.", retryable=True)
    world.backend.script("draw", replaced, *[out_of_reach("EndpointNotReady")] * 20)
    await world.look_at(AVATAR_REQUEST)

    for _ in range(21):
        retrying = (await world.look_at(AVATAR_REQUEST)).retrying
        assert retrying is not None
        assert retrying.reason in ("EndpointNotFound", "EndpointNotReady")
        world.clock.advance(30)
    await world.settle(AVATAR_REQUEST)

    assert world.request.status.state == "Succeeded"


async def test_what_a_worker_refuses_is_not_asked_of_it_again(world: World) -> None:
    refused = BackendError("PromptTooLong", "The prompt has 120 tokens, at most 77.", retryable=False)
    world.backend.script("draw", refused)

    await world.settle(AVATAR_REQUEST)

    failure = world.request.status.last_failure
    assert failure is not None
    assert (failure.reason, failure.message) == ("PromptTooLong", "The prompt has 120 tokens, at most 77.")
    assert len(world.backend.asked("draw")) == 1


@pytest.mark.parametrize("verb", ["draw", "existing_pictures"])
async def test_endless_trouble_ends_at_the_deadline_whose_message_names_it(world: World, verb: str) -> None:
    never: list[Any] = [BackendError("KeyDisabled", "The KMS key is disabled.", retryable=True)] * 1000
    world.backend.script(verb, *never)
    await world.look_at(AVATAR_REQUEST)

    for _ in range(61):
        await world.look_at(AVATAR_REQUEST)
        world.clock.advance(60)

    failure = world.request.status.last_failure
    assert failure is not None
    assert failure.reason == "DeadlineExceeded"
    assert (
        failure.message == "The pictures were not drawn within 3600 s. The last try: The KMS key is disabled."
    )


async def test_trouble_that_lasts_is_told_on_the_request_and_written_once(world: World) -> None:
    world.backend.script("draw", *[out_of_reach("Throttled")] * 30)
    await world.look_at(AVATAR_REQUEST)

    for _ in range(30):
        await world.look_at(AVATAR_REQUEST)
        world.clock.advance(10)

    conditions = {condition.type: condition for condition in world.request.status.conditions}
    assert (conditions["Reconciling"].status, conditions["Reconciling"].reason) == ("True", "Throttled")
    assert conditions["Reconciling"].message == "The service does not answer."
    assert world.kube.writes["apply_status", "AvatarRequest"] == 2


async def test_seconds_and_cost_are_told_only_by_who_saw_it_all(world: World) -> None:
    await world.settle(AVATAR_REQUEST)
    seen = world.request.status

    world.kube.remove_by_force(AVATAR_REQUEST, "portraits")
    world.backend.pictures.clear()
    world.add_request({"prompts": [{"prompt": "sks person", "numImages": 6, "seed": 1}]})
    await world.look_at(AVATAR_REQUEST)
    await world.look_at(AVATAR_REQUEST)
    world.crash()
    await world.settle(AVATAR_REQUEST)
    half_seen = world.request.status

    assert seen.timings is not None
    assert seen.timings.generate == "1.000"
    assert seen.estimated_cost is not None
    assert (seen.estimated_cost.amount, seen.estimated_cost.instance_type) == ("0.000391", "ml.g5.xlarge")
    assert half_seen.state == "Succeeded"
    assert half_seen.timings is not None
    assert (half_seen.timings.generate, half_seen.timings.cold_load) == (None, None)
    assert half_seen.estimated_cost is None


async def test_what_is_remembered_of_a_request_says_nothing_of_another_of_its_name(world: World) -> None:
    world.backend.script("draw", *[out_of_reach("Throttled")] * 2)
    await world.look_at(AVATAR_REQUEST)
    await world.look_at(AVATAR_REQUEST)
    world.kube.remove_by_force(AVATAR_REQUEST, "portraits")
    anew = request_manifest(spec={"queueDeadlineSeconds": 60})
    world.kube.create(AVATAR_REQUEST, anew, uid="11111111-1111-1111-1111-111111111111")
    world.clock.advance(60)

    await world.settle(AVATAR_REQUEST)

    assert world.request.status.last_failure is not None
    assert "does not answer" not in world.request.status.last_failure.message


async def test_seconds_money_and_pictures_are_counted_for_the_namespace() -> None:
    world = World()
    world.add_runtime()
    await world.settle(AVATAR_RUNTIME)
    world.add_model()
    await world.train()
    world.add_request({"prompts": [{"prompt": "sks person", "numImages": 6, "seed": 1}]})

    await world.settle(AVATAR_REQUEST)

    def count(name: str, **labels: str) -> float | None:
        of_team_a = {"backend": "sagemaker", "namespace": "team-a", **labels}
        return world.requests.metrics.registry.get_sample_value(name, of_team_a)

    assert count("avatar_pictures_total") == 6
    assert count("avatar_gpu_seconds_total", kind="AvatarRequest") == 2
    assert count("avatar_estimated_cost_dollars_total", kind="AvatarRequest") == pytest.approx(0.000782)
    assert count("avatar_gpu_seconds_total", kind="AvatarModel") == 62
    assert count("avatar_estimated_cost_dollars_total", kind="AvatarModel") == pytest.approx(0.024092)


@pytest.mark.parametrize(
    ("answer", "outcome", "seconds"),
    [(None, "Succeeded", 41), (denied("PictureTooLarge"), "Failed", 40)],
    ids=["drawn", "refused"],
)
async def test_the_end_of_a_request_is_timed_from_its_creation_and_its_failure_counted(
    world: World, answer: BackendError | None, outcome: str, seconds: int
) -> None:
    if answer is not None:
        world.backend.script("draw", answer)
    world.clock.advance(40)

    await world.settle(AVATAR_REQUEST)

    of_requests = {"backend": "sagemaker", "outcome": outcome}
    failed = {
        "kind": "AvatarRequest",
        "namespace": "team-a",
        "reason": "PictureTooLarge",
        "retryable": "false",
    }
    value = world.registry.get_sample_value
    assert value("avatar_request_duration_seconds_sum", of_requests) == seconds
    assert value("avatar_failures_total", failed) == (None if answer is None else 1)
