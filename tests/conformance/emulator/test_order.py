"""What the emulator promises beyond AWS: an order among requests and among models."""

from __future__ import annotations

import json
from typing import Any


def test_invocations_run_in_the_order_in_which_they_came(user: Any) -> None:
    name = user.async_endpoint(concurrency=1)
    answers = [user.invoke_async(name, {"tell": "turn"}) for _ in range(6)]
    turns = [json.loads(user.await_object(answer["OutputLocation"])["Body"]) for answer in answers]
    assert [turn["number"] for turn in turns] == [1, 2, 3, 4, 5, 6]


def test_the_least_recently_used_model_gives_way_when_memory_is_full(user: Any) -> None:
    for letter in "abc":
        user.artifact(f"models/{letter}.tar.gz", model__txt=letter)
    name = user.multi_model_endpoint({"SLOTS": "2"})
    for letter in ("a", "b", "a", "c", "a"):
        told = user.invoke_model(name, f"{letter}.tar.gz")
        assert told["text"] == letter
    assert told["loads"] == {"a": 1, "b": 1, "c": 1}
    assert user.invoke_model(name, "b.tar.gz")["loads"] == {"a": 1, "b": 2, "c": 1}
