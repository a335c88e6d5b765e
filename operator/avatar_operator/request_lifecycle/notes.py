"""What this process has seen of a request's drawing. Losing it costs timings, the cost and words, never a picture. Pure."""

from dataclasses import dataclass
from datetime import datetime

from avatar_operator.core.decision import Retry


@dataclass(frozen=True)
class DrawingNotes:
    """What is remembered.

    Attributes:
        loading_since: when the endpoint was first found loading the model, or None.
        cold_load_seconds: how long the first pictures had to wait for that.
        generate_seconds: what drawing took, as the worker measured it.
        drawn: file names of the pictures that these seconds were spent on.
        trouble: why the last try failed, or None.
        all_answered: whether every call was answered, so that no worker can be drawing still. Not known of what
            another process has called.
        holds_pictures: whether some were found after it had failed.
    """

    loading_since: datetime | None = None
    cold_load_seconds: float = 0.0
    generate_seconds: float = 0.0
    drawn: frozenset[str] = frozenset()
    trouble: Retry | None = None
    all_answered: bool = False
    holds_pictures: bool = False
