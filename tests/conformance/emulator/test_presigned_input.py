"""Presigned URLs are http here, and InputLocation takes those of this very server."""

from __future__ import annotations

from typing import Any


def test_a_presigned_url_is_an_input_location(user: Any) -> None:
    name = user.async_endpoint()
    user.s3.put_object(Bucket=user.bucket, Key="in/a photo", Body=b"presigned")
    url = user.s3.generate_presigned_url(
        "get_object", Params={"Bucket": user.bucket, "Key": "in/a photo"}, ExpiresIn=60
    )
    answer = user.runtime.invoke_endpoint_async(EndpointName=name, InputLocation=url)
    assert user.await_object(answer["OutputLocation"])["Body"] == b"presigned"
