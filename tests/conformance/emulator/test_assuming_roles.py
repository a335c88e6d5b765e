"""Who may assume a role, and for how long: what its trust policy and STS's own bounds say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from conformance.emulator.guarded_aws import ACCOUNT, TRUST, GuardedAws, Key, allow, deny, refusal
from sagemaker_local.testing import LocalAws

ROOT = f"arn:aws:iam::{ACCOUNT}:root"
ASSUMING = allow("sts:AssumeRole")


@pytest.fixture(scope="module")
def guarded() -> Iterator[GuardedAws]:
    with LocalAws() as server:
        yield GuardedAws(server)


def _arn(key: Key) -> str:
    arn: str = key.client("sts").get_caller_identity()["Arn"]
    return arn


def _trusting(*principals: Any, **more: Any) -> list[dict[str, Any]]:
    return [{**TRUST, "Principal": {"AWS": list(principals)}, **more}]


def test_a_role_that_trusts_the_account_is_assumed_by_whom_a_policy_allows_it(guarded: GuardedAws) -> None:
    role = guarded.role(trust=_trusting(ROOT))

    guarded.user(ASSUMING).assume(role)
    nobody = guarded.user(name="idle")
    assert refusal(lambda: nobody.assume(role)) == (
        403,
        "AccessDenied",
        f"User: arn:aws:iam::{ACCOUNT}:user/idle is not authorized to perform: sts:AssumeRole on resource: {role}",
    )


def test_who_is_named_by_a_trust_policy_needs_no_other(guarded: GuardedAws) -> None:
    named, other = guarded.user(), guarded.user()
    role = guarded.role(trust=_trusting(_arn(named)))

    named.assume(role)
    assert refusal(lambda: other.assume(role))[1] == "AccessDenied"


def test_a_policy_that_denies_it_wins_over_a_trust_policy_that_names_the_caller(guarded: GuardedAws) -> None:
    named = guarded.user(deny("sts:AssumeRole"))
    role = guarded.role(trust=_trusting(_arn(named)))

    assert refusal(lambda: named.assume(role))[1] == "AccessDenied"


def test_a_role_that_trusts_somebody_else_is_not_assumed_whatever_policies_allow(guarded: GuardedAws) -> None:
    other_account = guarded.role(trust=_trusting("arn:aws:iam::999999999999:root"))
    service = guarded.role(trust=[{**TRUST, "Principal": {"Service": "sagemaker.amazonaws.com"}}])

    for role in (other_account, service):
        assert refusal(lambda role=role: guarded.admin.assume(role))[1] == "AccessDenied"  # type: ignore[misc]


def test_a_session_is_trusted_as_its_role(guarded: GuardedAws) -> None:
    operator = guarded.role(ASSUMING)
    attempt = guarded.role(trust=_trusting(operator))

    session = guarded.admin.assume(operator).assume(attempt)

    assert ":assumed-role/" in _arn(session)


def test_a_session_policy_that_does_not_allow_it_keeps_a_session_from_assuming_roles(
    guarded: GuardedAws,
) -> None:
    session = guarded.role_session(ASSUMING, policy=[allow("s3:*")])
    role = guarded.role(trust=_trusting(ROOT))

    assert refusal(lambda: session.assume(role))[1] == "AccessDenied"


def test_a_trust_policy_that_denies_the_caller_wins(guarded: GuardedAws) -> None:
    kept_out = guarded.user(ASSUMING)
    denied = {**TRUST, "Effect": "Deny", "Principal": {"AWS": _arn(kept_out)}}
    role = guarded.role(trust=[*_trusting(ROOT), denied])

    assert refusal(lambda: kept_out.assume(role))[1] == "AccessDenied"


def test_an_external_id_of_the_trust_policy_must_be_given(guarded: GuardedAws) -> None:
    condition = {"StringEquals": {"sts:ExternalId": "secret"}}
    role = guarded.role(trust=_trusting(ROOT, Condition=condition))

    guarded.admin.assume(role, ExternalId="secret")
    for given in ({}, {"ExternalId": "guessed"}):
        refused = refusal(lambda given=given: guarded.admin.assume(role, **given))  # type: ignore[misc]
        assert refused[1] == "AccessDenied"


def test_a_role_that_does_not_exist_is_not_assumed(guarded: GuardedAws) -> None:
    missing = f"arn:aws:iam::{ACCOUNT}:role/missing"

    assert refusal(lambda: guarded.admin.assume(missing))[1] == "AccessDenied"


@pytest.mark.parametrize(
    ("seconds", "bound"), [(899, "greater than or equal to 900"), (43_201, "less than or equal to 43200")]
)
def test_a_session_lasts_a_quarter_of_an_hour_to_half_a_day(
    guarded: GuardedAws, seconds: int, bound: str
) -> None:
    role = guarded.role(MaxSessionDuration=43_200)

    guarded.admin.assume(role, DurationSeconds=900)
    guarded.admin.assume(role, DurationSeconds=43_200)
    status, code, message = refusal(lambda: guarded.admin.assume(role, DurationSeconds=seconds))
    assert (status, code) == (400, "ValidationError")
    assert f"Value '{seconds}' at 'durationSeconds' failed to satisfy constraint" in message
    assert message.endswith(bound)


def test_a_session_lasts_no_longer_than_its_role_allows(guarded: GuardedAws) -> None:
    role = guarded.role(MaxSessionDuration=7_200)

    guarded.admin.assume(role, DurationSeconds=7_200)
    assert refusal(lambda: guarded.admin.assume(role, DurationSeconds=7_201)) == (
        400,
        "ValidationError",
        "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
    )


def test_a_role_that_a_session_assumes_is_had_for_an_hour_at_most(guarded: GuardedAws) -> None:
    session = guarded.role_session(ASSUMING)
    role = guarded.role(MaxSessionDuration=43_200)

    session.assume(role, DurationSeconds=3_600)
    assert refusal(lambda: session.assume(role, DurationSeconds=3_601)) == (
        400,
        "ValidationError",
        "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.",
    )


@pytest.mark.parametrize("policy", ["not json", "[]", "{}"])
def test_a_session_policy_must_be_a_policy(guarded: GuardedAws, policy: str) -> None:
    role = guarded.role()

    refused = refusal(lambda: guarded.admin.assume(role, Policy=policy))

    assert refused[:2] == (400, "MalformedPolicyDocument")


def test_a_session_policy_has_2048_characters_at_most(guarded: GuardedAws) -> None:
    role = guarded.role()
    policy = json.dumps({"Version": "2012-10-17", "Statement": [ASSUMING]})

    guarded.admin.assume(role, Policy=policy.ljust(2_048))
    status, code, message = refusal(lambda: guarded.admin.assume(role, Policy=policy.ljust(2_049)))
    assert (status, code) == (400, "ValidationError")
    assert message.endswith("Member must have length less than or equal to 2048")


def test_a_session_policy_has_no_letter_above_latin_1_unless_json_escapes_it(guarded: GuardedAws) -> None:
    role = guarded.role()
    named = {"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::photos/Jürgen/Аня/*"}
    policy = {"Version": "2012-10-17", "Statement": named}

    guarded.admin.assume(role, Policy=json.dumps(policy))
    guarded.admin.assume(role, Policy=json.dumps(policy, ensure_ascii=False).replace("Аня", ""))
    raw = json.dumps(policy, ensure_ascii=False)
    status, code, message = refusal(lambda: guarded.admin.assume(role, Policy=raw))
    assert (status, code) == (400, "ValidationError")
    assert "Member must satisfy regular expression pattern" in message


def test_managed_policies_of_a_session_are_refused_and_not_forgotten(guarded: GuardedAws) -> None:
    named = [{"arn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}]

    refused = refusal(lambda: guarded.admin.assume(guarded.role(), PolicyArns=named))

    assert refused[:2] == (501, "NotImplemented")
