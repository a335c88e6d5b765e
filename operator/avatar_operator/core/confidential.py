"""What AWS or a worker said, on its way to the platform team and to nobody else.

A text of AWS names roles, accounts, buckets and hosts; a text of a worker may quote one. Tenants read the conditions, Events
and CloudEvents of their objects, the platform team reads the log and its own AvatarRuntimes. So such a text is of a type of
its own from the moment in which it is read: it can be judged, and passed on, but whoever writes it into a sentence gets
`WITHHELD` there. Only `reveal` gives it back, and a test holds who may call that.
"""

import re
from dataclasses import dataclass

WITHHELD = "(withheld; the operator's log has it)"
FOR_THE_PLATFORM_TEAM = (
    "The platform team mends that: the operator's log has what was said, under this object's uid."
)
"""The end of every sentence that tells a tenant of something that only the platform team can mend."""


@dataclass(frozen=True, repr=False)
class Confidential:
    """Words that are not for everybody.

    Args:
        words: the words; none of them if nothing was said.
    """

    _words: str = ""

    def __bool__(self) -> bool:
        return bool(self._words)

    def __str__(self) -> str:
        return WITHHELD

    __repr__ = __str__

    def begin_with(self, *beginnings: str) -> bool:
        """Whether this is how they begin."""
        return self._words.startswith(beginnings)

    def match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """How they match a pattern from the start: to judge them by."""
        return pattern.match(self._words)

    def mention(self, words: str) -> bool:
        """Whether some words stand in them, in whatever case."""
        return words.lower() in self._words.lower()

    def reveal(self) -> str:
        """The words themselves: for the log, and for AvatarRuntimes."""
        return self._words


NOTHING = Confidential()
"""Nothing was said that is not for everybody."""
