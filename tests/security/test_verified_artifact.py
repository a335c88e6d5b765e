"""The picture is drawn with the artifact that was verified, and with nothing that was put in its place since."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from avatar_api.documents.inference import InferenceRequest, PictureRequest
from e2e.flight import Flight, OperatorProcess, eventually


def test_a_likeness_that_was_put_in_anothers_place_is_never_drawn(
    flight: Flight, operator: OperatorProcess
) -> None:
    flight.apply(flight.runtime_manifest(), flight.model_manifest("ann"), flight.model_manifest("bob"))
    ann, bob = (flight.wait_for_state("avm", name, "Ready")["status"]["artifact"] for name in ("ann", "bob"))
    key = ann["uri"].removeprefix(f"s3://{flight.bucket}/")
    true_archive = _content(flight, key)
    other_archive = _content(flight, bob["uri"].removeprefix(f"s3://{flight.bucket}/"))

    with pytest.raises(ClientError, match="AccessDenied"):
        flight.s3.put_object(Bucket=flight.bucket, Key=key, Body=other_archive)
    _replace(flight, key, other_archive)
    eventually(lambda: _has_been_loaded(flight, ann["targetModel"]), what="the model of another person")
    _replace(flight, key, true_archive)
    flight.apply(flight.request_manifest("portraits", "ann"))

    request = flight.wait_for_state("avr", "portraits", "Failed")
    assert request["status"]["lastFailure"]["reason"] == "ArtifactChanged"
    assert request["status"]["lastFailure"]["retryable"] is False
    assert flight.stored_keys(f"outputs/{flight.namespace}/") == []
    flight.apply(flight.request_manifest("others", "bob"))
    flight.wait_for_state("avr", "others", "Succeeded")


def _content(flight: Flight, key: str) -> bytes:
    content: bytes = flight.s3.get_object(Bucket=flight.bucket, Key=key)["Body"].read()
    return content


def _replace(flight: Flight, key: str, archive: bytes) -> None:
    """What a worker's role can do: it may delete, so that it can take back what its owner wants gone."""
    flight.s3.delete_object(Bucket=flight.bucket, Key=key)
    flight.s3.put_object(
        Bucket=flight.bucket, Key=key, Body=archive, IfNoneMatch="*", ChecksumAlgorithm="SHA256"
    )


def _has_been_loaded(flight: Flight, target_model: str) -> bool:
    """Have the endpoint load what lies there by now, as anybody may who may invoke it."""
    client: Any = flight.aws.client("sagemaker-runtime")
    picture = PictureRequest(prompt="anybody", seed=1, prompt_index=0, image_index=0)
    request = InferenceRequest(
        pictures=[picture],
        num_inference_steps=1,
        guidance_scale=1,
        width=64,
        height=64,
        scheduler="DDIM",
        output_prefix=f"s3://{flight.bucket}/elsewhere/",
    )
    try:
        client.invoke_endpoint(
            EndpointName=f"{flight.name}-inference",
            TargetModel=target_model,
            ContentType="application/json",
            Body=request.model_dump_json(by_alias=True, exclude_none=True),
        )
    except client.exceptions.ModelNotReadyException:
        return False
    return True
