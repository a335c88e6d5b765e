"""Submitting a training: InvokeEndpointAsync with the location of its request document, exactly once.

What matters is what a failure means. If AWS refused, or was never reached, the training certainly does not run and the
same attempt may be submitted again. If the answer was lost (a read time-out, a broken connection, a 5xx), it may be
running and nobody knows: that is OutcomeUnknownError, and the reconciler fences the attempt before it spends again.
"""

from functools import cache

import boto3
from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ParamValidationError,
    ProxyConnectionError,
)

from avatar_api.avatar_runtime import AvatarRuntime
from avatar_api.documents.training import TrainingRequest
from avatar_operator.aws.clients import AwsClients
from avatar_operator.aws.errors import (
    AWS_CALL_ERRORS,
    CREDENTIAL_ERRORS,
    AwsCallError,
    error_code,
    error_text,
    http_status,
)
from avatar_operator.aws.s3_objects import JSON
from avatar_operator.backends.attempts import Submission
from avatar_operator.backends.failures import BackendError, OutcomeUnknownError
from avatar_operator.backends.sagemaker.invocation_errors import invocation_error
from avatar_operator.backends.sagemaker.runtime_spec import sagemaker_spec
from avatar_operator.locations import outcome_extension

MIN_TTL_SECONDS = 60
MAX_TTL_SECONDS = 21600
"""Limits of RequestTTLSeconds (SageMaker API Reference, InvokeEndpointAsync)."""
REQUEST_TIMEOUT_STATUS = 408
NEVER_SENT = (
    *CREDENTIAL_ERRORS,
    ConnectTimeoutError,
    EndpointConnectionError,
    ParamValidationError,
    ProxyConnectionError,
)
"""What is raised before the first byte of a call leaves. Anything else may come after."""


async def submit_training(
    clients: AwsClients, runtime: AvatarRuntime, request: TrainingRequest, document: str
) -> Submission:
    """See Compute.submit_training."""
    spec = sagemaker_spec(runtime)
    extension = outcome_extension(request.model.namespace, request.model.uid, request.inference_id)
    ttl = runtime.spec.limits.training.active_deadline_seconds
    try:
        answer = await clients.submission(
            spec.region,
            lambda client: client.invoke_endpoint_async(
                EndpointName=spec.training.endpoint_name,
                ContentType=JSON,
                Accept=JSON,
                InferenceId=request.inference_id,
                InputLocation=document,
                S3OutputPathExtension=extension,
                RequestTTLSeconds=max(MIN_TTL_SECONDS, min(ttl, MAX_TTL_SECONDS)),
                InvocationTimeoutSeconds=spec.training.invocation_timeout_seconds,
            ),
        )
    except AWS_CALL_ERRORS as error:
        raise submission_error(error, spec.training.endpoint_name) from error
    return Submission(
        endpoint_name=spec.training.endpoint_name,
        output_location=answer.get("OutputLocation"),
        failure_location=answer.get("FailureLocation"),
        log_url=log_url(spec.region, spec.training.endpoint_name),
    )


def submission_error(error: AwsCallError, endpoint_name: str) -> BackendError:
    """What a failed InvokeEndpointAsync means: certainly not accepted, or nobody knows."""
    doing = f"submit the training to endpoint {endpoint_name}"
    if isinstance(error, ClientError):
        status = http_status(error)
        if status >= 500 or status in (0, REQUEST_TIMEOUT_STATUS):
            return OutcomeUnknownError(
                f"could not {doing}: AWS answered {status} {error_code(error)}: {error_text(error).reveal()}"
            )
    elif not isinstance(error, NEVER_SENT):
        return OutcomeUnknownError(f"could not {doing}: the answer was lost ({type(error).__name__})")
    return invocation_error(error, doing)


def log_url(region: str, endpoint_name: str) -> str:
    """Where a person reads what the endpoint's containers wrote: the CloudWatch console, in the region's partition."""
    group = f"/aws/sagemaker/Endpoints/{endpoint_name}".replace("/", "$252F")
    return f"https://{region}.{_console(region)}/cloudwatch/home?region={region}#logsV2:log-groups/log-group/{group}"


@cache
def _console(region: str) -> str:
    # A session reads its data files anew, 50 ms in which the loop works for nobody.
    partition = boto3.session.Session().get_partition_for_region(region)
    return {
        "aws-cn": "console.amazonaws.cn",
        "aws-us-gov": "console.amazonaws-us-gov.com",
    }.get(partition, "console.aws.amazon.com")
