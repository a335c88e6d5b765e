"""What an attempt was sent with can be told for as long as its document is what the operator wrote."""

from __future__ import annotations

from typing import Any

import pytest

from avatar_operator.backends.failures import BackendError
from avatar_operator.backends.selection import Backend
from builders.backend_objects import BUCKET, make_attempt, make_model, make_runtime, make_training_request

RUNTIME = make_runtime()


async def test_it_is_read_as_it_was_written(backend: Backend) -> None:
    model = make_model()
    attempt = make_attempt(model)
    sent = make_training_request(RUNTIME, model, attempt)
    await backend.storage.write_request(RUNTIME, attempt, sent)
    assert await backend.storage.read_request(RUNTIME, attempt) == sent


@pytest.mark.parametrize("content", [None, b"{}", b" " * (2 << 20), "another attempt's"])
async def test_one_that_is_gone_or_was_written_into_is_lost(
    backend: Backend, s3: Any, content: bytes | str | None
) -> None:
    model = make_model()
    attempt = make_attempt(model)
    if isinstance(content, str):
        content = make_training_request(RUNTIME, model, make_attempt(model, 2)).model_dump_json(
            by_alias=True, exclude_none=True
        )
    if content is not None:
        key = attempt.locations.request.removeprefix(f"s3://{BUCKET}/")
        s3.put_object(Bucket=BUCKET, Key=key, Body=content)
    with pytest.raises(BackendError) as caught:
        await backend.storage.read_request(RUNTIME, attempt)
    assert (caught.value.reason, caught.value.retryable) == ("RequestDocumentLost", True)
    assert BUCKET not in caught.value.message
