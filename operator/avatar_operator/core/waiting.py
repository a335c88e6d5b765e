"""Waiting for several things at once."""

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar

T = TypeVar("T")


async def all_finished(calls: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """Let all finish before the first error is raised: one's trouble must not leave another half-way."""
    results = await asyncio.gather(*calls, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return [result for result in results if not isinstance(result, BaseException)]
