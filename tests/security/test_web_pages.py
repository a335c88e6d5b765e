"""A web page in a developer's browser makes nothing of the local AWS do anything, and other clients do not notice.

Requests are sent as browsers send them, byte by byte: what a page can and cannot leave out is in `sagemaker_local.door`.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from conformance.target import CONTAINER
from sagemaker_local.testing import LocalAws

EVIL, APPLICATION, SERVICE = "https://evil.example", "http://localhost:3000", "aws.avatars.svc.cluster.local"
ROLE = "arn:aws:iam::123456789012:role/x"
CREATE_MODEL = json.dumps(
    {
        "ModelName": "owned",
        "ExecutionRoleArn": ROLE,
        "PrimaryContainer": {"Image": "trivial", "Environment": {"LD_PRELOAD": "/tmp/owned.so"}},
    }
)
SAGEMAKER = {"X-Amz-Target": "SageMaker.CreateModel", "Content-Type": "application/x-amz-json-1.1"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
MARKS = {
    "a page of another site": {"Origin": EVIL, "Sec-Fetch-Site": "cross-site"},
    "a page of another port": {"Origin": APPLICATION, "Sec-Fetch-Site": "same-site"},
    "a page in a sandbox": {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
    "a browser without fetch metadata": {"Origin": EVIL},
    "a picture or a link": {"Sec-Fetch-Site": "cross-site"},
    "a page in a bucket": {"Sec-Fetch-Site": "same-origin"},
    "a rebound name": {"Host": "evil.example:4566", "Sec-Fetch-Site": "same-origin"},
    "a rebound name without fetch metadata": {"Host": "evil.example"},
    "the unspecified address": {"Host": "0.0.0.0:4566", "Origin": EVIL},
}


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    """A server as it is by itself."""
    with LocalAws(images={"trivial": CONTAINER}) as closed:
        yield closed


@pytest.fixture(scope="module")
def open_aws() -> Iterator[LocalAws]:
    """A server of a cluster, which an application's page may call, too."""
    with LocalAws(allow_hosts=[SERVICE], allow_origins=[APPLICATION]) as opened:
        yield opened


class Answer:
    """What a browser sees."""

    def __init__(
        self, aws: LocalAws, method: str, path: str, headers: dict[str, str], body: str = ""
    ) -> None:
        connection = http.client.HTTPConnection(urlsplit(aws.endpoint_url).netloc, timeout=30)
        connection.putrequest(method, path, skip_host="Host" in headers)
        for name, value in ({"Content-Length": str(len(body))} | headers).items():
            connection.putheader(name, value)
        connection.endheaders(body.encode())
        response = connection.getresponse()
        self.status, self.body = response.status, response.read().decode()
        self.may_be_read_by = response.getheader("Access-Control-Allow-Origin")
        connection.close()


@pytest.mark.parametrize("marks", MARKS.values(), ids=MARKS)
def test_a_page_cannot_make_a_model_and_so_run_code(aws: LocalAws, marks: dict[str, str]) -> None:
    answer = Answer(aws, "POST", "/", SAGEMAKER | marks, CREATE_MODEL)
    assert answer.status == 403
    assert "sagemaker-local" in answer.body
    assert aws.client("sagemaker").list_models()["Models"] == []


@pytest.mark.parametrize("marks", MARKS.values(), ids=MARKS)
def test_a_page_is_not_told_that_it_may_ask(aws: LocalAws, marks: dict[str, str]) -> None:
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-amz-target"}
    answer = Answer(aws, "OPTIONS", "/", asked | marks)
    assert (answer.status, answer.may_be_read_by) == (403, None)


@pytest.mark.parametrize("marks", MARKS.values(), ids=MARKS)
def test_a_form_or_a_link_of_a_page_changes_nothing(aws: LocalAws, marks: dict[str, str]) -> None:
    action = "Action=CreateQueue&QueueName=owned&Version=2012-11-05"
    signed = "X-Amz-Credential=a/20261125/us-east-1/sqs/aws4_request"
    assert Answer(aws, "POST", "/sqs_us-east-1/", FORM | marks, action).status == 403
    assert Answer(aws, "GET", f"/sqs_us-east-1/?{action}&{signed}", marks).status == 403
    assert Answer(aws, "PUT", "/owned", marks).status == 403
    assert aws.client("sqs").list_queues().get("QueueUrls", []) == []
    assert aws.client("s3").list_buckets()["Buckets"] == []


@pytest.mark.parametrize("marks", MARKS.values(), ids=MARKS)
def test_a_page_neither_reads_nor_turns_the_servers_own_knobs(aws: LocalAws, marks: dict[str, str]) -> None:
    assert Answer(aws, "GET", "/_sagemaker_local/calls", marks).status == 403
    assert Answer(aws, "POST", "/moto-api/reset", marks).status == 403
    fault = json.dumps({"kind": "api", "api": "*", "times": 1000})
    assert (
        Answer(aws, "POST", "/_sagemaker_local/faults", {"Content-Type": "text/plain"} | marks, fault).status
        == 403
    )
    assert aws.faults() == []


def test_programs_browsers_and_tunnels_that_name_this_machine_are_served(aws: LocalAws) -> None:
    health = "/_sagemaker_local/health"
    for headers in (
        {},
        {"Host": "localhost:8080"},
        {"Host": "127.0.0.1"},
        {"Host": "[::1]:4566"},
        {"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate"},
    ):
        assert Answer(aws, "GET", health, headers).status == 200, headers


def test_a_virtual_hosted_bucket_below_localhost_is_served(aws: LocalAws) -> None:
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="virtual")
    s3.put_object(Bucket="virtual", Key="key", Body=b"found", ACL="public-read")
    try:
        for host in ("virtual.s3.localhost:4566", "virtual.localhost"):
            answer = Answer(aws, "GET", "/key", {"Host": host})
            assert (answer.status, answer.body) == (200, "found")
    finally:
        s3.delete_object(Bucket="virtual", Key="key")
        s3.delete_bucket(Bucket="virtual")


@pytest.mark.parametrize(
    ("service", "operation"),
    [("s3", "list_buckets"), ("sqs", "list_queues"), ("iam", "list_users"), ("sagemaker", "list_models")],
)
def test_a_client_that_uses_a_foreign_name_reads_why_in_its_own_protocol(
    aws: LocalAws, service: str, operation: str
) -> None:
    client = aws.client(service, Config(retries={"total_max_attempts": 1}))
    client.meta.events.register("before-send", _foreign_host)
    with pytest.raises(
        ClientError, match=r"Host 'aws.example' is not a name of this server.*--allow-host"
    ) as refused:
        getattr(client, operation)()
    assert refused.value.response["Error"]["Code"] == "AccessDeniedException"


def _foreign_host(request: Any, **_: Any) -> None:
    request.headers["Host"] = "aws.example"


def test_a_name_that_is_allowed_is_served_and_others_stay_foreign(open_aws: LocalAws) -> None:
    health = "/_sagemaker_local/health"
    assert Answer(open_aws, "GET", health, {"Host": f"{SERVICE}:4566"}).status == 200
    assert Answer(open_aws, "GET", health, {"Host": f"photos.{SERVICE}"}).status == 200
    assert Answer(open_aws, "GET", health, {"Host": "other.svc.cluster.local"}).status == 403


def test_a_page_of_an_origin_that_is_allowed_may_call_and_read(open_aws: LocalAws) -> None:
    page = {"Origin": APPLICATION, "Sec-Fetch-Site": "same-site"}
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-amz-target"}
    preflight = Answer(open_aws, "OPTIONS", "/", asked | page)
    assert (preflight.status, preflight.may_be_read_by) == (200, APPLICATION)
    listed = Answer(open_aws, "GET", "/", page)
    assert (listed.status, listed.may_be_read_by) == (200, APPLICATION)
    assert (
        Answer(open_aws, "POST", "/", SAGEMAKER | MARKS["a page of another site"], CREATE_MODEL).status == 403
    )
    assert open_aws.client("sagemaker").list_models()["Models"] == []
