"""One tenant's job cannot act for another: what a worker is given for one piece of work opens nothing of anybody else's."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avatar_api.documents.credentials import AttemptCredentials
from avatar_api.documents.parsing import parse_document
from avatar_operator.aws.clients import AwsClients
from avatar_operator.backends.sagemaker.grants import Grant, drawing_grant, training_grant
from avatar_operator.locations import picture_prefix
from builders.backend_objects import (
    BUCKET,
    StoppedClock,
    make_attempt,
    make_model,
    make_runtime,
    sagemaker_backend,
)
from builders.drawing_calls import CALL
from builders.objects import a_request, a_runtime
from conformance.emulator.guarded_aws import GuardedAws, Key, allow
from conformance.emulator.guarded_aws import refusal as refusal_at_aws
from sagemaker_local.authorization.decision import Policies, Request, refusal
from sagemaker_local.testing import LocalAws

ATTEMPT_ROLE = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
"""Even if the platform team had given the role everything."""
EVERY_ACTION = (
    *("s3:GetObject", "s3:GetObjectVersion", "s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion"),
    "s3:ListBucket",
    *(
        "s3:PutObjectAcl",
        "s3:PutBucketPolicy",
        "s3:AbortMultipartUpload",
        "sqs:SendMessage",
        "sqs:ReceiveMessage",
    ),
    *("sns:Publish", "sts:AssumeRole", "iam:PassRole", "sagemaker:InvokeEndpoint"),
)
DOCUMENTED_POLICIES = Path(__file__).parents[2] / "docs" / "iam"
ATTEMPTS_OBJECTS = ("request", "claim", "credentials", "artifact", "manifest")
NAMES = st.text("abcdefghijklmnopqrstuvwxyz0123456789*?$-{}: ", min_size=1, max_size=30)


def allowed(grant: Grant, resource: str) -> set[str]:
    """What a session may do with something."""
    policies = Policies([ATTEMPT_ROLE], session=[json.loads(grant.policy("aws"))])
    return {action for action in EVERY_ACTION if refusal(policies, Request(action, resource, {})) is None}


def arn(uri: str) -> str:
    return f"arn:aws:s3:::{uri.removeprefix('s3://')}"


def test_whoever_draws_stores_the_pictures_of_one_request_and_does_nothing_else() -> None:
    prefix = picture_prefix(a_runtime(), a_request())
    grant = drawing_grant(replace(CALL, output_prefix=prefix))
    assert allowed(grant, arn(f"{prefix}00-00-1.png")) == {"s3:GetObject", "s3:PutObject"}
    storage = a_runtime().spec.storage
    for other in (
        storage.outputs,
        prefix.removesuffix("/"),
        f"{prefix.removesuffix('/')}0/00-00-1.png",
        f"{storage.outputs}team-b/8c5d2f8e-7f0b-4c7e-9d3b-0a3f6d1f4f10/00-00-1.png",
        f"{storage.requests}team-a/8c5d2f8e-7f0b-4c7e-9d3b-0a3f6d1f4f10/r1-a1/request.json",
        f"{storage.artifacts}team-a/8c5d2f8e-7f0b-4c7e-9d3b-0a3f6d1f4f10/r1-a1.tar.gz",
        "s3://photos/team-a/ann/1.png",
    ):
        assert allowed(grant, arn(other)) == set()
    assert allowed(grant, "*") == set()


def test_whoever_trains_does_what_one_attempt_needs_and_nothing_else() -> None:
    model = make_model()
    attempt, next_attempt = make_attempt(model), make_attempt(model, attempt=10)
    grant, own = training_grant(model, attempt), attempt.locations
    photos = model.spec.photos.s3_prefix
    assert allowed(grant, arn(f"{photos}1.png")) == {"s3:GetObject", "s3:GetObjectVersion"}
    assert allowed(grant, arn(own.claim)) == {"s3:GetObject", "s3:PutObject"}
    for uri in (own.artifact, own.manifest):
        assert allowed(grant, arn(uri)) == {
            *("s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion")
        }
    others = make_attempt(make_model()).locations
    for each in (next_attempt.locations, others):
        for uri in (each.request, each.claim, each.credentials, each.artifact, each.manifest):
            assert allowed(grant, arn(uri)) == set()
    for uri in (
        own.request,
        own.credentials,
        f"s3://{BUCKET}/photos/team-b/1.png",
        f"s3://{BUCKET}/outputs/1.png",
    ):
        assert allowed(grant, arn(uri)) == set()
    assert allowed(grant, f"arn:aws:s3:::{BUCKET}") == allowed(grant, "*") == set()


@pytest.mark.parametrize(
    ("endpoint", "readable"),
    [("training", {"request", "credentials"}), ("inference", {"artifact", "manifest"})],
)
def test_an_endpoints_own_role_finds_nothing_and_opens_only_what_sagemaker_itself_needs(
    endpoint: str, readable: set[str]
) -> None:
    text = (DOCUMENTED_POLICIES / f"{endpoint}-execution-role.json").read_text()
    role = Policies([json.loads(text.replace("${AVATARS_BUCKET}", BUCKET))])
    attempt = make_attempt(make_model()).locations
    may = {
        name: {each for each in EVERY_ACTION if refusal(role, Request(each, arn(uri), {})) is None}
        for name, uri in {
            **{name: getattr(attempt, name) for name in ATTEMPTS_OBJECTS},
            "photo": f"s3://{BUCKET}/photos/team-a/1.png",
            "picture": f"s3://{BUCKET}/outputs/team-a/1.png",
            "outcome": f"s3://{BUCKET}/requests/elsewhere/team-a/1.out",
        }.items()
    }
    assert {name: actions for name, actions in may.items() if actions} == {
        name: {"s3:GetObject"} for name in readable
    }
    listings = {
        prefix: Request("s3:ListBucket", f"arn:aws:s3:::{BUCKET}", {"s3:prefix": [prefix]})
        for prefix in ("", "artifacts/", "artifacts/team-a/", "requests/", "photos/", "base/")
    }
    assert [prefix for prefix, listing in listings.items() if refusal(role, listing) is None] == ["base/"]


@given(own=NAMES, others=NAMES)
def test_no_name_that_a_tenant_chooses_opens_anothers_directory(own: str, others: str) -> None:
    grant = drawing_grant(replace(CALL, output_prefix=f"s3://pictures/{own}/"))
    assert allowed(grant, arn(f"s3://pictures/{own}/00-00-1.png")) == {"s3:GetObject", "s3:PutObject"}
    if others != own:
        assert allowed(grant, arn(f"s3://pictures/{others}/00-00-1.png")) == set()


@pytest.fixture
def guarded(monkeypatch: pytest.MonkeyPatch) -> Iterator[GuardedAws]:
    """An AWS whose IAM is on, and an operator in it that may do anything."""
    with LocalAws() as server:
        aws = GuardedAws(server)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", aws.admin.id)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", aws.admin.secret)
        aws.admin.client("s3").create_bucket(Bucket=BUCKET)
        yield aws


async def test_what_one_attempt_was_given_opens_nothing_of_anothers_at_aws(guarded: GuardedAws) -> None:
    clients = AwsClients(endpoint_url=guarded.server.endpoint_url)
    compute = sagemaker_backend(clients, StoppedClock()).compute
    runtime = make_runtime(attemptRoleARN=guarded.role(allow("*")))
    ann, bob = make_model(), make_model()
    for model in (ann, bob):
        attempt = make_attempt(model)
        assert await compute.give_credentials(runtime, model, attempt) is not None
        for uri in (f"{model.spec.photos.s3_prefix}1.png", attempt.locations.request):
            guarded.admin.client("s3").put_object(**named(uri), Body=b"a person")
    clients.close()

    own, others = make_attempt(ann).locations, make_attempt(bob).locations
    s3 = session_of(guarded, own.credentials)
    assert s3.get_object(**named(f"{ann.spec.photos.s3_prefix}1.png"))["Body"].read() == b"a person"
    for uri in (own.claim, own.artifact, own.manifest):
        s3.put_object(**named(uri), Body=b"mine", IfNoneMatch="*")
        assert refusal_of(partial(s3.put_object, **named(uri), Body=b"mine", IfNoneMatch="*")) == 412
    s3.delete_object(**named(own.artifact))

    for uri in (f"{bob.spec.photos.s3_prefix}1.png", others.credentials, others.request, own.credentials):
        assert refusal_of(partial(s3.get_object, **named(uri))) == 403
    for uri in (
        others.claim,
        others.artifact,
        others.manifest,
        own.credentials,
        f"s3://{BUCKET}/outputs/1.png",
    ):
        assert refusal_of(partial(s3.put_object, **named(uri), Body=b"mine")) == 403
        assert refusal_of(partial(s3.delete_object, **named(uri))) == 403
    assert refusal_of(partial(s3.list_objects_v2, Bucket=BUCKET)) == 403


def session_of(guarded: GuardedAws, uri: str) -> Any:
    """S3 for whoever works with the credentials that are kept somewhere."""
    kept = guarded.admin.client("s3").get_object(**named(uri))["Body"].read()
    given = parse_document(AttemptCredentials, kept).credentials
    return Key(guarded.server, given.access_key_id, given.secret_access_key, given.session_token).client("s3")


def named(uri: str) -> dict[str, str]:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return {"Bucket": bucket, "Key": key}


def refusal_of(call: Callable[[], Any]) -> int:
    """The HTTP status of a call that is refused."""
    return refusal_at_aws(call)[0]
