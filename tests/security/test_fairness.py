"""One tenant's thousand requests do not keep another one waiting, and what is beyond a tenant's quota does."""

from builders.drawing_crowd import PICTURES, a_crowd
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

            assert crowd.worst_wait(first, began) <= 2
            assert first.ended is not None
            assert first.ended - began <= 3 * DRAW_SECONDS

    in_virtual_time(story())
