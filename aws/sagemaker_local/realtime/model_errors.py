"""ModelError: the container's failure as the caller of InvokeEndpoint sees it.

HTTP 424, with the container's own status and message, and a sentence whose wording clients are known to parse:
`Received client|server error (NNN) from primary with message "...". See https://...#logEventViewer:group=... in account ... for
more information.`; a time-out is reported with status 0.
"""

from __future__ import annotations

from sagemaker_local.errors import AwsError
from sagemaker_local.instances.container_http import ContainerAnswer
from sagemaker_local.instances.instance import Instance

MAX_QUOTED_CHARACTERS = 4_096


def from_answer(answer: ContainerAnswer, instance: Instance) -> AwsError:
    """The error for a container's answer that is not 2xx."""
    client = 400 <= answer.status < 500
    return _model_error(
        instance,
        "client" if client else "server",
        answer.status,
        answer.body.decode("utf-8", "replace"),
        "CLIENT_ERROR_FROM_MODEL" if client else "INTERNAL_FAILURE_FROM_MODEL",
    )


def timed_out(instance: Instance) -> AwsError:
    """The error for a container that did not answer in time."""
    return no_answer(
        instance,
        "Your invocation timed out while waiting for a response from container primary. "
        "Review the latency metrics for each container in Amazon CloudWatch, resolve the issue, and try again.",
    )


def no_answer(instance: Instance, message: str) -> AwsError:
    """The error for a container that gave no complete answer."""
    return _model_error(instance, "server", 0, message, "INTERNAL_FAILURE_FROM_MODEL")


def _model_error(instance: Instance, kind: str, status: int, message: str, code: str) -> AwsError:
    scope, endpoint = instance.placement.scope, instance.placement.endpoint
    console = (
        f"https://{scope.region}.console.aws.amazon.com/cloudwatch/home?region={scope.region}"
        f"#logEventViewer:group=/aws/sagemaker/Endpoints/{endpoint}"
    )
    sentence = (
        f'Received {kind} error ({status}) from primary with message "{message[:MAX_QUOTED_CHARACTERS]}". '
        f"See {console} in account {scope.account} for more information."
    )
    fields = {
        "ErrorCode": code,
        "OriginalStatusCode": status,
        "OriginalMessage": message[:MAX_QUOTED_CHARACTERS],
        "LogStreamArn": instance.log_stream_arn,
    }
    return AwsError("ModelError", sentence, 424, fields)
