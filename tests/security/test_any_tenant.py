"""Whatever a tenant does, nothing of the others is read, changed, delayed beyond its share, or named.

The tenant has every verb, any field, any status and finalizers, and no admission policy stands in its way: the operator
alone must hold. The whole operator runs, with its real backend; what it does is judged by the calls at AWS's edge.
"""

import asyncio
from functools import cache
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from avatar_api.group import AVATAR_MODEL, AVATAR_REQUEST, KINDS
from builders.boundary import (
    calls_beyond,
    changes_of_neighbours,
    named_to,
    named_to_neighbours,
    orders_beyond,
    what_neighbours_have,
    worst_wait,
)
from builders.drawing_crowd import Draw
from builders.honest_workers import DRAW_SECONDS, LONG_TRAINING_SECONDS
from builders.hostile_tenant import NAMESPACES, HostileTenant
from builders.machine_settings import machine_settings
from builders.neighbours import IN_TRAINING, RUNNING, Neighbourhood, a_neighbourhood, uid_of
from builders.whole_operator import in_virtual_time, now, until

MOST_DEEDS = 14
LATE = "at-last"
MOST_DRAWS_OF_OTHERS = 2
"""Of each worker, before the first picture of a tenant who asks for one."""


async def _go_on(neighbourhood: Neighbourhood) -> None:
    """One of the neighbours asks for one picture more, and their lives go on to where nothing is left to do."""
    began = now()
    neighbourhood.create(AVATAR_REQUEST, neighbourhood.request("team-b", LATE, 1))
    late = uid_of("team-b", LATE)

    def firsts() -> list[Draw]:
        return [draw for draw in neighbourhood.workers.draws if draw.request == late]

    await until(lambda: bool(firsts()), within=20 * DRAW_SECONDS)
    assert worst_wait(neighbourhood.workers.draws, firsts()[0], began) <= MOST_DRAWS_OF_OTHERS
    await neighbourhood.until_state(AVATAR_REQUEST, LATE, "Succeeded", within=60, namespaces=("team-b",))
    await neighbourhood.until_state(AVATAR_REQUEST, RUNNING, "Succeeded", within=20 * DRAW_SECONDS)
    await neighbourhood.until_state(AVATAR_MODEL, IN_TRAINING, "Ready", within=LONG_TRAINING_SECONDS + 60)


@cache
def _undisturbed() -> dict[str, Any]:
    """What the neighbours have in the end if nobody else is there."""
    found: dict[str, Any] = {}

    async def story() -> None:
        async with a_neighbourhood() as neighbourhood:
            await _go_on(neighbourhood)
            found.update(what_neighbours_have(neighbourhood))

    with capture_logs():
        in_virtual_time(story())
    return found


def _assert_apart(tenant: HostileTenant, neighbourhood: Neighbourhood) -> None:
    asked = neighbourhood.aws.asked
    found = [
        *calls_beyond(tenant, asked),
        *changes_of_neighbours(asked),
        *orders_beyond(tenant, neighbourhood),
        *named_to(tenant, neighbourhood),
        *named_to_neighbours(tenant, neighbourhood),
    ]
    asked.clear()
    assert not found, "\n".join(found)


def _assert_no_defect(neighbourhood: Neighbourhood, logged: list[Any]) -> None:
    alarming = [line for line in logged if line["log_level"] in ("error", "critical")]
    assert not alarming, alarming
    assert neighbourhood.replica.ends == []
    for kind in KINDS:
        assert neighbourhood.replica.sample("avatar_reconcile_total", kind=kind.kind, result="error") == 0


@machine_settings(examples=16, steps=1)
@given(
    data=st.data(),
    namespace=st.sampled_from(NAMESPACES),
    deeds=st.integers(5, MOST_DEEDS),
    stays=st.booleans(),
    floods=st.booleans(),
)
def test_nothing_of_others_is_read_changed_delayed_or_named(
    data: st.DataObject, namespace: str, deeds: int, stays: bool, floods: bool
) -> None:
    undisturbed = _undisturbed()

    async def story() -> None:
        async with a_neighbourhood() as neighbourhood:
            tenant = HostileTenant(neighbourhood, namespace, data)
            # What it leaves behind cannot always be removed: then the runtime takes that over, as its status said.
            neighbourhood.aws.undeletable = f"/{namespace}/" if stays else None
            tenant.move_in()
            for _ in range(deeds):
                await asyncio.sleep(tenant.act())
                _assert_apart(tenant, neighbourhood)
            if floods:
                tenant.flood()
                await asyncio.sleep(1)
            await _go_on(neighbourhood)
            _assert_apart(tenant, neighbourhood)
            disturbed = what_neighbours_have(neighbourhood)
            changed = [
                name for name in {*disturbed, *undisturbed} if disturbed.get(name) != undisturbed.get(name)
            ]
            assert not changed, [(name, disturbed.get(name), undisturbed.get(name)) for name in changed]
            _assert_no_defect(neighbourhood, logged)

    with capture_logs() as logged:
        in_virtual_time(story())
