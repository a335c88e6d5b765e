"""What a piece of work may do, as IAM reads it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from avatar_operator.backends.sagemaker.grants import Grant, drawing_grant, training_grants
from builders.backend_objects import make_attempt, make_model
from builders.drawing_calls import CALL
from sagemaker_local.authorization.decision import Policies, Request, refusal

ATTEMPT = make_attempt(make_model())
ROLE = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


def drawing(output_prefix: str = CALL.output_prefix) -> Grant:
    return drawing_grant(CALL.request_uid, output_prefix)


def allows(policy: str, action: str, resource: str) -> bool:
    """Whether a session of an almighty role with this session policy may do something."""
    policies = Policies([ROLE], session=[json.loads(policy)])
    return refusal(policies, Request(action, resource, {})) is None


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov"])
def test_the_arns_are_those_of_the_roles_partition(partition: str) -> None:
    policy = drawing().policy(partition)
    key = CALL.output_prefix.removeprefix("s3://")
    assert allows(policy, "s3:PutObject", f"arn:{partition}:s3:::{key}00-00-1.png")


@pytest.mark.parametrize("name", ["*", "?", "${aws:username}", "$"])
def test_a_name_that_iam_would_read_as_a_pattern_stands_for_itself(name: str) -> None:
    policy = drawing(f"s3://pictures/{name}/1/").policy("aws")
    assert allows(policy, "s3:PutObject", f"arn:aws:s3:::pictures/{name}/1/00-00-1.png")
    assert not allows(policy, "s3:PutObject", "arn:aws:s3:::pictures/bob/1/00-00-1.png")
    assert not allows(policy, "s3:PutObject", "arn:aws:s3:::pictures/b/1/00-00-1.png")


@pytest.mark.parametrize("name", ["Jürgen", "Ærø", "Аня", "日本", "\U0001f600", 'a"b'])
def test_a_name_is_spelled_so_that_sts_takes_it_and_iam_reads_it(name: str) -> None:
    policy = drawing(f"s3://pictures/{name}/1/").policy("aws")
    assert max(policy) <= "\xff"
    assert allows(policy, "s3:PutObject", f"arn:aws:s3:::pictures/{name}/1/00-00-1.png")


def test_a_letter_that_sts_takes_counts_once() -> None:
    plain, umlaut = (drawing(f"s3://pictures/{name}/").policy("aws") for name in ("Juergen", "Jürgen"))
    assert len(umlaut) == len(plain) - 1


def test_keys_of_kms_are_used_through_s3_alone() -> None:
    [_, kms] = json.loads(drawing().policy("aws"))["Statement"]
    condition: Any = kms["Condition"]
    assert condition == {"StringLike": {"kms:ViaService": "s3.*.amazonaws.com*"}}


def granted(*uris: str) -> tuple[str, str]:
    """The policies of an attempt with some photos: the narrow one, and the one for too many names."""
    narrow, wide = training_grants(ATTEMPT, uris)
    return narrow.policy("aws"), wide.policy("aws")


def test_photos_are_granted_one_by_one_and_else_by_their_directories() -> None:
    narrow, wide = granted(*(f"s3://photos/team-a/ann/{number}.png" for number in range(10)))
    for policy in (narrow, wide):
        assert allows(policy, "s3:GetObjectVersion", "arn:aws:s3:::photos/team-a/ann/9.png")
        assert not allows(policy, "s3:GetObject", "arn:aws:s3:::photos/team-a/bob/1.png")
    other = "arn:aws:s3:::photos/team-a/ann/10.png"
    assert (allows(narrow, "s3:GetObject", other), allows(wide, "s3:GetObject", other)) == (False, True)


def test_a_directory_in_another_is_not_named_again() -> None:
    _, wide = granted(*(f"s3://photos/ann/{name}.png" for name in ("1", "a/1", "a/b/1", "ab/1")))
    assert wide == granted("s3://photos/ann/1.png")[1]


def test_each_key_of_an_attempts_own_stands_in_its_policy_once() -> None:
    policy, _ = granted("s3://photos/1.png")
    for uri in (ATTEMPT.locations.claim, ATTEMPT.locations.artifact, ATTEMPT.locations.manifest):
        assert policy.count(uri.removeprefix("s3://")) == 1
