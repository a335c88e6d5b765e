"""What the decision about any object that keeps data may ask for, and may learn, when that data is to go or to stay."""

from dataclasses import dataclass
from datetime import datetime

from avatar_operator.backends.cleanup_report import CleanupReport


@dataclass(frozen=True)
class MarkRetained:
    """Leave a mark that the object's data is meant to outlive it."""


@dataclass(frozen=True)
class UnmarkRetained:
    """Take that mark away."""


@dataclass(frozen=True)
class RecordLeftBehind:
    """Have the runtime take over what could not be removed; `remains` says it in words.

    Attributes:
        remains: for a person.
        may_grow_until: until when somebody may still store something; None if nobody can.
        is_removed: everything is gone, but something may come until then.
    """

    remains: str
    may_grow_until: datetime | None = None
    is_removed: bool = False


@dataclass(frozen=True)
class MarkedRetained:
    """Nobody takes the object's data for an orphan."""


@dataclass(frozen=True)
class UnmarkedRetained:
    """The object's data is an orphan if the object goes without it."""


@dataclass(frozen=True)
class DataDeleted:
    """What was stored for the object is gone, but for what the report names."""

    report: CleanupReport


@dataclass(frozen=True)
class LeftBehindHandedOver:
    """The runtime has been asked to take over what could not be removed, and is about to write that down."""

    remains: str
