"""News: what a status says that is worth telling, derived from the status itself.

Because news follow from what stands in the API server, they need no memory: whoever reads the same status derives the
same news with the same id, and telling one twice tells it once.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from avatar_operator.core.decision import Notice


@dataclass(frozen=True)
class News:
    """One thing that a status says.

    Attributes:
        notice: what to tell.
        occasion: tells repetitions apart that are news (an attempt, a time), and is equal for those that are not.
        time: when it happened.
    """

    notice: Notice
    occasion: str
    time: datetime

    def id_of(self, uid: str) -> str:
        """An id for this news about one object. The words are no part of it: they may get better."""
        text = "\n".join((uid, self.occasion, self.notice.type, self.notice.reason))
        return hashlib.sha256(text.encode()).hexdigest()[:16]
