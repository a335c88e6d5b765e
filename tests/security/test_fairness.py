"""One tenant's thousand requests do not keep another one waiting, and what is beyond a tenant's quota does."""

import asyncio

from avatar_api.group import AVATAR_MODEL
from builders.drawing_crowd import PICTURES, a_crowd
from builders.quota_watch import TRAINING_SECONDS, quotas_watched
from builders.whole_operator import in_virtual_time, now

DRAW_SECONDS = 8.0


def test_the_first_picture_of_one_comes_after_two_draws_a_worker_of_anothers_thousand_requests() -> None:
    async def story() -> None:
        async with a_crowd(draw_seconds=lambda: DRAW_SECONDS) as crowd:
            for namespace in ("team-a", "team-b"):
                await crowd.moves_in(namespace)
            for _ in range(1000):
                crowd.asks_for(PICTURES, "team-a")
            await crowd.until_everybody_draws()
            began = now()
            first = await crowd.until_drawn(crowd.asks_for(1, "team-b"))

            assert first.ended is not None
            assert crowd.worst_wait(first, began, until=first.ended) <= 2
            assert first.ended - began <= 3 * DRAW_SECONDS

    in_virtual_time(story())


def test_trainings_beyond_a_tenants_quota_never_stand_in_sagemakers_queue() -> None:
    async def story() -> None:
        async with quotas_watched(replicas=2, maxRunningTrainings=2) as watch:
            ours = [f"m{number}" for number in range(6)]
            watch.train(*ours)
            await asyncio.sleep(TRAINING_SECONDS / 2)
            watch.train("theirs", namespace="team-b")
            await asyncio.sleep(1)
            assert watch.waiting(AVATAR_MODEL) == ours[2:]
            assert watch.at_work(AVATAR_MODEL, "team-b") == 1

            await watch.leader_dies()
            await watch.until_state(AVATAR_MODEL, "Ready", *ours)

            assert watch.too_many == []
            assert [wave for wave in watch.waves() if "theirs" not in wave] == [
                {"m0", "m1"},
                {"m2", "m3"},
                {"m4", "m5"},
            ]

    in_virtual_time(story())
