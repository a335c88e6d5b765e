"""Quotas under anything that may happen: there is never one too many, and in the end everything has had its turn.

Tenants create, change and delete, the platform team edits the quotas, writes fail or their answers get lost, the API server goes
away, and leaders die in the middle of it. Every version of every status is judged as it appears (`builders.quota_watch`).
"""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avatar_api.group import AVATAR_MODEL, AVATAR_REQUEST
from avatar_operator.kube.cache import ObjectKey
from avatar_operator.kube.client import Object
from builders.quota_watch import QuotaWatch, quotas_watched
from builders.whole_operator import in_virtual_time, until

Step = Callable[[QuotaWatch], Awaitable[None]]
NAMESPACES = ("team-a", "team-b")
MODELS = tuple(f"m{number}" for number in range(6))
PICTURES = (64, 1, 20, 64)
AN_HOUR = 3600.0


def creates(name: str, namespace: str) -> Step:
    """A tenant creates a model, if there is none of that name."""

    async def step(watch: QuotaWatch) -> None:
        if not watch.around.kube.exists(AVATAR_MODEL, name, namespace=namespace):
            watch.train(name, namespace=namespace)

    return step


def asks(name: str, pictures: int, namespace: str) -> Step:
    """A tenant creates a request with a model that may be trained, or not yet, or never."""

    async def step(watch: QuotaWatch) -> None:
        if not watch.around.kube.exists(AVATAR_REQUEST, name, namespace=namespace):
            watch.draw(name, pictures, namespace=namespace, modelRef={"name": "m0"})

    return step


def edits(name: str, field: str, value: object, namespace: str) -> Step:
    """A tenant edits a model."""

    async def step(watch: QuotaWatch) -> None:
        if watch.around.kube.exists(AVATAR_MODEL, name, namespace=namespace):
            watch.around.kube.edit(AVATAR_MODEL, name, {field: value}, namespace=namespace)

    return step


def deletes(name: str, namespace: str) -> Step:
    """A tenant deletes a model."""

    async def step(watch: QuotaWatch) -> None:
        if watch.around.kube.exists(AVATAR_MODEL, name, namespace=namespace):
            watch.around.kube.delete_as_user(AVATAR_MODEL, name, namespace=namespace)

    return step


def sets_quotas(trainings: int | None, pictures: int | None) -> Step:
    """The platform team edits the runtime."""

    async def step(watch: QuotaWatch) -> None:
        watch.set_quotas(maxRunningTrainings=trainings, maxWaitingPictures=pictures)

    return step


def a_write_fails(*, after: bool) -> Step:
    """The next write of a status fails, or its answer gets lost."""

    async def step(watch: QuotaWatch) -> None:
        if after:
            watch.around.kube.lose_next_answer("apply_status")
        else:
            watch.around.kube.fail_next("apply_status")

    return step


async def the_leader_dies(watch: QuotaWatch) -> None:
    """It loses its lease, and another one leads."""
    if any(replica.leads for replica in watch.replicas):
        await watch.leader_dies()


async def the_api_server_is_away(watch: QuotaWatch) -> None:
    """For a while that no lease outlives."""
    watch.around.kube.go_away()
    await asyncio.sleep(3)
    watch.around.kube.come_back()


def waits(seconds: float) -> Step:
    """Time goes by."""

    async def step(_watch: QuotaWatch) -> None:
        await asyncio.sleep(seconds)

    return step


NAMES, SPACES = st.sampled_from(MODELS), st.sampled_from(NAMESPACES)
STEPS = st.one_of(
    st.builds(creates, NAMES, SPACES),
    st.builds(creates, NAMES, SPACES),
    st.builds(asks, st.sampled_from(("r0", "r1", "r2", "r3")), st.sampled_from(PICTURES), SPACES),
    st.builds(edits, NAMES, st.just("suspend"), st.booleans(), SPACES),
    st.builds(edits, NAMES, st.just("revision"), st.integers(2, 9), SPACES),
    st.builds(deletes, NAMES, SPACES),
    st.builds(
        sets_quotas,
        st.sampled_from((1, 2, 3, None)),
        st.sampled_from((64, 80, 200, None)),
    ),
    st.builds(a_write_fails, after=st.booleans()),
    st.just(the_leader_dies),
    st.just(the_api_server_is_away),
    st.builds(waits, st.sampled_from((0.0, 0.03, 0.5, 7.0, 21.0, 60.0))),
)


def _has_had_its_turn(watch: QuotaWatch) -> bool:
    """Whether every model that may be trained is, and every request that may be drawn has ended."""
    return all(
        _is_trained(body) if key.kind == AVATAR_MODEL.kind else _is_drawn(watch, body)
        for key, body in watch.seen.items()
    )


def _is_trained(model: Object) -> bool:
    spec, status = model["spec"], model.get("status", {})
    if spec.get("suspend"):
        return True
    trained: int = status.get("training", {}).get("revision", 0)
    wanted: int = spec.get("revision", 1)
    return trained == wanted and bool(status.get("state") == "Ready")


def _is_drawn(watch: QuotaWatch, request: Object) -> bool:
    model = watch.seen.get(ObjectKey(AVATAR_MODEL.kind, request["metadata"]["namespace"], "m0"))
    may_wait = model is None or "artifact" not in model.get("status", {})
    return may_wait or request.get("status", {}).get("state") in ("Succeeded", "Failed")


@settings(max_examples=25, deadline=None)
@given(steps=st.lists(STEPS, min_size=10, max_size=40))
def test_there_is_never_one_too_many_and_everything_has_its_turn(steps: list[Step]) -> None:
    async def story() -> None:
        async with quotas_watched(replicas=2, maxRunningTrainings=2, maxWaitingPictures=80) as watch:
            watch.train(*MODELS)
            watch.train(*MODELS[:3], namespace="team-b")
            for number in range(4):
                watch.draw(f"r{number}", PICTURES[number], modelRef={"name": "m0"})
            for step in steps:
                await step(watch)
            watch.around.kube.heal()
            await until(lambda: _has_had_its_turn(watch), within=AN_HOUR)
            for kind in (AVATAR_MODEL, AVATAR_REQUEST):
                assert watch.waiting(kind) == []

            assert watch.too_many == []

    with pytest.MonkeyPatch.context() as environment:
        # No sweep comes to the rescue of whoever was forgotten.
        environment.setenv("AVATAR_OPERATOR_SWEEP_SECONDS", str(1000 * AN_HOUR))
        in_virtual_time(story())
