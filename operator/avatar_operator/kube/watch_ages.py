"""How long ago each watch was last known to be well.

A watch is well when it shows an event, and when a list finds nothing that it had missed: a quiet cluster has no events,
and its watch must not look dead for that.
"""

import time
from collections.abc import Callable, Mapping

from avatar_api.group import KINDS, Kind


class WatchAges:
    """The ages of the watches of all kinds, counted from when this was made.

    Args:
        monotonic: seconds on a clock that never goes back.
    """

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._well_at = dict.fromkeys(KINDS, monotonic())

    def note_well(self, kind: Kind) -> None:
        """The watch of a kind is well."""
        self._well_at[kind] = self._monotonic()

    def ages(self) -> Mapping[str, float]:
        """Seconds by plural."""
        now = self._monotonic()
        return {kind.plural: now - well_at for kind, well_at in self._well_at.items()}
