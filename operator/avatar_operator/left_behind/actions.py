"""What the decision about any object that keeps data may ask for, and may learn, when that data is to go or to stay."""

from dataclasses import dataclass

from avatar_operator.backends.cleanup_report import CleanupReport


@dataclass(frozen=True)
class MarkRetained:
    """Leave a mark that the object's data is meant to outlive it."""


@dataclass(frozen=True)
class UnmarkRetained:
    """Take that mark away."""


@dataclass(frozen=True)
class RecordLeftBehind:
    """Have the runtime take over what could not be removed; `remains` says it in words."""

    remains: str


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
