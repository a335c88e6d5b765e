"""Announcements as CloudEvents 1.0 in structured JSON, on the runtime's SNS topic.

The message is the whole event, so a queue subscribed with or without RawMessageDelivery gets the same JSON. `type`,
`namespace` and `name` are SNS message attributes as well: a subscription's filter policy sees those, not the body.

A topic that is missing or denied is the platform's to mend, and the same announcement arrives once it has; what SNS has
read and refused will never arrive.

Source: CloudEvents 1.0.2, "JSON Event Format for CloudEvents"; SNS Developer Guide, "Message filtering".
"""

from typing import TYPE_CHECKING

from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from avatar_api.avatar_runtime import AvatarRuntime
from avatar_api.group import API_VERSION
from avatar_operator.announcements.announcer import Announcement
from avatar_operator.aws.clients import AwsClients
from avatar_operator.aws.errors import AwsFailure, aws_errors
from avatar_operator.backends.aws_failures import backend_error, raises_backend_error
from avatar_operator.backends.failures import BackendError

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sns.type_defs import MessageAttributeValueTypeDef

MAX_MESSAGE_BYTES = 250_000
"""SNS takes 262144 bytes with attributes."""
FIFO_SUFFIX = ".fifo"


class SnsAnnouncer:
    """Announcer on SNS.

    Args:
        clients: where calls run; closed by whoever made it.
    """

    def __init__(self, clients: AwsClients) -> None:
        self._clients = clients

    @raises_backend_error
    async def announce(self, runtime: AvatarRuntime, announcement: Announcement) -> None:
        """See Announcer.announce."""
        notifications = runtime.spec.notifications
        if notifications is None or notifications.status_topic_arn is None:
            return
        topic = notifications.status_topic_arn
        message = to_cloud_event(announcement).decode()
        if len(message.encode()) > MAX_MESSAGE_BYTES:
            raise BackendError(
                "AnnouncementTooLarge", f"{announcement.type} is larger than SNS takes", retryable=False
            )
        region = topic_region(topic)
        try:
            with aws_errors(f"announce {announcement.type} on {topic}"):
                await self._clients.sns(
                    region, "Publish", lambda sns: _publish(sns, topic, message, announcement)
                )
        except AwsFailure as failure:
            raise announcement_error(failure) from failure


def announcement_error(failure: AwsFailure) -> BackendError:
    """What a failed Publish means to whoever keeps the announcement."""
    match failure.reason:
        case "NotFound":
            return BackendError(
                "TopicNotFound",
                f"{failure.message} Create the topic, or correct spec.notifications.statusTopicARN.",
                retryable=True,
            )
        case "AccessDenied":
            return BackendError(
                "TopicDenied",
                f"{failure.message} The topic's own policy must allow it, too, if it is another account's.",
                retryable=True,
            )
        case "AwsRejected":
            return BackendError("AnnouncementRefused", failure.message, retryable=False)
    return backend_error(failure)


def _publish(sns: "SNSClient", topic: str, message: str, announcement: Announcement) -> None:
    attributes: dict[str, MessageAttributeValueTypeDef] = {
        name: {"DataType": "String", "StringValue": value}
        for name, value in (
            ("type", announcement.type),
            ("namespace", announcement.namespace),
            ("name", announcement.name),
        )
        if value
    }
    if topic.endswith(FIFO_SUFFIX):
        sns.publish(
            TopicArn=topic,
            Message=message,
            MessageAttributes=attributes,
            MessageGroupId=announcement.uid,
            MessageDeduplicationId=announcement.id,
        )
    else:
        sns.publish(TopicArn=topic, Message=message, MessageAttributes=attributes)


def to_cloud_event(announcement: Announcement) -> bytes:
    """The event in CloudEvents' structured JSON.

    Source and id together are unique: the source is the object's path in the Kubernetes API, the subject its name as
    people say it.
    """
    subject = "/".join(part for part in (announcement.namespace, announcement.name) if part)
    event = CloudEvent(
        {
            "id": announcement.id,
            "source": _api_path(announcement),
            "type": announcement.type,
            "subject": subject,
            "time": announcement.time,
            "datacontenttype": "application/json",
        },
        {
            "object": {
                "kind": announcement.kind.kind,
                "namespace": announcement.namespace,
                "name": announcement.name,
                "uid": announcement.uid,
            },
            **announcement.data,
        },
    )
    return JSONFormat().write(event)


def _api_path(announcement: Announcement) -> str:
    namespace = f"/namespaces/{announcement.namespace}" if announcement.namespace else ""
    return f"/apis/{API_VERSION}{namespace}/{announcement.kind.plural}/{announcement.name}"


def topic_region(topic_arn: str) -> str:
    """The region that an SNS topic lives in.

    Raises:
        BackendError: the ARN is none of an SNS topic.
    """
    parts = topic_arn.split(":")
    if len(parts) != 6 or parts[2] != "sns" or not parts[3]:
        raise BackendError(
            "InvalidTopic",
            f"{topic_arn!r} is no SNS topic: spec.notifications.statusTopicARN should read arn:aws:sns:REGION:ACCOUNT:NAME",
            retryable=False,
        )
    return parts[3]
