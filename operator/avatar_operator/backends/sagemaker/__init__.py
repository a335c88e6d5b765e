"""Train on a SageMaker asynchronous endpoint, draw on a SageMaker multi-model endpoint.

`backend` is the port's implementation, one line a verb; each verb lives in a file of its own. How a training flows:

    training    request document to S3, then InvokeEndpointAsync, once
    fencing     who holds the attempt's claim, if nobody knows whether that call arrived
    outcome     the output or failure object in S3 (`failure_text` reads what SageMaker wraps around a worker's words)
    artifacts   whether the artifact is what the worker says it is

`layout` knows every S3 location and derives it from the runtime and the attempt alone.
"""

from avatar_operator.backends.sagemaker.backend import SageMakerBackend

__all__ = ["SageMakerBackend"]
