"""What a decision about an AvatarRequest may ask of the outside world. Data only."""

from dataclasses import dataclass

from avatar_api.avatar_request import AvatarRequestStatus
from avatar_operator.backends.compute import DrawCall
from avatar_operator.core.decision import Draft


@dataclass(frozen=True)
class DrawPictures:
    """Draw some of the missing pictures."""

    call: DrawCall


@dataclass(frozen=True)
class DeletePictures:
    """Remove what the request drew."""

    give_up: bool


RequestAction = DrawPictures | DeletePictures
RequestDraft = Draft[AvatarRequestStatus, RequestAction]
