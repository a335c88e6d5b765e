"""What a decision about an AvatarRequest may ask of the outside world, and what it may learn there. Data only."""

from dataclasses import dataclass

from avatar_api.avatar_request import AvatarRequestStatus
from avatar_operator.backends.compute import DrawCall, DrawResult
from avatar_operator.core.decision import ActionFailed, Draft
from avatar_operator.left_behind.actions import (
    DataDeleted,
    LeftBehindHandedOver,
    MarkedRetained,
    MarkRetained,
    RecordLeftBehind,
    UnmarkedRetained,
    UnmarkRetained,
)


@dataclass(frozen=True)
class DrawPictures:
    """Draw some of the missing pictures."""

    call: DrawCall


@dataclass(frozen=True)
class DeletePictures:
    """Remove what the request drew."""


@dataclass(frozen=True)
class LookForPictures:
    """Look whether anything is stored for the request."""


RequestAction = (
    DrawPictures | DeletePictures | LookForPictures | MarkRetained | UnmarkRetained | RecordLeftBehind
)
RequestDraft = Draft[AvatarRequestStatus, RequestAction]


@dataclass(frozen=True)
class DrawingAnswered:
    """The endpoint has drawn, or goes on loading the model."""

    result: DrawResult


@dataclass(frozen=True)
class PicturesLookedFor:
    """Whether anything is stored for the request."""

    found: bool


RequestFact = (
    DrawingAnswered
    | PicturesLookedFor
    | DataDeleted
    | MarkedRetained
    | UnmarkedRetained
    | LeftBehindHandedOver
    | ActionFailed[RequestAction]
)
