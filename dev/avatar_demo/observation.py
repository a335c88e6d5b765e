"""Everything that the demo shows, gathered once and frozen: three objects, the pictures in S3, the user's events.

The demo looks as a user would: the objects through the API server, the pictures in the bucket, and what the operator
tells the user's own applications by SNS and SQS. It asks nobody else, least of all the operator.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kubernetes import client as kubernetes_client
from kubernetes import config as kubernetes_config
from kubernetes.client.exceptions import ApiException

from avatar_api.avatar_model import AvatarModel
from avatar_api.avatar_request import AvatarRequest
from avatar_api.avatar_runtime import AvatarRuntime
from avatar_api.group import AVATAR_MODEL, AVATAR_REQUEST, AVATAR_RUNTIME, GROUP, VERSION, Kind
from avatar_demo.aws_account import AwsAccount
from avatar_demo.example import Example

MAX_MESSAGES = 10
"""The most that SQS gives at once."""


@dataclass(frozen=True)
class LandedPicture:
    """A picture that lies in S3, with its content (PNG)."""

    uri: str
    png: bytes


@dataclass(frozen=True)
class ReceivedEvent:
    """A CloudEvent of the user's namespace. `data` is the event's data, JSON."""

    type: str
    time: str
    subject: str
    uid: str
    data: dict[str, Any]


@dataclass(frozen=True)
class Snapshot:
    """What is to be seen at one instant. An object that is not there is None."""

    runtime: AvatarRuntime | None = None
    model: AvatarModel | None = None
    request: AvatarRequest | None = None
    pictures: tuple[LandedPicture, ...] = ()
    events: tuple[ReceivedEvent, ...] = ()


class Observer:
    """Looks at the example's objects and at what comes of them.

    Args:
        kubeconfig: credentials that may read them.
        aws: the account with bucket and queue.
        example: which objects.
        queue_url: receives the events of the user's namespace; they are taken off it.
    """

    def __init__(self, kubeconfig: Path, aws: AwsAccount, example: Example, queue_url: str) -> None:
        api_client = kubernetes_config.new_client_from_config(config_file=str(kubeconfig))  # type: ignore[no-untyped-call]
        self._objects = kubernetes_client.CustomObjectsApi(api_client)
        self._core_events = kubernetes_client.EventsV1Api(api_client)
        self._aws = aws
        self._example = example
        self._queue_url = queue_url
        self._pictures: dict[str, LandedPicture] = {}
        self._events: list[ReceivedEvent] = []

    def observe(self) -> Snapshot:
        """Look once.

        Raises:
            ApiException, urllib3's and botocore's errors: the API server or AWS does not answer.
        """
        namespace = self._example.namespace
        runtime = self._get(AVATAR_RUNTIME, "", self._example.runtime.metadata.name)
        model = self._get(AVATAR_MODEL, namespace, self._example.model.metadata.name)
        request = self._get(AVATAR_REQUEST, namespace, self._example.request.metadata.name)
        typed_request = AvatarRequest.model_validate(request) if request else None
        self._fetch_pictures(typed_request)
        self._receive_events()
        uids = {body["metadata"]["uid"] for body in (runtime, model, request) if body}
        return Snapshot(
            runtime=AvatarRuntime.model_validate(runtime) if runtime else None,
            model=AvatarModel.model_validate(model) if model else None,
            request=typed_request,
            pictures=tuple(self._pictures[uri] for uri in sorted(self._pictures)),
            events=tuple(event for event in self._events if event.uid in uids),
        )

    def kubernetes_events(self, uids: set[str]) -> list[dict[str, Any]]:
        """The Events about some objects, oldest first, as plain dictionaries."""
        answer: Any = self._core_events.list_event_for_all_namespaces(_preload_content=False)
        events = [
            event
            for event in json.loads(answer.data)["items"]
            if event.get("regarding", {}).get("uid") in uids
        ]
        return sorted(events, key=lambda event: str(event.get("eventTime")))

    def _get(self, kind: Kind, namespace: str, name: str) -> dict[str, Any] | None:
        try:
            if kind.namespaced:
                body: Any = self._objects.get_namespaced_custom_object(
                    GROUP, VERSION, namespace, kind.plural, name
                )
            else:
                body = self._objects.get_cluster_custom_object(GROUP, VERSION, kind.plural, name)
        except ApiException as error:
            if error.status == 404:
                return None
            raise
        return dict(body)

    def _fetch_pictures(self, request: AvatarRequest | None) -> None:
        if request is None or request.status.storage_prefix is None:
            return
        bucket, _, prefix = request.status.storage_prefix.removeprefix("s3://").partition("/")
        for entry in self._aws.s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", []):
            uri = f"s3://{bucket}/{entry['Key']}"
            if uri not in self._pictures:
                content = self._aws.s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read()
                self._pictures[uri] = LandedPicture(uri, content)

    def _receive_events(self) -> None:
        while True:
            answer = self._aws.sqs.receive_message(
                QueueUrl=self._queue_url, MaxNumberOfMessages=MAX_MESSAGES, WaitTimeSeconds=0
            )
            messages = answer.get("Messages", [])
            for message in messages:
                self._events.append(cloud_event(message["Body"]))
                self._aws.sqs.delete_message(QueueUrl=self._queue_url, ReceiptHandle=message["ReceiptHandle"])
            if not messages:
                return


def cloud_event(body: str) -> ReceivedEvent:
    """Read a CloudEvent in structured JSON, as an application would."""
    event = json.loads(body)
    data = event.get("data", {})
    return ReceivedEvent(
        type=event["type"],
        time=event["time"],
        subject=event.get("subject", ""),
        uid=data.get("object", {}).get("uid", ""),
        data=data,
    )
