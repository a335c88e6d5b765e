"""What a decision about an AvatarRequest may ask of the outside world, and what it may learn there. Data only."""

from dataclasses import dataclass

from avatar_api.avatar_request import AvatarRequestStatus
from avatar_operator.backends.cleanup_report import CleanupReport
from avatar_operator.backends.compute import DrawCall, DrawResult
from avatar_operator.core.decision import ActionFailed, Draft


@dataclass(frozen=True)
class DrawPictures:
    """Draw some of the missing pictures."""

    call: DrawCall


@dataclass(frozen=True)
class DeletePictures:
    """Remove what the request drew."""


@dataclass(frozen=True)
class MarkRetained:
    """Leave a mark that the pictures are meant to outlive the request."""


@dataclass(frozen=True)
class RecordLeftBehind:
    """Have the runtime take over what could not be removed; `remains` says it in words."""

    remains: str


RequestAction = DrawPictures | DeletePictures | MarkRetained | RecordLeftBehind
RequestDraft = Draft[AvatarRequestStatus, RequestAction]


@dataclass(frozen=True)
class DrawingAnswered:
    """The endpoint has drawn, or goes on loading the model."""

    result: DrawResult


@dataclass(frozen=True)
class PicturesDeleted:
    """The pictures are gone, but for what the report names."""

    report: CleanupReport


@dataclass(frozen=True)
class MarkedRetained:
    """Nobody takes the pictures for orphans."""


@dataclass(frozen=True)
class LeftBehindHandedOver:
    """The runtime has been asked to take over what could not be removed, and is about to write that down."""

    remains: str


RequestFact = (
    DrawingAnswered | PicturesDeleted | MarkedRetained | LeftBehindHandedOver | ActionFailed[RequestAction]
)
