"""sagemaker_local: AWS for SageMaker developers, on one machine.

S3, SNS, SQS, IAM, CloudWatch and SageMaker's records come from moto; endpoints, the asynchronous queue and the multi-model
platform, which nobody else emulates, are here, and they are real: an endpoint's instances are processes that speak SageMaker's
container contract. `application.py` shows how the parts hang together; docs/sagemaker-local.md says what is covered.
"""
