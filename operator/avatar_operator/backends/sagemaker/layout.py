"""Where everything of a SageMaker runtime lies in S3. Pure: derived from the runtime and the attempt, never remembered.

    <requests><namespace>/<uid>/r<revision>-a<attempt>/request.json, claim.json
    <requests>output/<namespace>/<uid>/<inference id>/...             what SageMaker stores of a success
    <requests>failure/<namespace>/<uid>/<inference id>/...            and of a failure
    <artifacts><namespace>/<uid>/r<revision>-a<attempt>.tar.gz, .manifest.json
    <outputs><namespace>/<uid>/..., or <prefix of the request><uid>/...    pictures

SageMaker chooses the last part of an output's key, so outcomes are found by listing, unless the answer of
InvokeEndpointAsync was recorded.
"""

from avatar_api.avatar_model import AvatarModel
from avatar_api.avatar_request import AvatarRequest
from avatar_api.avatar_runtime import AvatarRuntime
from avatar_api.runtime_backend import SageMakerBackend as SageMakerSpec
from avatar_operator.aws.s3_location import S3Location
from avatar_operator.backends.base import AttemptReference, BackendError
from avatar_operator.names import attempt_directory

JSON = "application/json"


def sagemaker_spec(runtime: AvatarRuntime) -> SageMakerSpec:
    """What the runtime says about SageMaker.

    Raises:
        BackendError: the runtime has another backend.
    """
    spec = runtime.spec.backend.sagemaker
    if spec is None:
        raise BackendError(
            "BackendMismatch",
            f"AvatarRuntime {runtime.metadata.name} has no spec.backend.sagemaker",
            retryable=False,
        )
    return spec


def request_document(runtime: AvatarRuntime, attempt: AttemptReference) -> S3Location:
    """The document that SageMaker hands to the worker."""
    return _attempt_prefix(runtime, attempt).below("request.json")


def claim(runtime: AvatarRuntime, attempt: AttemptReference) -> S3Location:
    """The object that decides who owns the attempt: the same as the request document's claimUri."""
    return _attempt_prefix(runtime, attempt).below("claim.json")


def _attempt_prefix(runtime: AvatarRuntime, attempt: AttemptReference) -> S3Location:
    directory = attempt_directory(attempt.namespace, attempt.uid, attempt.revision, attempt.attempt)
    return S3Location.parse(runtime.spec.storage.requests).below(directory)


def output_path(runtime: AvatarRuntime) -> S3Location:
    """S3OutputPath of the training endpoint that we manage."""
    return S3Location.parse(f"{runtime.spec.storage.requests}output/")


def failure_path(runtime: AvatarRuntime) -> S3Location:
    """S3FailurePath of the training endpoint that we manage."""
    return S3Location.parse(f"{runtime.spec.storage.requests}failure/")


def output_extension(namespace: str, uid: str, inference_id: str) -> str:
    """S3OutputPathExtension of an attempt: keeps tenants apart below the endpoint's one output path."""
    return f"{object_directory(namespace, uid)}{inference_id}"


def object_directory(namespace: str, uid: str) -> str:
    """The part of every key that belongs to one Kubernetes object. Ends with a slash."""
    return f"{namespace}/{uid}/"


def model_data_prefixes(
    runtime: AvatarRuntime, model: AvatarModel, outputs: S3Location, failures: S3Location
) -> list[S3Location]:
    """Below these stand a model's requests, claims, outputs and failures, and nothing else.

    Args:
        outputs: S3OutputPath of the training endpoint.
        failures: its S3FailurePath.
    """
    directory = object_directory(model.metadata.namespace, model.metadata.uid)
    requests = S3Location.parse(runtime.spec.storage.requests)
    return [prefix.below(directory) for prefix in (requests, outputs, failures)]


def artifact_prefix(runtime: AvatarRuntime, model: AvatarModel) -> S3Location:
    """Below this stand a model's artifacts and manifests, and nothing else."""
    directory = object_directory(model.metadata.namespace, model.metadata.uid)
    return S3Location.parse(runtime.spec.storage.artifacts).below(directory)


def picture_prefix(runtime: AvatarRuntime, request: AvatarRequest) -> S3Location:
    """Below this stand the pictures of a request, and nothing else, even if requests share an output prefix.

    The same prefix that `request_lifecycle.pictures.output_prefix` lets them be drawn to; a test holds them together.
    """
    if request.spec.output is not None:
        return S3Location.parse(request.spec.output.prefix).below(f"{request.metadata.uid}/")
    directory = object_directory(request.metadata.namespace, request.metadata.uid)
    return S3Location.parse(runtime.spec.storage.outputs).below(directory)
