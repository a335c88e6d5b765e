"""Whose things are stored, counted from their keys. Pure: whatever lists them hands them in."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from avatar_operator.backends.failures import BackendError
from avatar_operator.backends.storage import StoredOwner
from avatar_operator.locations import RETAINED, OwnedDirectory, StorageLocations, owner_of


@dataclass
class _Tally:
    age_seconds: float
    objects: int = 0
    retained: bool = False


class Census:
    """What is stored of each owner.

    Args:
        storage: where owners store things.
    """

    def __init__(self, storage: StorageLocations) -> None:
        self._storage = storage
        self._tallies: dict[OwnedDirectory, _Tally] = {}

    def count(self, uri: str, age_seconds: float) -> None:
        """One object of some age, which counts only if its key is one that we make."""
        owner = owner_of(self._storage, uri)
        if owner is None:
            return
        tally = self._tallies.setdefault(owner, _Tally(age_seconds))
        tally.age_seconds = min(tally.age_seconds, age_seconds)
        tally.objects += 1
        tally.retained = tally.retained or uri == f"{owner.location}{RETAINED}"

    def result(self) -> Sequence[StoredOwner]:
        """Everybody who was counted."""
        return [
            StoredOwner(
                **asdict(owner),
                age_seconds=tally.age_seconds,
                objects=tally.objects,
                retained=tally.retained,
            )
            for owner, tally in self._tallies.items()
        ]


def check_owned(directory: OwnedDirectory) -> None:
    """See to it that nothing is deleted but what is named for its owner: a uid is nobody else's.

    Raises:
        BackendError: NotOwned.
    """
    if not is_named_for(directory.location, directory.uid):
        raise BackendError(
            "NotOwned",
            f"{directory.location} is no directory of {directory.kind} {directory.namespace}/{directory.uid}: it is left alone",
            retryable=False,
        )


def is_named_for(location: str, uid: str) -> bool:
    """Whether a directory is named for an object."""
    return location.endswith(f"/{uid}/")
