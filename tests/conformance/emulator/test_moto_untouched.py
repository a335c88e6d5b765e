"""What we do not emulate answers through us exactly as on plain moto server: the same calls are sent to both."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.response import StreamingBody

from conformance.emulator.moto_conversations import CONVERSATIONS, Step
from sagemaker_local.testing import REGION, LocalAws, environment_without_aws

PLAIN_MOTO = (
    "from moto.server import ThreadedMotoServer as S; import sys; s = S('127.0.0.1', 0, verbose=False); s.start(); "
    "print(s.get_host_and_port()[1], flush=True); sys.stdin.read()"
)
# What differs between any two servers: times and random ids. Headers are compared without those of the connection.
VOLATILE = frozenset(
    [
        "date",
        "connection",
        "transfer-encoding",
        "x-amzn-requestid",
        "x-amz-request-id",
        "x-amz-id-2",
        "x-amz-version-id",
        "requestid",
        "hostid",
        "last-modified",
        "uploadid",
        "versionid",
        "receipthandle",
        "messageid",
        "userid",
        "roleid",
        "policyid",
        "accesskeyid",
        "secretaccesskey",
        "content-length",
        "subscriptionarn",
        "sequencenumber",
        "nexttoken",
        "nextcontinuationtoken",
        "creationtime",
        "scalabletargetarn",
    ]
)
PATTERNS = (
    (re.compile(r"127\.0\.0\.1:\d+"), "server"),
    (re.compile(r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} [\d:]{8} GMT"), "a time"),
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[.\d]*Z?"), "a time"),
    (re.compile(r"(?<!\d)1[789]\d{8}(\d{3})?(\.\d+)?(?!\d)"), "a time"),
    (re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"), "an id"),
)


class Speaker:
    """Leads conversations with one server."""

    def __init__(self, endpoint_url: str, session: Any) -> None:
        self._endpoint_url = endpoint_url
        self._session = session
        self._clients: dict[str, Any] = {}

    def converse(self, steps: list[Step]) -> list[tuple[str, Any]]:
        """Say all steps. Returns what was asked and what was answered, comparable."""
        kept: dict[str, str] = {}
        said = []
        for service, operation, parameters, *keep in steps:
            answer = self._say(service, operation, filled_in(parameters, kept))
            for name, path in (keep[0] if keep else {}).items():
                kept[name] = pick(answer, path)
            said.append((f"{service} {operation} {parameters}"[:200], comparable(answer)))
        return said

    def _say(self, service: str, operation: str, parameters: dict[str, Any]) -> Any:
        if service not in self._clients:
            self._clients[service] = self._session.client(
                service,
                region_name=REGION,
                endpoint_url=self._endpoint_url,
                aws_access_key_id="test",
                aws_secret_access_key="test",
                config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
            )
        try:
            return getattr(self._clients[service], operation)(**parameters)
        except ClientError as refusal:
            return refusal.response


@pytest.fixture(scope="module")
def speakers() -> Iterator[tuple[Speaker, Speaker]]:
    """Those who speak with our server and with moto's own, each in a process of its own and without history."""
    session = boto3.session.Session()
    with (
        LocalAws() as ours,
        subprocess.Popen(
            [sys.executable, "-c", PLAIN_MOTO],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment_without_aws(),
        ) as plain,
    ):
        assert plain.stdin is not None
        assert plain.stdout is not None
        plain_url = f"http://127.0.0.1:{int(plain.stdout.readline())}"
        yield Speaker(ours.endpoint_url, session), Speaker(plain_url, session)
        plain.stdin.close()


@pytest.mark.parametrize("topic", CONVERSATIONS)
def test_the_answers_equal_those_of_plain_moto(speakers: tuple[Speaker, Speaker], topic: str) -> None:
    ours, plain = (speaker.converse(CONVERSATIONS[topic]) for speaker in speakers)
    for (asked, answer), (_, expected) in zip(ours, plain, strict=True):
        assert answer == expected, asked


def filled_in(parameters: Any, kept: dict[str, str]) -> Any:
    if isinstance(parameters, dict):
        return {name: filled_in(value, kept) for name, value in parameters.items()}
    if isinstance(parameters, list):
        return [filled_in(item, kept) for item in parameters]
    if isinstance(parameters, str):
        for name, value in kept.items():
            parameters = parameters.replace(f"{{{name}}}", value)
    return parameters


def pick(answer: Any, path: str) -> str:
    for part in path.split("."):
        answer = answer[int(part)] if part.isdigit() else answer[part]
    return str(answer)


def comparable(answer: Any) -> Any:
    """The answer without what differs between any two servers."""
    if isinstance(answer, dict):
        return {key: comparable(value) for key, value in answer.items() if key.lower() not in VOLATILE}
    if isinstance(answer, list):
        return [comparable(item) for item in answer]
    if isinstance(answer, StreamingBody):
        return answer.read()
    if hasattr(answer, "isoformat"):
        return "a time"
    if isinstance(answer, str):
        for pattern, stands_for in PATTERNS:
            answer = pattern.sub(stands_for, answer)
    return answer
