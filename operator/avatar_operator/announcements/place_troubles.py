"""What people should know of a place that letters go to: it is out of reach, or a letter was lost on the way there.

A place is out of reach until the next letter arrives. A letter that was given up is a loss, and no later letter mends it:
it is told for an hour, however well the others fare, because a moment would pass unseen. The message is that of the first
of its kind: messages carry request ids, and whoever tells them must not tell the same again for each letter.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

LOSS_TOLD_SECONDS = 3600.0
_Place = tuple[str, str]
"""A destination, and the namespace that has it to itself."""


@dataclass(frozen=True)
class PlaceTrouble:
    """Why a place does not hear all that it is told.

    Attributes:
        reason: one CamelCase word.
        message: what happened and how to mend it, for a person.
        lost: a letter was given up; otherwise none has been, and they wait.
    """

    reason: str
    message: str
    lost: bool


class PlaceTroubles:
    """The troubles of all places. Use from one event loop only.

    A place is a destination, or what one namespace has there; a namespace is empty if the destination is everybody's.

    Args:
        on_change: called with a destination about which something else may be to be said.
    """

    def __init__(self, on_change: Callable[[str], None]) -> None:
        self._on_change = on_change
        self._out_of_reach: dict[_Place, PlaceTrouble] = {}
        self._losses: dict[_Place, PlaceTrouble] = {}
        self._ends: dict[_Place, asyncio.TimerHandle] = {}

    def of(self, destination: str) -> PlaceTrouble | None:
        """What is to be said of a destination; None if it hears everything, as far as is known."""
        for troubles in (self._out_of_reach, self._losses):
            found = [place for place in troubles if place[0] == destination]
            if found:
                return troubles[min(found)]
        return None

    def out_of_reach(self, destination: str, namespace: str, *, reason: str, message: str) -> None:
        """Letters to a place have to wait."""
        self._note(self._out_of_reach, (destination, namespace), PlaceTrouble(reason, message, lost=False))

    def reached(self, destination: str, namespace: str) -> None:
        """A place has answered to a letter, or none is left that could tell whether it answers by now."""
        if self._out_of_reach.pop((destination, namespace), None) is not None:
            self._on_change(destination)

    def lost(self, destination: str, namespace: str, *, reason: str, message: str) -> None:
        """A letter to a place was given up."""
        place = (destination, namespace)
        self._note(self._losses, place, PlaceTrouble(reason, message, lost=True))
        if place in self._ends:
            self._ends[place].cancel()
        self._ends[place] = asyncio.get_running_loop().call_later(LOSS_TOLD_SECONDS, self._told, place)

    def _note(self, troubles: dict[_Place, PlaceTrouble], place: _Place, trouble: PlaceTrouble) -> None:
        known = troubles.get(place)
        if known is None or known.reason != trouble.reason:
            troubles[place] = trouble
            self._on_change(place[0])

    def _told(self, place: _Place) -> None:
        del self._losses[place], self._ends[place]
        self._on_change(place[0])
