"""The part of SageMaker's control plane that moto only records: endpoints that live."""
