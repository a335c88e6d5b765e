"""Tenants are apart: who may use a runtime, and which S3 locations a namespace may name."""

import string
from collections.abc import Mapping

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from avatar_operator.tenancy import location_allowed, namespace_allowed, why_not_allowed
from builders.manifests import Changes
from builders.objects import a_runtime

NAMESPACES = st.text(string.ascii_lowercase + string.digits + "-", min_size=1, max_size=20)


@pytest.mark.parametrize(
    ("allowed", "namespace", "expected"),
    [
        (["*"], "team-a", True),
        (["team-a"], "team-a", True),
        (["team-b"], "team-a", False),
        (["team"], "team-a", False),
        (["team-b", "team-a"], "team-a", True),
    ],
)
def test_a_namespace_is_admitted_by_name_or_by_star(
    allowed: list[str], namespace: str, expected: bool
) -> None:
    runtime = a_runtime(spec={"tenancy": {"allowedNamespaces": allowed}})

    assert namespace_allowed(runtime, namespace, {}) is expected


PRODUCTION = {"team": "avatars", "stage": "production"}


@pytest.mark.parametrize(
    ("selector", "labels", "expected"),
    [
        ({}, {}, True),
        ({"matchLabels": {"team": "avatars"}}, PRODUCTION, True),
        ({"matchLabels": {"team": "avatars", "stage": "test"}}, PRODUCTION, False),
        ({"matchLabels": {"team": "avatars"}}, {}, False),
        ({"matchExpressions": [{"key": "stage", "operator": "In", "values": ["test"]}]}, PRODUCTION, False),
        (
            {"matchExpressions": [{"key": "stage", "operator": "In", "values": ["test", "production"]}]},
            PRODUCTION,
            True,
        ),
        ({"matchExpressions": [{"key": "stage", "operator": "In", "values": ["test"]}]}, {}, False),
        ({"matchExpressions": [{"key": "stage", "operator": "NotIn", "values": ["test"]}]}, PRODUCTION, True),
        ({"matchExpressions": [{"key": "stage", "operator": "NotIn", "values": ["test"]}]}, {}, True),
        (
            {"matchExpressions": [{"key": "stage", "operator": "NotIn", "values": ["production"]}]},
            PRODUCTION,
            False,
        ),
        ({"matchExpressions": [{"key": "stage", "operator": "Exists"}]}, PRODUCTION, True),
        ({"matchExpressions": [{"key": "stage", "operator": "Exists"}]}, {}, False),
        ({"matchExpressions": [{"key": "stage", "operator": "DoesNotExist"}]}, PRODUCTION, False),
        ({"matchExpressions": [{"key": "stage", "operator": "DoesNotExist"}]}, {}, True),
        (
            {
                "matchLabels": {"team": "avatars"},
                "matchExpressions": [{"key": "stage", "operator": "DoesNotExist"}],
            },
            PRODUCTION,
            False,
        ),
    ],
)
def test_a_namespace_is_admitted_by_its_labels(
    selector: Changes, labels: Mapping[str, str], expected: bool
) -> None:
    runtime = a_runtime(spec={"tenancy": {"allowedNamespaces": None, "namespaceSelector": selector}})

    assert namespace_allowed(runtime, "team-a", labels) is expected


def test_a_namespace_that_is_named_needs_no_labels() -> None:
    selector = {"matchLabels": {"team": "nobody"}}
    runtime = a_runtime(spec={"tenancy": {"allowedNamespaces": ["team-a"], "namespaceSelector": selector}})

    assert namespace_allowed(runtime, "team-a", {})
    assert not namespace_allowed(runtime, "team-b", {})


@given(NAMESPACES, NAMESPACES)
def test_a_placeholder_keeps_every_namespace_in_its_own_part(mine: str, other: str) -> None:
    assume(mine != other)

    assert location_allowed(f"s3://photos/{mine}/ann/", ["s3://photos/{namespace}/"], mine)
    assert not location_allowed(f"s3://photos/{other}/ann/", ["s3://photos/{namespace}/"], mine)


@pytest.mark.parametrize(
    "uri", ["s3://photos/", "s3://photos-of-others/team-a/", "s3://photo/team-a/", "s3://photos/x/team-a/"]
)
def test_a_location_beside_or_above_the_prefix_is_refused(uri: str) -> None:
    assert not location_allowed(uri, ["s3://photos/{namespace}/"], "team-a")


@pytest.mark.parametrize(
    "rest",
    [
        "../team-b/",
        "./",
        "/",
        "%2e%2e/team-b/",
        "..%2Fteam-b/",
        "%252e/",
        "..\\team-b\\",
        "a\x00b/",
        "a\nb/",
        "..",
    ],
)
def test_a_location_that_others_may_read_as_another_is_refused_and_said_to_be(rest: str) -> None:
    uri = f"s3://photos/team-a/{rest}"

    why = why_not_allowed(a_runtime(), uri, ["s3://photos/{namespace}/"], "team-a")

    assert not location_allowed(uri, ["s3://photos/{namespace}/"], "team-a")
    assert "may mean another place to whoever tidies it up" in why


@pytest.mark.parametrize("rest", ["Familie Müller/", "a+b/", "a%20b/", ".hidden/", "a..b/", ".../", "100%/"])
def test_people_may_call_their_files_what_they_like(rest: str) -> None:
    assert location_allowed(f"s3://photos/team-a/{rest}", ["s3://photos/{namespace}/"], "team-a")


def test_one_of_several_prefixes_is_enough() -> None:
    assert location_allowed("s3://b/x/", ["s3://a/", "s3://b/"], "team-a")


def test_no_prefixes_allow_nothing() -> None:
    assert not location_allowed("s3://a/", [], "team-a")
