"""What a piece of work may do, as IAM reads it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from avatar_operator.backends.sagemaker.grants import drawing_grant
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
    assert len(policy) <= 2048


def test_keys_of_kms_are_used_through_s3_alone() -> None:
    [_, kms] = json.loads(drawing_grant(CALL).policy("aws"))["Statement"]
    condition: Any = kms["Condition"]
    assert condition == {"StringLike": {"kms:ViaService": "s3.*.amazonaws.com*"}}
