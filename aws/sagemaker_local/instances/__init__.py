"""Instances: local processes that stand for SageMaker's hosts and speak the container contract."""
