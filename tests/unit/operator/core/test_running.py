"""Parts that run side by side: none ends unnoticed, and none outlives the others."""

import asyncio

import pytest

from avatar_operator.core.running import run_beside
from avatar_operator.errors import StartUpError


async def _for_ever(cancelled: list[str], name: str = "part") -> None:
    try:
        await asyncio.Event().wait()
    finally:
        cancelled.append(name)


async def _fail() -> None:
    raise RuntimeError("a defect")


async def _end() -> None:
    return


async def test_the_end_of_the_main_work_is_the_end_of_the_parts() -> None:
    cancelled: list[str] = []

    async def main() -> None:
        await asyncio.sleep(0)

    await run_beside(main(), {"part": _for_ever(cancelled)})

    assert cancelled == ["part"]


async def test_a_part_that_fails_ends_everything_with_its_error() -> None:
    cancelled: list[str] = []

    with pytest.raises(RuntimeError, match="a defect"):
        await run_beside(_for_ever(cancelled, "main"), {"fails": _fail(), "part": _for_ever(cancelled)})

    assert sorted(cancelled) == ["main", "part"]


async def test_a_part_that_ends_by_itself_is_named() -> None:
    cancelled: list[str] = []

    with pytest.raises(StartUpError, match="ended by itself: watch"):
        await run_beside(_for_ever(cancelled, "main"), {"watch": _end(), "part": _for_ever(cancelled)})

    assert sorted(cancelled) == ["main", "part"]


async def test_main_work_that_fails_ends_the_parts() -> None:
    cancelled: list[str] = []

    async def main() -> None:
        await asyncio.sleep(0)
        raise RuntimeError("a defect")

    with pytest.raises(RuntimeError, match="a defect"):
        await run_beside(main(), {"part": _for_ever(cancelled)})

    assert cancelled == ["part"]


async def test_who_is_cancelled_leaves_nothing_behind() -> None:
    cancelled: list[str] = []
    running = asyncio.create_task(run_beside(_for_ever(cancelled, "main"), {"part": _for_ever(cancelled)}))
    await asyncio.sleep(0)
    running.cancel()

    with pytest.raises(asyncio.CancelledError):
        await running

    assert sorted(cancelled) == ["main", "part"]
