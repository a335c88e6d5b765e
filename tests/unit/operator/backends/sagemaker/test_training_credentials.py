"""The credentials of an attempt to train: where they are kept, who they are for, and that they go."""

from __future__ import annotations

from typing import Any

import pytest

from avatar_api.documents.credentials import AttemptCredentials
from avatar_api.documents.parsing import parse_document
from avatar_api.documents.training import TrainingRequest
from avatar_operator.backends.attempts import AttemptReference
from avatar_operator.backends.sagemaker.attempt_sessions import TRAINING_RENEWAL_SECONDS
from avatar_operator.backends.selection import Backend
from builders.backend_objects import BUCKET, make_attempt, make_model, make_runtime, make_training_request
from sagemaker_local.testing import LocalAws

MODEL = make_model()
WITHOUT_A_ROLE = make_runtime()


@pytest.fixture
def attempt() -> AttemptReference:
    return make_attempt(make_model())


@pytest.fixture
def runtime(local_aws: LocalAws) -> Any:
    iam = local_aws.client("iam")
    name = f"attempts-{id(local_aws)}"
    try:
        arn = iam.get_role(RoleName=name)["Role"]["Arn"]
    except iam.exceptions.NoSuchEntityException:
        arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    return make_runtime(attemptRoleARN=arn)


TRUST = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]}'


def sent(attempt: AttemptReference) -> TrainingRequest:
    return make_training_request(WITHOUT_A_ROLE, MODEL, attempt)


def stored(s3: Any, attempt: AttemptReference) -> list[str]:
    prefix = attempt.locations.credentials.removeprefix(f"s3://{BUCKET}/").rpartition("/")[0]
    return [
        entry["Key"].rpartition("/")[2]
        for entry in s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])
    ]


def kept(s3: Any, attempt: AttemptReference) -> AttemptCredentials:
    key = attempt.locations.credentials.removeprefix(f"s3://{BUCKET}/")
    return parse_document(AttemptCredentials, s3.get_object(Bucket=BUCKET, Key=key)["Body"].read())


async def test_they_lie_beside_the_request_and_newer_ones_take_their_place(
    backend: Backend, runtime: Any, attempt: AttemptReference, s3: Any
) -> None:
    assert await backend.compute.give_credentials(runtime, attempt, sent(attempt)) == TRAINING_RENEWAL_SECONDS
    first = kept(s3, attempt)
    assert first.inference_id == attempt.inference_id
    await backend.compute.give_credentials(runtime, attempt, sent(attempt))
    assert kept(s3, attempt).credentials.access_key_id != first.credentials.access_key_id


async def test_a_runtime_without_an_attempt_role_gives_none(
    backend: Backend, attempt: AttemptReference, s3: Any
) -> None:
    assert await backend.compute.give_credentials(WITHOUT_A_ROLE, attempt, sent(attempt)) is None
    assert stored(s3, attempt) == []


async def test_they_go_when_the_attempt_is_over(
    backend: Backend, runtime: Any, attempt: AttemptReference, s3: Any
) -> None:
    await backend.compute.give_credentials(runtime, attempt, sent(attempt))
    for _ in range(2):
        await backend.compute.withdraw_credentials(runtime, attempt)
        assert stored(s3, attempt) == []


@pytest.mark.parametrize("verb", ["fence_attempt", "revoke_claim"])
async def test_they_go_with_the_claim(
    backend: Backend, runtime: Any, attempt: AttemptReference, s3: Any, verb: str
) -> None:
    await backend.compute.give_credentials(runtime, attempt, sent(attempt))
    await getattr(backend.storage, verb)(runtime, attempt)
    assert stored(s3, attempt) == ["claim.json"]


async def test_they_go_with_the_model(backend: Backend, runtime: Any, s3: Any) -> None:
    model = make_model()
    attempt = make_attempt(model)
    await backend.compute.give_credentials(runtime, attempt, sent(attempt))
    await backend.storage.delete_model_data(runtime, model, artifacts=False)
    assert stored(s3, attempt) == []
