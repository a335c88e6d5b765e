"""What it means that the runtime API did not take an invocation. Pure.

InvokeEndpoint and InvokeEndpointAsync say ValidationError ("Inspect your request and try again") of a malformed request, of
an endpoint that is not there, changes, is of another kind or lacks a variant, and of a model that it cannot find. The
texts are not documented. So it is final only where the answer says for certain that it lies in the request itself, which
stays what it is: a member that breaks its documented constraint, or a body that is too large. Everything else may be
mended by whoever owns the endpoint, or by time, and is tried again until the deadline of whoever waits for it.

Sources: SageMaker API Reference, InvokeEndpoint and InvokeEndpointAsync ("Errors", and the constraints of the parameters).
Texts as users have quoted them: aws/aws-sdk-js issue 4203 (constraints), aws/sagemaker-python-sdk issues 171 (413) and 4271
("has oversize body").
"""

import re

from botocore.exceptions import ClientError

from avatar_operator.aws.errors import AwsCallError, aws_failure, error_code, error_text
from avatar_operator.backends.aws_failures import backend_error
from avatar_operator.backends.failures import BackendError
from avatar_operator.backends.sagemaker.endpoint_refusal import REFUSAL_SENTENCES, endpoint_refusal
from avatar_operator.core.confidential import FOR_THE_PLATFORM_TEAM

VALIDATION_CODES = ("ValidationError", "ValidationException")
TOO_LARGE_CODES = ("413", "RequestEntityTooLarge")
ENDPOINT_MEMBER = "endpointName"
"""The one member of a request that is not its own: the runtime names the endpoint, and may name another one."""
_BROKEN_CONSTRAINT = re.compile(
    r"\A\d+ validation errors? detected: Value (?:'.*?' )?at '(?P<member>\w+)' ", re.DOTALL
)
_OVERSIZE = re.compile(r"\ARequest \S+ has oversize body\b")


def invocation_error(error: AwsCallError, doing: str) -> BackendError:
    """What a failed call of the runtime API means.

    Args:
        error: what was raised.
        doing: what was attempted, for the platform team.
    """
    failure = aws_failure(error, doing)
    if not isinstance(error, ClientError):
        return backend_error(failure)
    if is_about_the_request(error):
        message = f"SageMaker can never take this call. {FOR_THE_PLATFORM_TEAM}"
        return BackendError("InvocationRejected", message, retryable=False, said=failure.said)
    refusal = endpoint_refusal(error_text(error)) if error_code(error) in VALIDATION_CODES else None
    if refusal is not None:
        return BackendError(refusal.value, REFUSAL_SENTENCES[refusal], retryable=True, said=failure.said)
    if not failure.retryable:
        message = f"The endpoint of the AvatarRuntime refuses the call. {FOR_THE_PLATFORM_TEAM}"
        return BackendError("EndpointRefused", message, retryable=True, said=failure.said)
    return backend_error(failure)


def is_about_the_request(error: ClientError) -> bool:
    """Whether the same call can never be taken, whatever becomes of the endpoint."""
    if error_code(error) in TOO_LARGE_CODES:
        return True
    if error_code(error) not in VALIDATION_CODES:
        return False
    text = error_text(error)
    broken = text.match(_BROKEN_CONSTRAINT)
    return text.match(_OVERSIZE) is not None or (broken is not None and broken["member"] != ENDPOINT_MEMBER)
