"""The objects that the simulation pretends to store: names, times, and who holds a claim. Gone with the process.

Only the last directories are remembered, so that an operator that simulates for a year does not grow.
"""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from avatar_operator.core.clock import Clock

MAX_DIRECTORIES = 20_000


@dataclass(frozen=True)
class PretendedObject:
    """An object that would lie in S3."""

    written: datetime
    content: str = ""


class PretendedObjects:
    """What would lie in S3.

    Args:
        clock: dates what is written.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._directories: OrderedDict[str, dict[str, PretendedObject]] = OrderedDict()

    def write(self, uri: str, content: str = "") -> None:
        """Pretend to write an object, whatever stands there."""
        directory, name = _taken_apart(uri)
        self._directories.setdefault(directory, {})[name] = PretendedObject(self._clock.now(), content)
        self._directories.move_to_end(directory)
        while len(self._directories) > MAX_DIRECTORIES:
            self._directories.popitem(last=False)

    def read(self, uri: str) -> PretendedObject | None:
        """The object, or None if there is none."""
        directory, name = _taken_apart(uri)
        return self._directories.get(directory, {}).get(name)

    def names(self, directory: str) -> frozenset[str]:
        """The names directly in a directory, which ends with a slash."""
        return frozenset(self._directories.get(directory, ()))

    def delete(self, uri: str) -> None:
        """Forget an object. It need not be there."""
        directory, name = _taken_apart(uri)
        self._directories.get(directory, {}).pop(name, None)

    def everything(self) -> Iterator[tuple[str, float]]:
        """The URI of every object, and the seconds since it was written."""
        now = self._clock.now()
        for directory, names in self._directories.items():
            for name, found in names.items():
                yield f"{directory}{name}", (now - found.written).total_seconds()

    def delete_below(self, prefix: str) -> None:
        """Forget everything below a prefix that ends with a slash."""
        for directory in [directory for directory in self._directories if directory.startswith(prefix)]:
            del self._directories[directory]


def _taken_apart(uri: str) -> tuple[str, str]:
    directory, slash, name = uri.rpartition("/")
    return f"{directory}{slash}", name
