"""GET /models, asked beside the pings: AWS does not document what it does with the answer."""

from __future__ import annotations

from typing import Any


def test_a_model_that_is_no_longer_listed_is_loaded_again_and_409_means_that_it_is_there(user: Any) -> None:
    user.artifact("models/a.tar.gz", model__txt="a")
    name = user.multi_model_endpoint()
    user.invoke_model(name, "a.tar.gz", b'{"hide": true}')
    told = user.eventually(
        lambda: user.invoke_model(name, "a.tar.gz"), lambda answer: answer["conflicts"] > 0
    )
    assert (told["text"], told["loads"]) == ("a", {"a": 1})
