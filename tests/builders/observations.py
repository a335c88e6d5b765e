"""What a lifecycle has gathered: observations at noon, of an object and the runtime it needs."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from avatar_api.avatar_model import AvatarModel, AvatarModelStatus
from avatar_api.avatar_request import AvatarRequest, Picture
from avatar_api.avatar_runtime import AvatarRuntime, LeftBehind
from avatar_api.documents.training import (
    ObjectIdentity,
    PhotoLocation,
    Stage,
    TrainingProgressMessage,
    TrainingRequest,
)
from avatar_operator.announcements.place_troubles import PlaceTrouble
from avatar_operator.backends.attempts import AttemptOutcome
from avatar_operator.backends.failures import BackendError
from avatar_operator.core.conditions import find_condition
from avatar_operator.core.decision import Notice
from avatar_operator.model_lifecycle.actions import ModelDraft
from avatar_operator.model_lifecycle.news import model_news
from avatar_operator.model_lifecycle.observation import ModelObservation
from avatar_operator.names import inference_id
from avatar_operator.orphans.finding import Finding
from avatar_operator.request_lifecycle.actions import RequestDraft
from avatar_operator.request_lifecycle.notes import DrawingNotes
from avatar_operator.request_lifecycle.observation import RequestObservation
from avatar_operator.runtime_lifecycle.actions import RuntimeDraft
from avatar_operator.runtime_lifecycle.observation import RuntimeObservation
from avatar_operator.runtime_lifecycle.overlaps import Overlap
from avatar_operator.runtime_lifecycle.users import Users
from avatar_operator.runtime_lifecycle.work import Work
from builders.clock import NOON
from builders.objects import MODEL_UID, a_runtime

STANDARD = a_runtime()
NOBODY = Users()
NOTHING_TO_DO = Work()


def at(seconds: float) -> datetime:
    """An instant, in seconds after noon."""
    return NOON + timedelta(seconds=seconds)


def observed_model(
    model: AvatarModel,
    *,
    runtime: AvatarRuntime | None = STANDARD,
    now: datetime = NOON,
    photos: Sequence[PhotoLocation] | BackendError | None = None,
    outcome: AttemptOutcome | BackendError | None = None,
    progress: TrainingProgressMessage | None = None,
    planned_here: bool = False,
    sent: TrainingRequest | BackendError | None = None,
    obstacle: BackendError | None = None,
    credentials_due: datetime | None = None,
    asked_since: datetime | None = None,
    has_place: bool = True,
) -> ModelObservation:
    """An AvatarModel and its surroundings."""
    return ModelObservation(
        now=now,
        model=model,
        runtime=runtime,
        photos=photos,
        outcome=outcome,
        progress=progress,
        planned_here=planned_here,
        sent=sent,
        obstacle=obstacle,
        credentials_due=credentials_due,
        asked_since=asked_since,
        has_place=has_place,
    )


def model_draft(observation: ModelObservation) -> ModelDraft:
    """The decision about an AvatarModel before any phase had a say."""
    return ModelDraft(status=observation.model.status)


def told_of_end(status: AvatarModelStatus) -> list[Notice]:
    """What people are told because of a status, but for the submission of the attempt."""
    body = {"metadata": {"name": "ann"}, "status": status.to_wire()}
    notices = [news.notice for news in model_news(body)]
    return [notice for notice in notices if notice.reason != "TrainingSubmitted"]


def a_progress_message(
    stage: Stage = "Training",
    step: int = 0,
    total_steps: int = 100,
    *,
    attempt: int = 1,
    sequence: int = 1,
    remaining: int | None = None,
) -> TrainingProgressMessage:
    """What a worker tells while it trains the model of `builders.objects`."""
    return TrainingProgressMessage(
        inference_id=inference_id(MODEL_UID, 1, attempt),
        model=ObjectIdentity(namespace="team-a", name="ann", uid=MODEL_UID),
        stage=stage,
        step=step,
        total_steps=total_steps,
        estimated_remaining_seconds=remaining,
        sequence=sequence,
        time=NOON,
    )


def observed_request(
    request: AvatarRequest,
    *,
    model: AvatarModel | None = None,
    runtime: AvatarRuntime | None = STANDARD,
    obstacle: BackendError | None = None,
    now: datetime = NOON,
    existing: frozenset[str] | None = None,
    pictures: Sequence[Picture] | None = None,
    notes: DrawingNotes | None = None,
    model_names: tuple[str, ...] = (),
    asked_since: datetime | None = None,
    has_place: bool = True,
) -> RequestObservation:
    """An AvatarRequest and its surroundings."""
    return RequestObservation(
        now=now,
        request=request,
        model=model,
        runtime=runtime,
        obstacle=obstacle,
        existing=existing,
        pictures=pictures,
        notes=notes or DrawingNotes(),
        model_names=model_names,
        asked_since=asked_since,
        has_place=has_place,
    )


def request_draft(observation: RequestObservation) -> RequestDraft:
    """The decision about an AvatarRequest before any phase had a say."""
    return RequestDraft(status=observation.request.status)


def request_says(draft: RequestDraft, condition_type: str) -> tuple[str, str]:
    """Status and reason of one condition of a draft."""
    condition = find_condition(draft.status.conditions, condition_type)
    assert condition is not None
    return condition.status, condition.reason


def observed_runtime(
    runtime: AvatarRuntime,
    *,
    users: Users = NOBODY,
    now: datetime = NOON,
    work: Work = NOTHING_TO_DO,
    handed_over: Sequence[LeftBehind] = (),
    orphans: Finding | None = None,
    topic_trouble: PlaceTrouble | None = None,
    overlap: Overlap | None = None,
    unseen: Sequence[str] = (),
) -> RuntimeObservation:
    """An AvatarRuntime and its surroundings."""
    return RuntimeObservation(
        now=now,
        runtime=runtime,
        users=users,
        work=work,
        handed_over=tuple(handed_over),
        orphans=orphans,
        topic_trouble=topic_trouble,
        overlap=overlap,
        unseen=tuple(unseen),
    )


def runtime_draft(observation: RuntimeObservation) -> RuntimeDraft:
    """The decision about an AvatarRuntime before any phase had a say."""
    return RuntimeDraft(status=observation.runtime.status)
