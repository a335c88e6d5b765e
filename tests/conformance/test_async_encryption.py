"""KmsKeyId of an AsyncInferenceConfig: what results are encrypted with (reference 2.1)."""

from __future__ import annotations

from typing import Any

KEY = "alias/aws/s3"  # every account has it


def test_results_are_encrypted_with_the_configured_key(user: Any) -> None:
    asynchronous = user.async_config()
    asynchronous["OutputConfig"]["KmsKeyId"] = KEY
    name = user.endpoint(user.config(user.model(), asynchronous))
    for body, location in ((b"fine", "OutputLocation"), (b'{"status": 500}', "FailureLocation")):
        written = user.await_object(user.invoke_async(name, body)[location])
        assert written["ServerSideEncryption"] == "aws:kms"
        assert written["SSEKMSKeyId"]
