"""What a look for orphans has found, as a runtime says it. Data only."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Finding:
    """The result of the last look.

    Attributes:
        found: orphans that it found and that are still there.
        removed: orphans removed since the runtime's status was last written.
        checked: when the look ended.
    """

    found: int
    removed: int
    checked: datetime
