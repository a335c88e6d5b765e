"""One tenant's job cannot act for another: what a worker is given for one piece of work opens nothing of anybody else's."""

from __future__ import annotations

import json
from bisect import bisect
from collections.abc import Callable, Iterator
from functools import partial
from operator import ne
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avatar_api.avatar_model import AvatarModel
from avatar_api.documents.credentials import AttemptCredentials
from avatar_api.documents.parsing import parse_document
from avatar_api.documents.training import PhotoLocation
from avatar_operator.aws.clients import AwsClients
from avatar_operator.backends.compute import Compute
from avatar_operator.backends.failures import BackendError
from avatar_operator.backends.sagemaker.grants import Grant, drawing_grant, training_grants
from avatar_operator.locations import picture_prefix
from avatar_operator.model_lifecycle.training_request import build_training_request
from avatar_operator.own_places import MAX_ATTEMPT
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
from conformance.emulator.guarded_aws import Key
from conformance.emulator.guarded_aws import refusal as refusal_at_aws
from e2e.conftest import StartOperator
from e2e.flight import STAND_IN, Flight, Object, eventually
from e2e.guarded_aws import ACCOUNT, EVERYTHING, GuardedAws
from sagemaker_local.authorization.decision import Policies, Request, refusal

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
    """What a session may do with something, even if the platform team had given the role everything."""
    policies = Policies([EVERYTHING], session=[json.loads(grant.policy("aws"))])
    return {action for action in EVERY_ACTION if refusal(policies, Request(action, resource, {})) is None}


def arn(uri: str) -> str:
    return f"arn:aws:s3:::{uri.removeprefix('s3://')}"


def test_whoever_draws_stores_the_pictures_of_one_request_and_does_nothing_else() -> None:
    prefix = picture_prefix(a_runtime(), a_request())
    grant = drawing_grant(CALL.request_uid, prefix)
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


@pytest.mark.parametrize("width", [0, 1], ids=["photo by photo", "by directories"])
def test_whoever_trains_does_what_one_attempt_needs_and_nothing_else(width: int) -> None:
    model = make_model()
    attempt, next_attempt = make_attempt(model), make_attempt(model, attempt=10)
    photos, own = model.spec.photos.s3_prefix, attempt.locations
    grant = training_grants(attempt, [f"{photos}1.png"])[width]
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
    grant = drawing_grant(CALL.request_uid, f"s3://pictures/{own}/")
    assert allowed(grant, arn(f"s3://pictures/{own}/00-00-1.png")) == {"s3:GetObject", "s3:PutObject"}
    if others != own:
        assert allowed(grant, arn(f"s3://pictures/{others}/00-00-1.png")) == set()


@pytest.fixture(scope="module")
def aws() -> Iterator[GuardedAws]:
    """An AWS whose IAM is on."""
    with GuardedAws(images={"stand-in": STAND_IN}) as guarded:
        guarded.client("s3").create_bucket(Bucket=BUCKET)
        yield guarded


@pytest.fixture
def compute(aws: GuardedAws, monkeypatch: pytest.MonkeyPatch) -> Iterator[Compute]:
    """What an operator does that may do everything."""
    for name, value in aws.environment.items():
        monkeypatch.setenv(name, value)
    clients = AwsClients(endpoint_url=aws.endpoint_url)
    yield sagemaker_backend(clients, StoppedClock()).compute
    clients.close()


async def test_what_one_attempt_was_given_opens_nothing_of_anothers_at_aws(
    compute: Compute, aws: GuardedAws
) -> None:
    admin = aws.client("s3")
    runtime = make_runtime(attemptRoleARN=attempt_role(aws, "attempts", trusted="*"))
    ann, bob = make_model(), make_model()
    for model in (ann, bob):
        attempt = make_attempt(model)
        photo = f"{model.spec.photos.s3_prefix}1.png"
        sent = build_training_request(runtime, model, attempt, [PhotoLocation(uri=photo)], None)
        assert await compute.give_credentials(runtime, attempt, sent) is not None
        for uri in (photo, attempt.locations.request):
            admin.put_object(**named(uri), Body=b"a person")

    own, others = make_attempt(ann).locations, make_attempt(bob).locations
    s3 = session_of(aws, own.credentials)
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


def test_what_happens_to_a_model_while_it_is_queued_neither_takes_nor_gives_its_attempt_anything(
    flight: Flight, start_operator: StartOperator, aws: GuardedAws
) -> None:
    operator = start_operator(**aws.new_user(flight.name, json.dumps(EVERYTHING)))
    flight.apply(limited_runtime(flight, aws), flight.model_manifest("ahead", token="slow"))
    flight.wait_for_state("avm", "ahead", "Preparing")
    queued = ("edited", "forged", "astray")
    flight.apply(*map(flight.model_manifest, queued))
    places = {name: place_of_credentials(flight, name) for name in queued}
    first = {name: kept_key(flight, places[name]) for name in queued}

    # An honest edit; a status that names another place of its own runtime, and of another one; and a role that trusts nobody.
    operator.stop()
    other = f"s3://{flight.bucket}/photos/{flight.namespace}/other/"
    flight.s3.put_object(**named(f"{other}00.jpg"), Body=b"somebody else")
    edit_in_the_moment_of_its_plan(flight, "edited", {"photos": {"s3Prefix": other}})
    elsewhere = {"requests": f"s3://{flight.bucket}/outputs/"}
    patch(flight, "forged", {"status": {"storage": elsewhere}}, "--subresource=status")
    stranger = {**elsewhere, "runtimeUID": "00000000-0000-0000-0000-000000000000"}
    patch(flight, "astray", {"status": {"storage": stranger}}, "--subresource=status")
    trust(aws, flight.name, "Deny", "*")
    operator.start()
    refused = {"kind": "AvatarModel", "reason": "AttemptRoleRefused"}
    eventually(lambda: operator.metric("avatar_reconcile_retries_total", **refused) > 1, what="refusals")
    assert {name: kept_key(flight, places[name]) for name in queued} == first

    trust(aws, flight.name, "Allow", user_of(flight))
    for name in ("edited", "forged"):
        is_renewed = partial(ne, first[name])
        eventually(partial(kept_key, flight, places[name]), is_renewed, what=f"newer ones of {name}")
    s3 = session_of(aws, places["edited"])
    assert s3.get_object(**named(f"{flight.photos_prefix}00.jpg"))["Body"].read() == b"photo 0"
    assert refusal_of(partial(s3.get_object, **named(f"{other}00.jpg"))) == 403

    flight.delete("avm", "ahead")
    for name in ("edited", "forged"):
        assert flight.wait_for_state("avm", name, "Ready")["status"]["training"]["attempt"] == 1
    assert kept_key(flight, places["astray"]) == first["astray"]
    assert flight.stored_keys("outputs/") == []


@pytest.mark.parametrize("letter", ["*", "ж"])
async def test_a_name_that_sts_would_refuse_for_its_length_is_refused_for_good_and_no_other_one(
    compute: Compute, aws: GuardedAws, letter: str
) -> None:
    role = attempt_role(aws, f"letter-{ord(letter)}", trusted="*")
    runtime = make_runtime(attemptRoleARN=role)

    def model(letters: int) -> AvatarModel:
        return make_model({"s3Prefix": f"s3://{BUCKET}/photos/team-a/{letter * letters}/"})

    async def give(model: AvatarModel) -> float | None:
        attempt = make_attempt(model, MAX_ATTEMPT)
        photo = PhotoLocation(uri=f"{model.spec.photos.s3_prefix}1.png")
        request = build_training_request(runtime, model, attempt, [photo], None)
        return await compute.give_credentials(runtime, attempt, request)

    too_long = partial(compute.training_obstacle, runtime)
    longest = bisect(range(500), False, key=lambda letters: too_long(model(letters)) is not None) - 1
    assert await give(model(longest)) is not None
    with pytest.raises(BackendError) as caught:
        await give(model(longest + 1))
    assert (caught.value.reason, caught.value.retryable) == ("SessionPolicyTooLong", False)


def limited_runtime(flight: Flight, aws: GuardedAws) -> Object:
    """A runtime of the flight's with a role for each piece of work, which its operator may assume."""
    runtime = flight.runtime_manifest()
    role = attempt_role(aws, flight.name, trusted=user_of(flight))
    runtime["spec"]["backend"]["sagemaker"]["attemptRoleARN"] = role
    return runtime


def user_of(flight: Flight) -> str:
    """The ARN of the user as whom the flight's operator acts."""
    return f"arn:aws:iam::{ACCOUNT}:user/{flight.name}"


def trust(aws: GuardedAws, role: str, effect: str, principal: str) -> None:
    """Say anew whom a role trusts."""
    statement = {"Effect": effect, "Principal": {"AWS": principal}, "Action": "sts:AssumeRole"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    aws.client("iam").update_assume_role_policy(RoleName=role, PolicyDocument=policy)


def attempt_role(aws: GuardedAws, name: str, *, trusted: str) -> str:
    """The ARN of a new role that may do everything, and that somebody may assume."""
    arn = f"arn:aws:iam::{ACCOUNT}:role/{name}"
    aws.new_role(arn, trusted=trusted, policy=json.dumps(EVERYTHING))
    return arn


def place_of_credentials(flight: Flight, name: str) -> str:
    """Where those of a model's first attempt lie, as soon as it has been handed over."""
    uid = flight.wait_for_state("avm", name, "Queued")["metadata"]["uid"]
    eventually(lambda: flight.submissions(uid), what=f"a submission of {name}")
    return f"s3://{flight.bucket}/requests/{flight.namespace}/{uid}/r1-a1/credentials.json"


def kept_key(flight: Flight, uri: str) -> str:
    """The id of the key that is kept somewhere, as soon as there is one."""
    kept = flight.s3.get_object(**named(uri))["Body"].read()
    return parse_document(AttemptCredentials, kept).credentials.access_key_id


def patch(flight: Flight, name: str, body: Object, *options: str) -> None:
    """Change a model of the flight's."""
    place = ("-n", flight.namespace, "--type=merge", "-p", json.dumps(body))
    flight.cluster.kubectl("patch", "avm", name, *place, *options)


def edit_in_the_moment_of_its_plan(flight: Flight, name: str, spec: Object) -> None:
    """Change a model that is queued as if the change had come between what its plan was made of and the plan itself."""
    training = (flight.get("avm", name) or {})["status"]["training"]
    patch(flight, name, {"status": {"training": None}}, "--subresource=status")
    patch(flight, name, {"spec": spec})
    patch(flight, name, {"status": {"training": training}}, "--subresource=status")


def session_of(aws: GuardedAws, uri: str) -> Any:
    """S3 for whoever works with the credentials that are kept somewhere."""
    kept = aws.client("s3").get_object(**named(uri))["Body"].read()
    given = parse_document(AttemptCredentials, kept).credentials
    return Key(aws, given.access_key_id, given.secret_access_key, given.session_token).client("s3")


def named(uri: str) -> dict[str, str]:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return {"Bucket": bucket, "Key": key}


def refusal_of(call: Callable[[], Any]) -> int:
    """The HTTP status of a call that is refused."""
    return refusal_at_aws(call)[0]
