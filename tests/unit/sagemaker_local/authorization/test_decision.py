"""What policies allow and deny."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_local.authorization.decision import Policies, Request, refusal

ENDPOINT = "arn:aws:sagemaker:us-east-1:123456789012:endpoint/avatars"
INVOKE = "sagemaker:InvokeEndpoint"
IMPLICIT = "because no identity-based policy allows the sagemaker:InvokeEndpoint action"
EXPLICIT = "with an explicit deny in an identity-based policy"


def statement(effect: str = "Allow", **elements: Any) -> dict[str, Any]:
    named = {"Action": INVOKE, "Resource": ENDPOINT, **elements}
    return {"Effect": effect, **{name: value for name, value in named.items() if value is not None}}


def policy(*statements: dict[str, Any], version: str = "2012-10-17") -> dict[str, Any]:
    return {"Version": version, "Statement": list(statements)}


def invoking(**keys: str) -> Request:
    return Request(
        INVOKE, ENDPOINT, {name.replace("__", ":").lower(): [value] for name, value in keys.items()}
    )


def refused(*statements: dict[str, Any], request: Request | None = None) -> str | None:
    return refusal(Policies([policy(*statements)]), request or invoking())


def test_nothing_is_allowed_without_a_policy() -> None:
    assert refusal(Policies([]), invoking()) == IMPLICIT


def test_a_statement_allows_its_action_on_its_resource() -> None:
    assert refused(statement()) is None


@pytest.mark.parametrize(
    "elements",
    [
        {"Action": "sagemaker:*"},
        {"Action": ["s3:GetObject", "SageMaker:invoke*"]},
        {"Action": None, "NotAction": "sagemaker:Delete*"},
        {"Resource": "*"},
        {"Resource": "arn:aws:sagemaker:*:*:endpoint/ava*"},
        {"Resource": None, "NotResource": "arn:aws:sagemaker:*:*:endpoint/other"},
    ],
)
def test_wildcards_and_negations_reach_it(elements: dict[str, Any]) -> None:
    assert refused(statement(**elements)) is None


@pytest.mark.parametrize(
    "elements",
    [
        {"Action": "sagemaker:InvokeEndpointAsync"},
        {"Action": "sagemaker:Invoke"},
        {"Action": None, "NotAction": "sagemaker:Invoke*"},
        {"Resource": "arn:aws:sagemaker:us-east-1:123456789012:endpoint/avatar"},
        {"Resource": "arn:aws:sagemaker:us-east-1:123456789012:endpoint/AVATARS"},
        {"Resource": None, "NotResource": "*"},
    ],
)
def test_other_actions_and_resources_are_not_meant(elements: dict[str, Any]) -> None:
    assert refused(statement(**elements)) == IMPLICIT


def test_a_deny_wins_over_every_allow() -> None:
    assert refused(statement(), statement("Deny")) == EXPLICIT
    assert refused(statement("Deny", Resource="*"), statement()) == EXPLICIT


def test_a_single_statement_needs_no_list() -> None:
    assert refusal(Policies([{"Version": "2012-10-17", "Statement": statement()}]), invoking()) is None


def test_a_boundary_and_a_session_policy_must_allow_too() -> None:
    everything = policy(statement(Action="*", Resource="*"))
    nothing = policy(statement(Action="s3:*", Resource="*"))
    assert refusal(Policies([everything], boundary=[everything], session=[everything]), invoking()) is None
    assert refusal(Policies([everything], boundary=[nothing]), invoking()) == (
        "because no permissions boundary allows the sagemaker:InvokeEndpoint action"
    )
    assert refusal(Policies([everything], session=[nothing]), invoking()) == (
        "because no session policy allows the sagemaker:InvokeEndpoint action"
    )
    denying = policy(statement("Deny", Action="*", Resource="*"))
    assert refusal(Policies([everything], boundary=[denying]), invoking()) == (
        "with an explicit deny in a permissions boundary"
    )


def test_policy_variables_are_the_callers() -> None:
    own = statement(Resource="*", Condition={"StringLike": {"sagemaker:TargetModel": "${aws:username}/*"}})
    mine = invoking(aws__username="ann", sagemaker__TargetModel="ann/x.tar.gz")
    theirs = invoking(aws__username="ann", sagemaker__TargetModel="bob/x.tar.gz")
    nobodys = invoking(sagemaker__TargetModel="ann/x.tar.gz")
    assert refused(own, request=mine) is None
    assert refused(own, request=theirs) == IMPLICIT
    assert refused(own, request=nobodys) == IMPLICIT


def test_a_variable_is_no_wildcard_whatever_it_contains() -> None:
    own = statement(Condition={"StringLike": {"sagemaker:TargetModel": "${aws:username}/*"}})
    assert refused(own, request=invoking(aws__username="*", sagemaker__TargetModel="bob/x")) == IMPLICIT


def test_a_policy_of_the_old_version_has_no_variables() -> None:
    old = policy(
        statement(Condition={"StringEquals": {"sagemaker:TargetModel": "${aws:username}"}}),
        version="2008-10-17",
    )
    request = invoking(aws__username="ann", sagemaker__TargetModel="ann")
    assert refusal(Policies([old]), request) == IMPLICIT


@pytest.mark.parametrize(
    "condition",
    [
        {"StringSounds": {"sagemaker:TargetModel": "a"}},
        {"Sometimes:StringLike": {"sagemaker:TargetModel": "a"}},
        {"StringLike": {"aws:PrincipalTag/team": "a"}},
        {"StringNotLikeIfExists": {"aws:PrincipalTag/team": "a"}},
        {"Null": {"aws:ResourceTag/team": "true"}},
    ],
)
def test_what_cannot_be_judged_fails_closed_and_says_so(
    condition: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    request = invoking(sagemaker__TargetModel="a")
    with caplog.at_level(logging.WARNING):
        assert refused(statement(Condition=condition), request=request) == IMPLICIT
        assert refused(statement(), statement("Deny", Condition=condition), request=request) == EXPLICIT
    assert "is not implemented; so it allows nothing" in caplog.text
    assert "is not implemented; so it denies" in caplog.text


patterns = st.sampled_from(["*", "sagemaker:*", INVOKE, "sagemaker:Update*", "s3:GetObject"])
statements = st.builds(
    lambda effect, action, resource: statement(effect, Action=action, Resource=resource),
    st.sampled_from(["Allow", "Deny"]),
    patterns,
    st.sampled_from(["*", ENDPOINT, "arn:aws:sagemaker:*:*:endpoint/*", "arn:aws:s3:::bucket/*"]),
)


@given(st.lists(statements, max_size=6))
def test_allowed_means_some_allow_and_no_deny(listed: list[dict[str, Any]]) -> None:
    def meant(each: dict[str, Any]) -> bool:
        return each["Action"] in ("*", "sagemaker:*", INVOKE) and not each["Resource"].startswith(
            "arn:aws:s3"
        )

    effects = {each["Effect"] for each in listed if meant(each)}
    expected = EXPLICIT if "Deny" in effects else None if "Allow" in effects else IMPLICIT
    assert refused(*listed) == expected


@given(st.lists(statements, max_size=6), st.randoms())
def test_neither_order_nor_packaging_matters(listed: list[dict[str, Any]], random: Any) -> None:
    apart = [policy(each) for each in listed]
    random.shuffle(apart)
    assert refusal(Policies(apart), invoking()) == refused(*listed)
