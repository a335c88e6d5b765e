"""Idle time: instances that are paid for and do nothing."""

import pytest

from avatar_api.avatar_runtime import EndpointStatus
from avatar_api.group import AVATAR_MODEL, AVATAR_RUNTIME
from avatar_operator.backends.compute import EndpointsFacts
from avatar_operator.runtime_lifecycle.idle import IdleInstances, IdleMeter, IdleTime, idle_instances
from avatar_operator.runtime_lifecycle.phases.accounting import account
from avatar_operator.runtime_lifecycle.work import ActiveAttempt, Work
from builders.manifests import Changes
from builders.objects import a_runtime
from builders.observations import at, observed_runtime, runtime_draft
from builders.world import World

ENDPOINTS = (
    EndpointStatus(role="Training", name="t", state="InService", instances=3),
    EndpointStatus(role="Inference", name="i", state="InService", instances=2),
)
SERVING = EndpointsFacts(ready=True, reason="InService", message="", endpoints=ENDPOINTS)
ATTEMPT = ActiveAttempt("t", None)


@pytest.mark.parametrize(
    ("work", "idle"),
    [
        (Work(), IdleInstances(3, 2)),
        (Work((ATTEMPT,)), IdleInstances(2, 2)),
        (Work((ATTEMPT,) * 5), IdleInstances(0, 2)),
        (Work(drawing=1), IdleInstances(3, 0)),
    ],
)
def test_an_instance_is_busy_with_one_training_and_drawing_keeps_all_of_them(
    work: Work, idle: IdleInstances
) -> None:
    assert idle_instances(ENDPOINTS, work) == idle


def test_only_what_was_idle_at_both_ends_counts() -> None:
    meter = IdleMeter(at(0))

    assert meter.note(at(10), IdleInstances(3, 2)) == IdleTime(0, 0, at(0))
    assert meter.note(at(20), IdleInstances(1, 2)) == IdleTime(10, 20, at(0))
    assert meter.note(at(30), IdleInstances(2, 0)) == IdleTime(20, 20, at(0))
    meter.written()
    assert meter.note(at(40), IdleInstances(2, 0)) == IdleTime(20, 0, at(30))


def test_idle_time_waits_for_fifteen_minutes_or_for_another_change() -> None:
    idle, runtime = IdleTime(100, 50, at(0)), a_runtime()
    early, late = (observed_runtime(runtime, now=at(seconds)) for seconds in (899, 900))
    changed = runtime_draft(early).with_status(runtime.status.model_copy(update={"state": "Failed"}))

    assert account(early, runtime_draft(early), idle).status.idle_seconds is None
    assert account(late, runtime_draft(late), idle).status.idle_seconds == 150
    assert account(early, changed, idle).status.idle_seconds == 150


def test_where_nothing_is_paid_for_nothing_is_accounted() -> None:
    observation = observed_runtime(a_runtime(), now=at(10_000))

    assert account(observation, runtime_draft(observation), None) == runtime_draft(observation)


PRICES = {
    "prices": {
        "currency": "EUR",
        "perHour": [
            {"instanceType": "ml.g5.xlarge", "amount": "3.6"},
            {"instanceType": "ml.g4dn.xlarge", "amount": "1.8"},
        ],
    },
    "backend": {"sagemaker": {"inference": {"instanceType": "ml.g4dn.xlarge"}}},
}


def test_the_cost_of_both_endpoints_adds_up_by_the_runtimes_own_prices() -> None:
    runtime = a_runtime(spec=PRICES)
    observation = observed_runtime(runtime, now=at(900))
    once = account(observation, runtime_draft(observation), IdleTime(1000, 100, at(0)))

    twice = account(observation, once, IdleTime(1000, 0, at(0)))

    assert once.status.idle_cost is not None
    assert twice.status.idle_cost is not None
    assert (once.status.idle_cost.amount, once.status.idle_cost.currency) == ("1.050000", "EUR")
    assert once.status.idle_cost.instance_type == "ml.g4dn.xlarge, ml.g5.xlarge"
    assert (twice.status.idle_cost.amount, twice.status.idle_seconds) == ("2.050000", 2100)


@pytest.mark.parametrize("spec", [{"backend": {"sagemaker": {"training": {"instanceType": "ml.x9.xlarge"}}}}])
def test_without_a_price_seconds_are_accounted_and_no_money(spec: Changes) -> None:
    observation = observed_runtime(a_runtime(spec=spec), now=at(900))

    status = account(observation, runtime_draft(observation), IdleTime(100, 100, at(0))).status

    assert (status.idle_seconds, status.idle_cost) == (200, None)


async def test_an_idle_runtime_accounts_for_itself_with_few_writes() -> None:
    world = World()
    world.add_runtime()
    world.backend.script("ensure_endpoints", *[SERVING] * 1000)
    await world.settle(AVATAR_RUNTIME)
    writes = world.kube.writes["apply_status", "AvatarRuntime"]

    for _ in range(60):
        world.clock.advance(60)
        await world.settle(AVATAR_RUNTIME)

    assert world.runtime.status.idle_seconds == 5 * 3600
    assert world.kube.writes["apply_status", "AvatarRuntime"] == writes + 4


async def test_an_instance_that_trains_is_not_idle() -> None:
    world = World()
    world.add_runtime()
    world.backend.script("ensure_endpoints", *[SERVING] * 1000)
    await world.settle(AVATAR_RUNTIME)
    world.add_model()
    await world.settle(AVATAR_MODEL)

    for _ in range(2):
        world.clock.advance(900)
        await world.settle(AVATAR_RUNTIME)

    assert world.runtime.status.idle_seconds == 4 * 1800
