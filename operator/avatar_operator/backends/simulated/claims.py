"""Who holds an attempt in the simulation. A submitted attempt is begun at once, unless the operator took it before."""

from datetime import datetime
from typing import Literal

from avatar_operator.backends.attempts import AttemptReference
from avatar_operator.backends.simulated.objects import PretendedObjects

Holder = Literal["Worker", "Operator"]


def take(objects: PretendedObjects, attempt: AttemptReference, holder: Holder) -> None:
    """Take an attempt's claim if nobody has it."""
    if objects.read(attempt.locations.claim) is None:
        seize(objects, attempt, holder)


def seize(objects: PretendedObjects, attempt: AttemptReference, holder: Holder) -> None:
    """Take an attempt's claim whoever has it."""
    objects.write(attempt.locations.claim, holder)


def held_since(objects: PretendedObjects, attempt: AttemptReference, holder: Holder) -> datetime | None:
    """Since when somebody holds an attempt; None if they do not."""
    claim = objects.read(attempt.locations.claim)
    return None if claim is None or claim.content != holder else claim.written
