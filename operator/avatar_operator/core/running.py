"""Things that run side by side, of which none may end unnoticed."""

import asyncio
from collections.abc import Coroutine, Mapping
from typing import Any

from avatar_operator.errors import StartUpError


async def run_beside(main: Coroutine[Any, Any, None], parts: Mapping[str, Coroutine[Any, Any, None]]) -> None:
    """Run `main` to its end, and for as long the parts, which are there to run for ever.

    A part that ends, however it ends, ends everything. Nothing runs any more when this returns.

    Args:
        main: its end is the end.
        parts: by the name that a person is told.

    Raises:
        StartUpError: a part ended by itself.
        Exception: whatever `main` or a part raised.
    """
    work = asyncio.create_task(main)
    tasks = [asyncio.create_task(part, name=name) for name, part in parts.items()]
    try:
        await asyncio.wait([work, *tasks], return_when=asyncio.FIRST_COMPLETED)
    finally:
        ended = [task for task in tasks if task.done()]
        finished = work.done()
        for task in (work, *tasks):
            task.cancel()
        await asyncio.gather(work, *tasks, return_exceptions=True)
    for task in ended:
        task.result()
    if ended and not finished:
        names = ", ".join(sorted(task.get_name() for task in ended))
        raise StartUpError(f"a part of the operator ended by itself: {names}")
    work.result()
