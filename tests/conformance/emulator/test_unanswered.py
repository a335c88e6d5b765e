"""What nobody here implements is refused at once, in the protocol of the service, and is not retried."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from sagemaker_local.testing import LocalAws

REFUSED: list[tuple[str, str, dict[str, Any]]] = [
    ("sagemaker", "list_hubs", {}),
    ("rekognition", "detect_protective_equipment", {"Image": {"Bytes": b"x"}}),
    ("comprehend", "batch_detect_sentiment", {"TextList": ["x"], "LanguageCode": "en"}),
    ("bedrock-runtime", "converse", {"modelId": "m", "messages": []}),
    ("cloudwatch", "describe_anomaly_detectors", {}),
    ("lambda", "get_account_settings", {}),
    ("iam", "generate_organizations_access_report", {"EntityPath": "o-a/r-b/ou-c/1234567"}),
    ("sns", "get_data_protection_policy", {"ResourceArn": "arn:aws:sns:us-east-1:123456789012:t"}),
    ("ec2", "describe_fleet_history", {"FleetId": "f", "StartTime": 1}),
    ("route53", "get_geo_location", {}),
    ("kafkaconnect", "list_connectors", {}),
]


@pytest.mark.parametrize(("service", "operation", "parameters"), REFUSED)
def test_an_action_that_nobody_implements_is_refused_at_once(
    emulator: LocalAws, service: str, operation: str, parameters: dict[str, Any]
) -> None:
    client = emulator.client(service, Config(parameter_validation=False))
    with pytest.raises(ClientError) as refusal:
        getattr(client, operation)(**parameters)
    response = refusal.value.response
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 501
    assert response["ResponseMetadata"]["RetryAttempts"] == 0
    assert response["Error"]["Code"] in ("NotImplemented", "InternalFailure")
    assert "sagemaker-local" in response["Error"]["Message"]


def test_a_refusal_of_motos_own_passes_as_it_is(emulator: LocalAws) -> None:
    with pytest.raises(ClientError) as refusal:
        emulator.client("iam").get_user(UserName="nobody")
    assert refusal.value.response["Error"]["Code"] == "NoSuchEntity"


def test_shadow_variants_are_refused_and_not_left_out(user: Any) -> None:
    model = user.model()
    with pytest.raises(ClientError, match=r"NotImplemented.*shadow variants"):
        user.sagemaker.create_endpoint_config(
            EndpointConfigName=f"{user.name}-shadowed",
            ProductionVariants=[user.variant(model)],
            ShadowProductionVariants=[user.variant(model, VariantName="Shadow")],
        )


def test_an_asynchronous_multi_model_endpoint_is_refused(user: Any) -> None:
    model = user.model(Mode="MultiModel", ModelDataUrl=f"s3://{user.bucket}/models/")
    with pytest.raises(ClientError, match=r"ValidationException.*does not support multi-model"):
        user.endpoint(user.config(model, user.async_config()), status=None)
