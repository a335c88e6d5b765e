"""Announcements as CloudEvents 1.0 in structured JSON, on the runtime's SNS topic.

The message is the whole event, so a queue subscribed with or without RawMessageDelivery gets the same JSON. `type`,
`namespace` and `name` are SNS message attributes as well: a subscription's filter policy sees those, not the body.

What Publish refuses is judged by what it is about:

    the announcement   InvalidParameter, ParameterValueInvalid, ValidationException        never arrives: given up at once
    the topic          NotFound, AuthorizationError, KMS..., "Invalid parameter: TopicArn" arrives once somebody mends it
    who asks           InvalidSecurity, expired tokens, clocks                             the same
    anything else      InternalError, throttling, words that nobody has documented         the same

Sources: CloudEvents 1.0.2, "JSON Event Format for CloudEvents"; SNS Developer Guide, "Message filtering"; SNS API
Reference, Publish and "Common errors", with the codes as botocore's model of SNS spells them (InvalidParameterValueException
comes as ParameterValueInvalid); "Invalid parameter: Message too long" is wellcomecollection/platform issue 1776.
"""

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError, ParamValidationError
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from avatar_api.avatar_runtime import AvatarRuntime
from avatar_api.group import API_VERSION
from avatar_operator.announcements.announcer import Announcement
from avatar_operator.announcements.recipients import topic_of
from avatar_operator.aws.clients import AwsClients
from avatar_operator.aws.errors import AWS_CALL_ERRORS, AwsCallError, aws_failure, error_code, error_text
from avatar_operator.backends.aws_failures import backend_error
from avatar_operator.backends.failures import BackendError
from avatar_operator.core.confidential import Confidential

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sns.type_defs import MessageAttributeValueTypeDef

MAX_MESSAGE_BYTES = 250_000
"""SNS takes 262144 bytes with attributes."""
FIFO_SUFFIX = ".fifo"
PARAMETER_CODES = frozenset(
    {
        "InvalidParameter",
        "InvalidParameterCombination",
        "InvalidParameterValue",
        "MissingParameter",
        "ParameterValueInvalid",
        "ValidationError",
        "ValidationException",
    }
)
"""How SNS says that it does not take a parameter of a call. Of ours, all but the topic's name are the announcement."""
TOPIC_PARAMETERS = ("Invalid parameter: TopicArn", "Invalid parameter: TargetArn")
"""How it begins the text if the parameter is the topic's name."""


class SnsAnnouncer:
    """Announcer on SNS.

    Args:
        clients: where calls run; closed by whoever made it.
    """

    def __init__(self, clients: AwsClients) -> None:
        self._clients = clients

    async def announce(self, runtime: AvatarRuntime, announcement: Announcement) -> None:
        """See Announcer.announce."""
        topic = topic_of(runtime, announcement.namespace)
        if topic is None:
            return
        message = to_cloud_event(announcement).decode()
        if len(message.encode()) > MAX_MESSAGE_BYTES:
            raise BackendError(
                "AnnouncementTooLarge", f"{announcement.type} is larger than SNS takes", retryable=False
            )
        region = topic_region(topic)
        try:
            await self._clients.sns(
                region, "Publish", lambda sns: _publish(sns, topic, message, announcement)
            )
        except AWS_CALL_ERRORS as error:
            raise announcement_error(error, f"announce {announcement.type} on {topic}") from error


def announcement_error(error: AwsCallError, doing: str) -> BackendError:
    """What a failed Publish means to whoever keeps the announcement: it is final only if the announcement is at fault.

    Args:
        error: what was raised.
        doing: what was attempted, for the platform team.
    """
    failure = aws_failure(error, doing)
    if _is_about_the_announcement(error):
        return BackendError("AnnouncementRefused", failure.message, retryable=False, said=failure.said)
    match failure.reason:
        case "NotFound":
            reason, advice = (
                "TopicNotFound",
                "Create the topic, or correct spec.notifications.statusTopicARN.",
            )
        case "AccessDenied":
            reason, advice = (
                "TopicDenied",
                "The topic's own policy must allow it, too, if it is another account's.",
            )
        case "AwsRejected":
            reason, advice = (
                "TopicRefused",
                "See that spec.notifications.statusTopicARN names the right topic.",
            )
        case _:
            return backend_error(failure)
    said = Confidential(f"{failure.said.reveal()} {advice}")
    return BackendError(reason, failure.message, retryable=True, said=said)


def _is_about_the_announcement(error: AwsCallError) -> bool:
    if isinstance(error, ClientError):
        is_about_a_parameter = error_code(error) in PARAMETER_CODES
        return is_about_a_parameter and not error_text(error).begin_with(*TOPIC_PARAMETERS)
    return isinstance(error, ParamValidationError)


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
            retryable=True,
        )
    return parts[3]
