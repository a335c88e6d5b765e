"""What this process remembers of a runtime. Losing it costs some minutes: an endpoint stays longer, idle time is not counted."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from avatar_operator.runtime_lifecycle.idle import IdleMeter


@dataclass(frozen=True)
class RuntimeNotes:
    """What is remembered.

    Attributes:
        former: since when it is known that the spec names an endpoint no more, by role and name.
        meter: measures its idle time.
    """

    former: Mapping[tuple[str, str], datetime] = field(default_factory=dict)
    meter: IdleMeter | None = None
