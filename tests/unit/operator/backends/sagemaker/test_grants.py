"""What a piece of work may do, as IAM reads it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from avatar_operator.backends.failures import BackendError
from avatar_operator.backends.sagemaker.grants import MAX_POLICY_CHARACTERS, drawing_grant, training_grant
from builders.backend_objects import make_attempt, make_model
from builders.drawing_calls import CALL
from sagemaker_local.authorization.decision import Policies, Request, refusal

ROLE = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


def allows(policy: str, action: str, resource: str) -> bool:
    """Whether a session of an almighty role with this session policy may do something."""
    policies = Policies([ROLE], session=[json.loads(policy)])
    return refusal(policies, Request(action, resource, {})) is None


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov"])
def test_the_arns_are_those_of_the_roles_partition(partition: str) -> None:
    policy = drawing_grant(CALL).policy(partition)
    key = CALL.output_prefix.removeprefix("s3://")
    assert allows(policy, "s3:PutObject", f"arn:{partition}:s3:::{key}00-00-1.png")


@pytest.mark.parametrize("name", ["*", "?", "${aws:username}", "$"])
def test_a_name_that_iam_would_read_as_a_pattern_stands_for_itself(name: str) -> None:
    policy = drawing_grant(replace(CALL, output_prefix=f"s3://pictures/{name}/1/")).policy("aws")
    assert allows(policy, "s3:PutObject", f"arn:aws:s3:::pictures/{name}/1/00-00-1.png")
    assert not allows(policy, "s3:PutObject", "arn:aws:s3:::pictures/bob/1/00-00-1.png")
    assert not allows(policy, "s3:PutObject", "arn:aws:s3:::pictures/b/1/00-00-1.png")


def test_a_prefix_as_long_as_prefixes_get_fits_into_a_session_policy() -> None:
    policy = drawing_grant(replace(CALL, output_prefix=f"s3://{'b' * 63}/{'k' * 1000}/")).policy("aws-us-gov")
    assert len(policy) <= MAX_POLICY_CHARACTERS


def test_keys_of_kms_are_used_through_s3_alone() -> None:
    [_, kms] = json.loads(drawing_grant(CALL).policy("aws"))["Statement"]
    condition: Any = kms["Condition"]
    assert condition == {"StringLike": {"kms:ViaService": "s3.*.amazonaws.com*"}}


def listed(*uris: str) -> str:
    """The policy of an attempt whose photos are named one by one."""
    model = make_model({"objects": [{"uri": uri} for uri in uris]})
    policy = training_grant(model, make_attempt(model)).policy("aws")
    assert len(policy) <= MAX_POLICY_CHARACTERS
    return policy


def test_photos_that_are_named_are_granted_one_by_one() -> None:
    policy = listed(*(f"s3://photos/team-a/ann/{number}.png" for number in range(10)))
    assert allows(policy, "s3:GetObjectVersion", "arn:aws:s3:::photos/team-a/ann/9.png")
    assert not allows(policy, "s3:GetObject", "arn:aws:s3:::photos/team-a/ann/10.png")


def test_more_names_than_fit_are_granted_by_their_directories() -> None:
    policy = listed(*(f"s3://photos/team-a/ann/{number:03}.png" for number in range(100)))
    assert allows(policy, "s3:GetObject", "arn:aws:s3:::photos/team-a/ann/099.png")
    assert not allows(policy, "s3:GetObject", "arn:aws:s3:::photos/team-a/bob/1.png")


def test_photos_in_more_directories_than_fit_are_refused_with_what_to_do() -> None:
    with pytest.raises(BackendError) as caught:
        listed(*(f"s3://photos/team-a/{number:03}/1.png" for number in range(100)))
    assert (caught.value.reason, caught.value.retryable) == ("PhotosScattered", False)
    assert "100 directories" in caught.value.message


def test_an_attempt_of_the_longest_names_fits() -> None:
    model = make_model({"s3Prefix": f"s3://{'b' * 63}/{'k' * 500}/"})
    policy = training_grant(model, make_attempt(model)).policy("aws-us-gov")
    assert len(policy) <= MAX_POLICY_CHARACTERS
