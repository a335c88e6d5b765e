"""Which S3 operation a request is, and what a fault makes of it."""

from __future__ import annotations

from typing import Any

import pytest

from sagemaker_local.faults import FaultBoard
from sagemaker_local.s3_faults import S3Faults
from sagemaker_local.s3_requests import S3Request, read_s3_request

SIGNED = (
    "AWS4-HMAC-SHA256 Credential=test/20261122/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0"
)


def request(method: str, path: str, query: str = "", **headers: str) -> dict[str, Any]:
    return {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "HTTP_AUTHORIZATION": SIGNED,
        **headers,
    }


@pytest.mark.parametrize(
    ("environ", "operation"),
    [
        (request("GET", "/b/k"), "GetObject"),
        (request("HEAD", "/b/k"), "HeadObject"),
        (request("PUT", "/b/k"), "PutObject"),
        (request("PUT", "/b/k", HTTP_X_AMZ_COPY_SOURCE="b/other"), "CopyObject"),
        (request("PUT", "/b/k", "partNumber=1&uploadId=u"), "UploadPart"),
        (request("POST", "/b/k", "uploads"), "CreateMultipartUpload"),
        (request("POST", "/b/k", "uploadId=u"), "CompleteMultipartUpload"),
        (request("DELETE", "/b/k"), "DeleteObject"),
        (request("POST", "/b", "delete"), "DeleteObjects"),
        (request("GET", "/b", "list-type=2&prefix=in"), "ListObjectsV2"),
        (request("GET", "/b", "prefix=in"), "ListObjects"),
        (request("GET", "/"), "ListBuckets"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_operation_follows_from_the_request(environ: dict[str, Any], operation: str) -> None:
    read = read_s3_request(environ)
    assert read is not None
    assert read.operation == operation


def test_bucket_and_key_are_decoded() -> None:
    assert read_s3_request(request("GET", "/b/a%20b/c")) == S3Request("GetObject", "b", "a b/c", "client")


def test_a_presigned_request_is_recognised() -> None:
    query = "X-Amz-Credential=test%2F20261122%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Signature=0"
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/b/k", "QUERY_STRING": query}
    assert read_s3_request(environ) == S3Request("GetObject", "b", "k", "client")


def test_requests_to_other_services_are_left_alone() -> None:
    other = request("POST", "/", HTTP_AUTHORIZATION=SIGNED.replace("/s3/", "/sqs/"))
    assert read_s3_request(other) is None


def test_a_fault_for_the_platform_does_not_hit_clients() -> None:
    board = FaultBoard()
    board.add({"kind": "s3", "action": "missing", "caller": "platform"})
    assert S3Faults(board).answer(request("GET", "/b/k")) is None
    answer = S3Faults(board).answer(request("GET", "/b/k", HTTP_USER_AGENT="Boto3 sagemaker-local-platform"))
    assert answer is not None
    assert (answer.status_code, b"<Code>NoSuchKey</Code>" in answer.get_data()) == (404, True)
