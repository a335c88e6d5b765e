"""What an AvatarRuntime says about SageMaker, if it does."""

from avatar_api.avatar_runtime import AvatarRuntime
from avatar_api.sagemaker_backend import SageMakerBackend as SageMakerSpec
from avatar_operator.backends.failures import BackendError


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
