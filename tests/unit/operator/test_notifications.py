"""Promise 2, over the whole space: whatever messages arrive, in whatever order, the end is what storage says.

A job ends at some moment. Before and after it, any messages reach the operator: true ones, false ones, doubled ones,
old progress, garbage; and the operator may be killed in between. At the end there is one sweep, as there always is.
"""

import asyncio
import json
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from avatar_api.avatar_model import AvatarModelStatus
from avatar_api.group import AVATAR_MODEL, AVATAR_RUNTIME, KINDS
from avatar_operator.backends.attempts import AttemptFailed, AttemptOutcome, AttemptPending, AttemptReference
from avatar_operator.core.workqueue import WorkQueue
from avatar_operator.hint_routing import HintRouter
from avatar_operator.ingest.messages import AttemptHint, ProgressHint, parse_message
from avatar_operator.kube.cache import ObjectKey
from avatar_operator.names import inference_id
from avatar_operator.reconciling.scheduling import Scheduler
from builders.backend import ScriptedBackend, a_success
from builders.objects import MODEL_UID
from builders.observations import a_progress_message
from builders.world import MODEL_KEY, World

ATTEMPT = inference_id(MODEL_UID, 1, 1)


class Storage(ScriptedBackend):
    """A backend whose job ends when the test says so."""

    def __init__(self, end: AttemptOutcome) -> None:
        super().__init__()
        self._end = end
        self.ended = False

    async def attempt_outcome(self, runtime: object, attempt: AttemptReference) -> AttemptOutcome:
        """What lies in S3."""
        return self._end if self.ended else AttemptPending()


@dataclass(frozen=True)
class JobEnds:
    """The output object appears."""


@dataclass(frozen=True)
class Crash:
    """The operator is killed and started again."""


def _notification(inference: str, status: str) -> str:
    document = {"eventName": "InferenceResult", "invocationStatus": status, "inferenceId": inference}
    return json.dumps(document)


def _enveloped(body: str) -> str:
    return json.dumps({"Type": "Notification", "Message": body})


_progress = st.builds(
    lambda stage, step, sequence: json.dumps(a_progress_message(stage, step, sequence=sequence).to_wire()),
    st.sampled_from(("Preparing", "Training", "Packaging")),
    st.integers(0, 100),
    st.integers(0, 200),
)
_said = st.one_of(
    st.sampled_from((_notification(ATTEMPT, "Completed"), _notification(ATTEMPT, "Failed"))),
    st.builds(
        _notification, st.just(inference_id(MODEL_UID, 1, 2)), st.sampled_from(("Completed", "Failed"))
    ),
    _progress,
    st.just('{"eventName": "TestNotification"}'),
    st.text(max_size=40),
    st.recursive(
        st.none() | st.integers() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=3)
    ).map(json.dumps),
)
_message = _said | _said.map(_enveloped)
_happening = st.one_of(_message, _message, _message, st.builds(Crash))


@st.composite
def _stories(draw: st.DrawFn) -> list[object]:
    before, after = draw(st.lists(_happening, max_size=8)), draw(st.lists(_happening, max_size=8))
    doubled = [happening for happening in before for _ in range(draw(st.integers(1, 2)))]
    return [*doubled, JobEnds(), *draw(st.permutations(after))]


@given(story=_stories())
@settings(max_examples=60, deadline=None)
def test_a_model_that_was_trained_ends_ready_whatever_was_said(story: list[object]) -> None:
    status = asyncio.run(_live_through(story, a_success(ATTEMPT)))
    assert status.state == "Ready"
    assert status.artifact is not None
    assert {(condition.type, condition.status) for condition in status.conditions} == {
        ("Accepted", "True"),
        ("Trained", "True"),
        ("Hosted", "True"),
        ("Ready", "True"),
        ("Reconciling", "False"),
        ("Stalled", "False"),
    }


@given(story=_stories())
@settings(max_examples=30, deadline=None)
def test_a_model_whose_training_failed_ends_failed_whatever_was_said(story: list[object]) -> None:
    failure = AttemptFailed(
        reason="TooFewUsablePhotos", message="3 of 12 photos can be used.", retryable=False
    )
    status = asyncio.run(_live_through(story, failure))
    assert status.state == "Failed"
    assert status.artifact is None
    assert status.last_failure is not None
    assert status.last_failure.reason == "TooFewUsablePhotos"


async def _live_through(story: list[object], end: AttemptOutcome) -> AvatarModelStatus:
    world = World()
    storage = Storage(end)
    world.backend = storage
    world.crash()
    world.add_runtime()
    await world.settle(AVATAR_RUNTIME)
    world.add_model()
    await world.settle(AVATAR_MODEL)
    for happening in story:
        match happening:
            case JobEnds():
                storage.ended = True
            case Crash():
                world.crash()
            case str():
                _receive(world, happening)
        await world.settle(AVATAR_MODEL)
    # The sweeper comes round sooner or later, and asks for every outcome.
    world.models.hint_outcome(MODEL_KEY)
    await world.settle(AVATAR_MODEL)
    submitted = [request.inference_id for request in storage.asked("submit_training")]
    assert submitted == [ATTEMPT]
    return world.model.status


def _receive(world: World, body: str) -> None:
    queues = {kind: WorkQueue[ObjectKey]() for kind in KINDS}
    hint = parse_message(body)
    if isinstance(hint, AttemptHint | ProgressHint):
        scheduler = Scheduler(world.cache, queues, world.models.hint_outcome)
        scheduler.begin()
        HintRouter(world.cache, scheduler, world.models)(hint)
