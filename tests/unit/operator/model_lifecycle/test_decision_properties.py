"""What holds of every decision about an AvatarModel, whatever was observed.

Observations are gathered by the real `observe`, over random objects and a backend of random answers, so none is tried
that could not occur.
"""

import asyncio
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from avatar_api.avatar_model import AvatarModel, AvatarModelStatus
from avatar_api.avatar_runtime import AvatarRuntime
from avatar_api.group import AVATAR_MODEL, AVATAR_RUNTIME, Kind
from avatar_operator.backends.attempts import AttemptFailed, AttemptPending
from avatar_operator.kube.cache import ObjectCache
from avatar_operator.kube.namespaces import NamespaceLabels
from avatar_operator.left_behind.register import LeftBehindRegister
from avatar_operator.model_lifecycle.actions import FenceAttempt, ModelDraft, SubmitTraining
from avatar_operator.model_lifecycle.controller import ModelLifecycle
from avatar_operator.model_lifecycle.lifecycle import decide, summarise
from avatar_operator.model_lifecycle.observation import ModelObservation, is_active, is_settled, is_submitted
from avatar_operator.names import inference_id
from avatar_operator.quotas import model_quotas
from avatar_operator.telemetry.metrics import OperatorMetrics
from builders import model_stages
from builders.backend import ScriptedBackend, a_success, backends_of, denied, out_of_reach
from builders.clock import NOON, FakeClock
from builders.kube import FakeKubeClient
from builders.objects import MODEL_UID, a_model, a_runtime, photos
from builders.observations import a_progress_message
from builders.world import MODEL_KEY

REVISIONS = st.integers(1, 3)
STATUSES = st.one_of(
    st.just(AvatarModelStatus()),
    st.builds(model_stages.waiting, revision=REVISIONS, attempt=st.integers(0, 3)),
    st.builds(
        model_stages.planned, revision=REVISIONS, attempt=st.integers(1, 3), failures=st.integers(0, 2)
    ),
    st.builds(
        model_stages.submitted, revision=REVISIONS, attempt=st.integers(1, 3), failures=st.integers(0, 2)
    ),
    st.builds(
        model_stages.failed,
        revision=REVISIONS,
        failures=st.integers(1, 3),
        retry_in=st.sampled_from([None, 30.0, 300.0]),
    ),
    st.builds(model_stages.hosted, revision=REVISIONS),
)
REVISIONS_AHEAD = st.integers(0, 2)
SPECS = st.fixed_dictionaries(
    {},
    optional={
        "suspend": st.booleans(),
        "activeDeadlineSeconds": st.sampled_from([60, 3600]),
        "retention": st.just({"expireAfterSeconds": 600}),
        "deletionPolicy": st.sampled_from(["Delete", "Retain"]),
        "training": st.sampled_from([{"steps": 10}, {"rank": 200}]),
        "photos": st.sampled_from([{"s3Prefix": "s3://photos/team-a/x/"}, {"s3Prefix": "s3://elsewhere/"}]),
    },
)
RUNTIMES = st.sampled_from(
    [
        None,
        a_runtime(),
        a_runtime(ready=False),
        a_runtime(spec={"tenancy": {"allowedNamespaces": ["team-b"]}}),
        a_runtime(spec={"limits": {"training": {"maxAttempts": 1}}}),
    ]
)
FOUND = st.sampled_from(
    [photos(12), photos(0), photos(3), photos(120), denied("PhotosDenied"), out_of_reach()]
)
OUTCOMES = st.sampled_from(
    [
        AttemptPending(),
        AttemptPending(check_after=5.0),
        a_success(inference_id(MODEL_UID, 1, 1)),
        a_success(inference_id(MODEL_UID, 1, 1), defect="truncated"),
        AttemptFailed("InternalError", "oops", retryable=True),
        AttemptFailed("TooFewUsablePhotos", "few", retryable=False),
        denied(),
        out_of_reach(),
    ]
)
MESSAGES = st.none() | st.builds(
    a_progress_message,
    st.sampled_from(["Preparing", "Training", "Packaging"]),
    st.integers(0, 120),
    attempt=st.integers(1, 3),
)


@dataclass(frozen=True)
class Situation:
    """Everything that an observation is made of."""

    model: AvatarModel
    runtime: AvatarRuntime | None
    found: Any
    outcome: Any
    message: Any
    planned_here: bool
    seconds: float


@st.composite
def situations(draw: st.DrawFn) -> Situation:
    """Objects, a backend's answers, and how late it is."""
    status, spec = draw(STATUSES), draw(SPECS)
    observed_revision = 1 if status.training is None else status.training.revision
    model = a_model(
        generation=draw(st.integers(1, 4)),
        finalizers=draw(st.sampled_from([("avatars.dev/cleanup",), ()])),
        deleted_at=draw(st.sampled_from([None, None, NOON])),
        spec={**spec, "revision": observed_revision + draw(REVISIONS_AHEAD)},
        status=status,
    )
    return Situation(
        model=model,
        runtime=draw(RUNTIMES),
        found=draw(FOUND),
        outcome=draw(OUTCOMES),
        message=draw(MESSAGES),
        planned_here=draw(st.booleans()),
        seconds=draw(st.sampled_from([0.0, 45.0, 700.0, 10_000.0])),
    )


def _observe(situation: Situation) -> ModelObservation:
    """What the operator would observe."""
    cache, clock, backend = ObjectCache(), FakeClock(), ScriptedBackend()
    clock.advance(situation.seconds)
    body = _store(cache, AVATAR_MODEL, situation.model)
    if situation.runtime is not None:
        _store(cache, AVATAR_RUNTIME, situation.runtime)
    backend.script("list_photos", situation.found)
    backend.script("attempt_outcome", situation.outcome)
    lifecycle = ModelLifecycle(
        cache,
        backends_of(backend),
        clock,
        OperatorMetrics(CollectorRegistry()),
        LeftBehindRegister(lambda runtime: None),
        NamespaceLabels(FakeKubeClient(clock)),
        model_quotas(cache, lambda key: None),
    )
    if situation.message is not None:
        lifecycle.hint_progress(MODEL_KEY, situation.message)
    training = situation.model.status.training
    if situation.planned_here and training is not None:
        unplanned = ModelObservation(clock.now(), a_model(), situation.runtime)
        lifecycle.written(unplanned, situation.model.status)
    return asyncio.run(lifecycle.observe(body))


def _store(cache: ObjectCache, kind: Kind, value: AvatarModel | AvatarRuntime) -> dict[str, Any]:
    body: dict[str, Any] = value.model_dump(mode="json", by_alias=True, exclude_none=True)
    body["metadata"]["resourceVersion"] = "1"
    cache.store(kind, body)
    return body


def _decided(observation: ModelObservation) -> ModelDraft:
    return summarise(observation, decide(observation))


@given(situations())
@settings(max_examples=100, deadline=None)
def test_every_observation_leads_to_a_decision_and_always_to_the_same(situation: Situation) -> None:
    observation = _observe(situation)

    draft = _decided(observation)

    assert draft == _decided(observation)
    assert AvatarModelStatus.model_validate(draft.status.to_wire()).state == draft.status.state is not None


@given(situations())
@settings(max_examples=100, deadline=None)
def test_only_what_stands_planned_in_the_observed_status_is_submitted(situation: Situation) -> None:
    observation = _observe(situation)
    submissions = [action for action in decide(observation).actions if isinstance(action, SubmitTraining)]

    for submission in submissions:
        training = observation.model.status.training
        assert training is not None
        assert is_active(training)
        assert not is_submitted(training)
        assert observation.planned_here
        assert submission.request.inference_id == training.inference_id
        assert not observation.model.spec.suspend
        assert observation.model.metadata.deletion_timestamp is None
    assert len(submissions) <= 1


@given(situations())
@settings(max_examples=100, deadline=None)
def test_a_plan_of_unknown_fate_is_never_left_without_a_fence_or_an_end(situation: Situation) -> None:
    observation = _observe(situation)
    training = situation.model.status.training
    if training is None or observation.runtime is None:
        return
    unknown = is_active(training) and not is_submitted(training) and not observation.planned_here
    draft = decide(observation)

    if unknown and observation.model.metadata.deletion_timestamp is None:
        kinds = {type(action).__name__ for action in draft.actions}
        assert kinds & {"FenceAttempt", "CancelAttempt"}
    if any(isinstance(action, FenceAttempt) for action in draft.actions):
        assert len(draft.actions) == 1


@given(situations(), st.sampled_from([0.0, 60.0, 500.0]))
@settings(max_examples=100, deadline=None)
def test_a_settled_model_causes_nothing_however_often_it_is_looked_at(
    situation: Situation, later: float
) -> None:
    observation = _observe(situation)
    if not is_settled(observation.model.status.training):
        return
    model = observation.model
    current = model.status.training is not None and model.status.training.revision == model.spec.revision
    if not current or model.metadata.deletion_timestamp is not None or model.spec.retention is not None:
        return
    first = _decided(observation)

    assert first.actions == ()
    assert not first.farewells
    status = AvatarModelStatus.model_validate(first.status.to_wire())
    clock = FakeClock(observation.now)
    clock.advance(later)
    again = replace(observation, now=clock.now(), model=model.model_copy(update={"status": status}))
    assert _decided(again).status == status


@given(situations())
@settings(max_examples=100, deadline=None)
def test_nothing_is_done_for_an_object_that_is_not_held(situation: Situation) -> None:
    observation = _observe(situation)
    if observation.model.metadata.finalizers:
        return
    draft = decide(observation)

    assert draft.finalizer == "Add" or draft.actions == ()
