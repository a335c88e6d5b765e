"""Whatever AWS or a worker says, and whenever: a tenant's objects, Events and CloudEvents hold none of it, and the log all."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable
from dataclasses import asdict, replace
from typing import Any, cast, get_args

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ParamValidationError
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from avatar_api.documents.errors import WorkerError, WorkerErrorCode
from avatar_api.documents.photos import PhotoVerdict
from avatar_api.documents.training import PhotoLocation
from avatar_api.group import AVATAR_MODEL, AVATAR_REQUEST, AVATAR_RUNTIME, Kind
from avatar_operator.aws import error_codes
from avatar_operator.aws.clients import AwsClients
from avatar_operator.aws.errors import AwsCallError
from avatar_operator.backends.attempts import AttemptFailed
from avatar_operator.backends.failures import BackendError, OutcomeUnknownError
from avatar_operator.backends.metered import BackendMetrics, metered
from avatar_operator.backends.s3 import S3Storage
from avatar_operator.backends.sagemaker import SageMakerCompute
from avatar_operator.backends.sagemaker.failure_text import failure_cause
from avatar_operator.backends.selection import Backend
from avatar_operator.core.conditions import find_condition
from avatar_operator.ingest.metrics import IngestMetrics
from avatar_operator.kube.client import Object
from avatar_operator.locations import picture_directory, picture_prefix
from avatar_operator.model_lifecycle.observation import attempt_reference
from avatar_operator.model_lifecycle.training_request import build_training_request
from avatar_operator.request_lifecycle.pictures import draw_call, wanted_pictures
from builders.world import MODEL_KEY, World

SECRETS = (
    "123456789012",
    "PlatformOperatorRole",
    "platform-bucket-of-others",
    "AKIAIOSFODNN7EXAMPLE",
    "vpce-1a2b.s3.eu-west-1.vpce.amazonaws.com",
    "10.11.12.13",
)
TEXTS = (
    "User: arn:aws:sts::123456789012:assumed-role/PlatformOperatorRole/op is not authorized to perform: s3:GetObject",
    'arn:aws:s3:::platform-bucket-of-others/x" with an explicit deny in a resource-based policy',
    "The AWS Access Key Id AKIAIOSFODNN7EXAMPLE does not exist in our records",
    "Endpoint x of account 123456789012 not found.",
    "Failed to download model data(bucket: platform-bucket-of-others, key: k).",
    'Failed to extract model data archive from URL "s3://platform-bucket-of-others/k"',
    "1 validation error detected: Value 'PlatformOperatorRole' at 'targetModel' failed to satisfy constraint",
    "Could not connect to vpce-1a2b.s3.eu-west-1.vpce.amazonaws.com at 10.11.12.13",
)
CODES = sorted(
    {
        *(code for words in vars(error_codes).values() if isinstance(words, frozenset) for code in words),
        *("ModelError", "ValidationError", "ValidationException", "InvalidArgument", "KMS.DisabledException"),
    },
    key=str,
)
BEFORE_TRAINING = ("list_photos", "write_request", "submit_training", "fence_attempt", "attempt_outcome")
RETAINING = ("mark_retained", "unmark_retained")
VERBS = (
    *BEFORE_TRAINING,
    *RETAINING,
    *("revoke_claim", "claimed_since", "check_artifact", "existing_pictures", "describe_pictures", "draw"),
    *("delete_model_data", "delete_outcomes", "delete_request_data", "holds_request_data"),
)
"""What a model's or a request's pass asks of the ports."""
PHOTOS = [PhotoLocation(uri="s3://photos/team-a/1.png", etag="1")]
PASSES = 50
STEP_SECONDS = 100
Case = tuple[AwsCallError, str]


def answered(code: object, status: int, text: str) -> ClientError:
    """AWS's answer to a call that it did not take."""
    answer: Any = {
        "Error": {"Code": str(code), "Message": text},
        "ResponseMetadata": {"HTTPStatusCode": status, "RequestId": "4ZQ1"},
        "OriginalMessage": text,
    }
    return ClientError(answer, "GetObject")


ERRORS: st.SearchStrategy[Case] = st.one_of(
    st.tuples(
        st.sampled_from(CODES), st.sampled_from([400, 403, 404, 424, 429, 500]), st.sampled_from(TEXTS)
    ).map(lambda said: (answered(*said), said[2])),
    st.sampled_from(TEXTS).map(lambda text: (EndpointConnectionError(endpoint_url=text), text)),
    st.sampled_from(TEXTS).map(lambda text: (ParamValidationError(report=text), text)),
)


class FallenAws:
    """AWS clients of which every call fails in the same way."""

    def __init__(self, error: AwsCallError) -> None:
        self._error = error

    def __getattr__(self, _: str) -> Any:
        async def call(*_arguments: Any) -> Any:
            raise self._error

        return call


def a_backend(error: AwsCallError) -> Backend:
    """The real thing, counted as in an operator, over an AWS that fails."""
    registry, world_clock = CollectorRegistry(), World().clock
    clients = cast(AwsClients, FallenAws(error))
    real = Backend(S3Storage(clients, world_clock), SageMakerCompute(clients, IngestMetrics(registry)))
    return metered(real, "sagemaker", BackendMetrics(registry))


def ask(backend: Backend, world: World, verb: str) -> Awaitable[Any]:
    """A call of a verb, with what a pass would ask."""
    storage, compute = backend.storage, backend.compute
    runtime, model, request = world.runtime, world.model, world.request
    training, pinned = model.status.training, request.status.model
    assert training is not None
    assert pinned is not None
    attempt = replace(
        attempt_reference(runtime, model, training), output_location=None, failure_location=None
    )
    order = build_training_request(runtime, model, attempt, PHOTOS, None)
    prefix, wanted = picture_prefix(runtime, request), tuple(wanted_pictures(request))
    match verb:
        case "list_photos":
            return storage.list_photos(runtime, model)
        case "write_request":
            return storage.write_request(runtime, attempt, order)
        case "submit_training":
            return compute.submit_training(runtime, order, attempt.locations.request)
        case "attempt_outcome":
            return compute.attempt_outcome(runtime, attempt)
        case "check_artifact":
            return storage.check_artifact(runtime, pinned)
        case "existing_pictures":
            return storage.existing_pictures(runtime, prefix)
        case "describe_pictures":
            return storage.describe_pictures(runtime, prefix, wanted)
        case "draw":
            return compute.draw(runtime, draw_call(runtime, request, pinned, wanted))
        case "mark_retained" | "unmark_retained":
            return cast(Awaitable[Any], getattr(storage, verb)(runtime, picture_directory(runtime, request)))
        case "delete_model_data":
            return storage.delete_model_data(runtime, model, artifacts=True)
        case "delete_outcomes":
            return compute.delete_outcomes(runtime, model)
        case "delete_request_data":
            return storage.delete_request_data(runtime, request)
        case "holds_request_data":
            return storage.holds_request_data(runtime, request)
        case _:
            return cast(Awaitable[Any], getattr(storage, verb)(runtime, attempt))


async def a_drawing_world() -> World:
    """A model that is trained, and a request that is about to be drawn."""
    world = World()
    world.add_runtime()
    world.add_model()
    await world.settle(AVATAR_RUNTIME)
    await world.train()
    world.add_request()
    await world.look_at(AVATAR_REQUEST)
    await world.look_at(AVATAR_REQUEST)
    return world


async def what_it_comes_to(error: AwsCallError, verb: str) -> tuple[object, str]:
    """What a verb comes to where AWS fails so, and what stands in the log then."""
    world = await a_drawing_world()
    with capture_logs() as lines:
        try:
            result = await ask(a_backend(error), world, verb)
        except BackendError as failure:
            result = failure
    return result, json.dumps(lines, default=str)


class Watched:
    """Everything that was ever to be read of a tenant's objects."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._versions: list[object] = []
        world.kube.watch(self._see)

    def _see(self, kind: Kind, body: Object, gone: bool) -> None:
        if kind != AVATAR_RUNTIME:
            self._versions.append(body)

    def everything(self) -> str:
        """All of it, as JSON."""
        events = [
            event
            for event in self._world.kube.events.values()
            if event["regarding"]["kind"] != AVATAR_RUNTIME.kind
        ]
        told = [asdict(announcement) for announcement in self._world.announcer.announced]
        return json.dumps([self._versions, events, told], default=str)


async def a_life_with(verb: str, result: object) -> str:
    """What tenants have read after a whole life in which a verb always came to the same."""
    world = World()
    watched = Watched(world)
    world.add_runtime()
    await world.settle(AVATAR_RUNTIME)
    kept = {"deletionPolicy": "Retain" if verb in RETAINING else "Delete"}
    world.add_model(kept)
    if verb in BEFORE_TRAINING:
        world.backend.script(verb, *[result] * 1000)
        await _pass_by(world, AVATAR_MODEL, crash=verb == "fence_attempt")
        world.backend.forget_scripts()
    else:
        await world.train()
    world.add_request(kept)
    world.backend.script(verb, *[result] * 1000)
    await _pass_by(world, AVATAR_REQUEST)
    for kind, name in ((AVATAR_REQUEST, "portraits"), (AVATAR_MODEL, "ann")):
        world.kube.delete_as_user(kind, name)
        await _pass_by(world, kind)
    return watched.everything()


async def _pass_by(world: World, kind: Kind, *, crash: bool = False) -> None:
    for number in range(PASSES):
        if kind == AVATAR_MODEL:
            world.models.hint_outcome(MODEL_KEY)
        await world.look_at(kind)
        if crash and number == 0:
            world.crash()
        world.clock.advance(STEP_SECONDS)


@settings(max_examples=100, deadline=None)
@given(ERRORS, st.sampled_from(VERBS))
def test_whatever_aws_says_no_tenant_reads_it_and_the_log_has_it(case: Case, verb: str) -> None:
    error, text = case
    result, log = asyncio.run(what_it_comes_to(error, verb))
    read = asyncio.run(a_life_with(verb, result))
    assert [secret for secret in SECRETS if secret in read] == []
    if isinstance(result, BackendError):
        assert result.reason in log
        assert text[:30] in log.replace('\\"', '"') or isinstance(result, OutcomeUnknownError)


WORDS = st.sampled_from(TEXTS).map(lambda text: f"while it read photos: {text}")


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(get_args(WorkerErrorCode)), st.booleans(), WORDS)
def test_whatever_a_worker_says_no_tenant_reads_more_than_it_may(
    code: WorkerErrorCode, retryable: bool, words: str
) -> None:
    photos = [PhotoVerdict(uri=words.replace(" ", ""), rejection="NotFound", message=words)]
    said = WorkerError(code=code, message=words, retryable=retryable, photos=photos)
    cause = failure_cause(json.dumps(said.to_wire()))
    assert cause.reason == code
    assert cause.said.mention(words)
    failed = AttemptFailed(cause.reason, cause.message, cause.retryable, cause.error, cause.said)
    read = asyncio.run(a_life_with("attempt_outcome", failed))
    assert f'"{code}"' in read
    assert [secret for secret in SECRETS if secret in read] == []


@given(st.sampled_from(TEXTS))
def test_a_text_without_a_document_reaches_nobody(text: str) -> None:
    for sentence in (text, f"Received server error (500) from model with message {text}"):
        cause = failure_cause(sentence)
        assert cause.said.mention(text)
        assert [secret for secret in SECRETS if secret in cause.message] == []


async def test_a_runtime_says_what_aws_said_because_the_platform_team_reads_it() -> None:
    world = World()
    error = answered("AccessDenied", 403, TEXTS[0])
    world.add_runtime()
    with pytest.raises(BackendError) as caught:
        await a_backend(error).compute.ensure_endpoints(world.runtime)
    world.backend.script("ensure_endpoints", caught.value)
    await world.look_at(AVATAR_RUNTIME)
    ready = find_condition(world.runtime.status.conditions, "EndpointsReady")
    assert ready is not None
    assert TEXTS[0] in ready.message
    assert "(request 4ZQ1)" in ready.message
