"""The SNS topic that users' applications hear from: one for each namespace, or the platform's own.

Whoever is subscribed to a topic hears all of it. `{namespace}` in its name gives each namespace one to itself; a topic
without it tells of every tenant, and is for the platform team alone.
"""

from typing import Annotated

from avatar_api.allowed_prefixes import ANY_NAME, NAMESPACE
from avatar_api.sagemaker_backend import ARN_PATTERN, ARN_SENTENCE
from avatar_api.validation_rules import spelled

_LONGEST_NAME = "n" * 63

StatusTopicArn = Annotated[
    str,
    spelled(
        ARN_PATTERN,
        ARN_SENTENCE,
        (
            r"self.matches(r'^arn:aws[a-z\-]*:sns:[a-z0-9\-]+:[0-9]{12}:([A-Za-z0-9_\-]|\{namespace\})+(\.fifo)?$')",
            "statusTopicARN names an SNS topic, whose name is letters, digits, dashes, underscores and {namespace}:"
            " arn:aws:sns:eu-central-1:123456789012:avatars-{namespace}",
        ),
        (
            f"self.split(':').size() != 6 || size(self.split(':')[5].replace('{NAMESPACE}', '{_LONGEST_NAME}')) <= 256",
            "the name of an SNS topic is at most 256 characters, and {namespace} may become 63",
        ),
        max_length=2048,
    ),
]

_TOPIC = "self.notifications.statusTopicARN"
_SAGEMAKERS = "self.backend.sagemaker.notifications"

OF_NOBODY_ELSE = (
    f"!has(self.notifications) || !has({_TOPIC}) || !{_TOPIC}.contains('{NAMESPACE}') || !has(self.backend.sagemaker)"
    f" || [{_SAGEMAKERS}.successTopicARN, {_SAGEMAKERS}.errorTopicARN].all(topic,"
    rf" !topic.matches('^\\Q' + {_TOPIC}.replace('{NAMESPACE}', {ANY_NAME}) + '\\E$'))",
    "statusTopicARN must not be successTopicARN or errorTopicARN for any namespace, whose subscribers would hear of everybody's"
    " trainings: give it a name that begins or ends differently",
)
"""For the runtime's spec."""
