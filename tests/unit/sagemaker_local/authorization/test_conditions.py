"""Condition operators, with present and absent keys."""

from __future__ import annotations

from typing import Any

import pytest

from sagemaker_local.authorization.conditions import hold

MODEL = "sagemaker:TargetModel"
CONTEXT = {
    "sagemaker:targetmodel": ["tenant-a/x.tar.gz"],
    "aws:sourceip": ["10.1.2.3"],
    "aws:securetransport": ["false"],
    "aws:currenttime": ["2026-11-22T12:00:00Z"],
    "aws:epochtime": ["1795348800"],
    "aws:principalarn": ["arn:aws:iam::123456789012:user/team/ann"],
    "aws:useragent": ["one", "two"],
}


def held(operator: str, key: str, values: Any) -> bool:
    return hold({operator: {key: values}}, CONTEXT, CONTEXT)


@pytest.mark.parametrize(
    ("operator", "key", "values"),
    [
        ("StringEquals", MODEL, "tenant-a/x.tar.gz"),
        ("StringEquals", MODEL, ["other", "tenant-a/x.tar.gz"]),
        ("StringEqualsIgnoreCase", MODEL, "TENANT-A/X.tar.gz"),
        ("StringNotEquals", MODEL, ["other", "another"]),
        ("StringLike", MODEL, "tenant-a/*"),
        ("StringLike", MODEL, "tenant-?/x.tar.gz"),
        ("StringNotLike", MODEL, "tenant-b/*"),
        ("stringlike", "SageMaker:targetModel", "tenant-a/*"),
        ("IpAddress", "aws:SourceIp", ["192.168.0.0/16", "10.0.0.0/8"]),
        ("NotIpAddress", "aws:SourceIp", "192.168.0.0/16"),
        ("Bool", "aws:SecureTransport", False),
        ("DateGreaterThan", "aws:CurrentTime", "2026-11-22T11:00:00Z"),
        ("DateLessThanEquals", "aws:CurrentTime", "1795348800"),
        ("NumericLessThan", "aws:EpochTime", 1795348801),
        ("NumericNotEquals", "aws:EpochTime", "5"),
        ("ArnLike", "aws:PrincipalArn", "arn:aws:iam::*:user/team/*"),
        ("ArnNotEquals", "aws:PrincipalArn", "arn:aws:iam::*:role/*"),
        ("Null", MODEL, "false"),
        ("Null", "aws:username", True),
        ("ForAnyValue:StringEquals", "aws:UserAgent", "two"),
        ("ForAllValues:StringEquals", "aws:UserAgent", ["one", "two", "three"]),
        ("ForAnyValue:StringNotEquals", "aws:UserAgent", "one"),
    ],
)
def test_a_condition_holds(operator: str, key: str, values: Any) -> None:
    assert held(operator, key, values)


@pytest.mark.parametrize(
    ("operator", "key", "values"),
    [
        ("StringEquals", MODEL, "tenant-a/*"),
        ("StringEquals", MODEL, "Tenant-a/x.tar.gz"),
        ("StringNotEquals", MODEL, ["other", "tenant-a/x.tar.gz"]),
        ("StringLike", MODEL, "tenant-a"),
        ("StringLike", MODEL, "x.tar.gz"),
        ("StringNotLike", MODEL, ["tenant-b/*", "tenant-a/*"]),
        ("IpAddress", "aws:SourceIp", "192.168.0.0/16"),
        ("Bool", "aws:SecureTransport", "true"),
        ("DateLessThan", "aws:CurrentTime", "2026-11-22T12:00:00Z"),
        ("NumericGreaterThan", "aws:EpochTime", "not a number"),
        ("ArnLike", "aws:PrincipalArn", "arn:aws:*"),
        ("Null", MODEL, "true"),
        ("ForAllValues:StringEquals", "aws:UserAgent", "one"),
        ("ForAnyValue:StringEquals", "aws:UserAgent", "three"),
    ],
)
def test_a_condition_does_not_hold(operator: str, key: str, values: Any) -> None:
    assert not held(operator, key, values)


@pytest.mark.parametrize(
    ("operator", "expected"),
    [
        ("StringEquals", False),
        ("StringLike", False),
        ("StringNotEquals", True),
        ("StringNotLike", True),
        ("StringLikeIfExists", True),
        ("StringNotLikeIfExists", True),
        ("ForAllValues:StringLike", True),
        ("ForAnyValue:StringLike", False),
        ("ForAnyValue:StringNotLike", False),
    ],
)
def test_an_absent_key_fails_positive_operators_and_passes_negated_ones(
    operator: str, expected: bool
) -> None:
    assert hold({operator: {MODEL: "tenant-a/*"}}, {}, {}) is expected


def test_all_operators_and_all_keys_must_hold() -> None:
    both = {"StringLike": {MODEL: "tenant-a/*"}, "IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}
    one = {"StringLike": {MODEL: "tenant-a/*", "aws:PrincipalArn": "nobody"}}
    assert hold(both, CONTEXT, CONTEXT)
    assert not hold(one, CONTEXT, CONTEXT)
