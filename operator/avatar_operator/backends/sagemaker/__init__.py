"""Train on a SageMaker asynchronous endpoint, draw on a SageMaker multi-model endpoint.

`compute` is the port's implementation, one line a verb; each verb lives in a file of its own. How a training flows:

    training    InvokeEndpointAsync, once, with the request document that Storage wrote
    hints       what SNS and the workers tell, through one SQS queue
    outcome     the output or failure object in S3 (`failure_text` reads what SageMaker wraps around a worker's words)
"""

from avatar_operator.backends.sagemaker.compute import SageMakerCompute

__all__ = ["SageMakerCompute"]
