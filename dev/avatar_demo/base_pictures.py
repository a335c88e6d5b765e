"""The same prompts and seeds, drawn by the base: what the personal model is to be compared with.

A multi-model endpoint draws only with a model that is named. So the same serving image is put behind an ordinary
endpoint for a moment, where its `/invocations` draws with the base itself: same code, same document, same seeds, no
personal model. The endpoint is gone before the demo goes on.
"""

from __future__ import annotations

import base64
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import ClientError

from avatar_api.avatar_request import AvatarRequest
from avatar_api.avatar_runtime import AvatarRuntime
from avatar_api.documents.inference import (
    MAX_PICTURES_PER_INVOCATION,
    InferenceRequest,
    InferenceResult,
    PictureRequest,
)
from avatar_demo.aws_account import AwsAccount
from avatar_demo.errors import DemoError

START_SECONDS = 120.0
_POLL_SECONDS = 0.2
_DELETE_SECONDS = 30.0


def draw_with_base(aws: AwsAccount, runtime: AvatarRuntime, request: AvatarRequest) -> list[bytes]:
    """Draw what a finished request has drawn, without its personal model.

    Args:
        aws: the account.
        runtime: whose base model and serving image to use.
        request: a request that succeeded; its status says which seeds were used.

    Returns:
        One PNG for each of `request.status.images`, in their order.

    Raises:
        DemoError: the endpoint did not come up.
        botocore's errors: it did not draw.
    """
    wanted = picture_requests(request)
    drawn: dict[tuple[int, int], bytes] = {}
    with _base_endpoint(aws, runtime) as endpoint_name:
        for start in range(0, len(wanted), MAX_PICTURES_PER_INVOCATION):
            chunk = wanted[start : start + MAX_PICTURES_PER_INVOCATION]
            answer = aws.sagemaker_runtime.invoke_endpoint(
                EndpointName=endpoint_name,
                ContentType="application/json",
                Body=inference_request(runtime, request, chunk).model_dump_json(
                    by_alias=True, exclude_none=True
                ),
            )
            result = InferenceResult.model_validate_json(answer["Body"].read())
            for picture in result.pictures:
                place = (picture.prompt_index, picture.image_index)
                drawn[place] = base64.b64decode(picture.png_base64 or "")
    return [drawn[picture.prompt_index, picture.image_index] for picture in wanted]


def picture_requests(request: AvatarRequest) -> list[PictureRequest]:
    """What to draw, picture by picture, from what the status says was drawn. Pure."""
    return [
        PictureRequest(
            prompt=request.spec.prompts[image.prompt_index].prompt,
            negative_prompt=request.spec.prompts[image.prompt_index].negative_prompt or "",
            seed=image.seed,
            prompt_index=image.prompt_index,
            image_index=image.image_index,
        )
        for image in request.status.images
    ]


def inference_request(
    runtime: AvatarRuntime, request: AvatarRequest, pictures: list[PictureRequest]
) -> InferenceRequest:
    """The document that the serving worker obeys, with the same settings that the operator used. Pure."""
    spec, defaults = request.spec, runtime.spec.defaults.inference
    return InferenceRequest(
        pictures=pictures,
        num_inference_steps=spec.steps or defaults.steps,
        guidance_scale=float(spec.guidance or defaults.guidance),
        width=spec.width or defaults.width,
        height=spec.height or defaults.height,
        scheduler=spec.scheduler or defaults.scheduler,
    )


@contextmanager
def _base_endpoint(aws: AwsAccount, runtime: AvatarRuntime) -> Iterator[str]:
    sagemaker = runtime.spec.backend.sagemaker
    role = None
    if sagemaker is not None:
        role = sagemaker.inference.execution_role_arn or sagemaker.execution_role_arn
    if sagemaker is None or sagemaker.inference.image is None or role is None:
        raise DemoError(f"AvatarRuntime {runtime.metadata.name} does not say how to serve its base model")
    name = f"demo-base-{uuid.uuid4().hex[:8]}"
    base = runtime.spec.base_model
    try:
        aws.sagemaker.create_model(
            ModelName=name,
            ExecutionRoleArn=role,
            PrimaryContainer={
                "Image": sagemaker.inference.image,
                "Environment": {
                    "AVATAR_BASE_MODEL_SOURCE": base.source,
                    "AVATAR_BASE_MODEL_REVISION": base.revision,
                    "AVATAR_BASE_MODEL_SHA256": base.sha256,
                },
            },
        )
        aws.sagemaker.create_endpoint_config(
            EndpointConfigName=name,
            ProductionVariants=[
                {
                    "VariantName": "AllTraffic",
                    "ModelName": name,
                    "InstanceType": "ml.g5.xlarge",
                    "InitialInstanceCount": 1,
                }
            ],
        )
        aws.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
        _wait_until_in_service(aws, name)
        yield name
    finally:
        _delete_endpoint(aws, name)
        aws.sagemaker.delete_endpoint_config(EndpointConfigName=name)
        aws.sagemaker.delete_model(ModelName=name)


def _wait_until_in_service(aws: AwsAccount, name: str) -> None:
    # boto3's own waiter looks every 30 seconds.
    deadline = time.monotonic() + START_SECONDS
    while (endpoint := aws.sagemaker.describe_endpoint(EndpointName=name))["EndpointStatus"] == "Creating":
        if time.monotonic() > deadline:
            raise DemoError(f"the endpoint of the base is still Creating after {START_SECONDS:.0f} s")
        time.sleep(_POLL_SECONDS)
    if endpoint["EndpointStatus"] != "InService":
        raise DemoError(
            f"the endpoint of the base is {endpoint['EndpointStatus']}: {endpoint.get('FailureReason', '')}"
        )


def _delete_endpoint(aws: AwsAccount, name: str) -> None:
    """Delete the endpoint, even one that is still being created: SageMaker refuses that until it has settled."""
    deadline = time.monotonic() + _DELETE_SECONDS
    while True:
        try:
            aws.sagemaker.delete_endpoint(EndpointName=name)
        except ClientError as error:
            settled = "in-progress" not in str(error)
            if settled or time.monotonic() > deadline:
                return
            time.sleep(_POLL_SECONDS)
        else:
            return
