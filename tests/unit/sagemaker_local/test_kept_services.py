"""Which requests have to be saved before they are answered."""

from __future__ import annotations

from typing import Any

import pytest

from sagemaker_local.persistence.kept_services import KEPT_SERVICES, changed_services


def request(
    service: str = "", method: str = "POST", path: str = "/", target: str = "", query: str = ""
) -> Any:
    credential = f"AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/{service}/aws4_request"
    return {
        "PATH_INFO": path,
        "REQUEST_METHOD": method,
        "QUERY_STRING": query,
        "HTTP_X_AMZ_TARGET": target,
        "HTTP_AUTHORIZATION": credential if service else "",
    }


@pytest.mark.parametrize(
    ("environ", "changed"),
    [
        (request("s3", "PUT", "/bucket/key"), {"s3", "sns", "sqs"}),
        (request("s3", "GET", "/bucket/key"), set()),
        (request("", "PUT", "/bucket/key", query="X-Amz-Credential=test%2F20260101%2Fus-east-1%2Fs3%2Faws4_request"), {"s3", "sns", "sqs"}),
        (request("", "POST", "/bucket"), {"s3", "sns", "sqs"}),
        (request("sns"), {"sns", "sqs"}),
        (request("sqs", target="AmazonSQS.SendMessage"), {"sqs"}),
        (request("sqs", target="AmazonSQS.ReceiveMessage"), set()),
        (request("sagemaker", target="SageMaker.CreateModel"), {"sagemaker"}),
        (request("sagemaker", target="SageMaker.DescribeEndpoint"), set()),
        (request("sagemaker", path="/endpoints/e/async-invocations"), set()),
        (request("monitoring", path="/service/GraniteServiceVersion20100801/operation/PutMetricData"), set()),
        (request("monitoring", path="/service/GraniteServiceVersion20100801/operation/PutMetricAlarm"), {"cloudwatch"}),
        (request("rekognition", target="RekognitionService.CreateCollection"), set()),
        (request(path="/moto-api/reset"), set(KEPT_SERVICES)),
    ],
)  # fmt: skip
def test_a_request_changes_its_service_and_those_that_it_feeds(environ: Any, changed: set[str]) -> None:
    assert changed_services(environ) == changed
