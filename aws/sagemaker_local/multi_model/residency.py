"""Which models are on an instance's disk and in its container's memory, who uses them, and which go first.

Pure bookkeeping: it decides, `store.py` acts. AWS documents only that "unused" models are unloaded under memory pressure and
unused archives deleted under disk pressure; least recently used is our reading of it. A model is in use from the moment a
request asks for it until that request ends, so that a model which has just been loaded for somebody is not taken away before
that somebody comes to it.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass


def opaque_name(target: str) -> str:
    """The name under which the container knows a model: a hash, so that nothing can be read into it or out of it."""
    return hashlib.sha256(target.encode()).hexdigest()[:32]


@dataclass
class Resident:
    """One model's state on one instance.

    Attributes:
        disk_bytes: the unpacked size, or None while it is not on the disk.
        loaded: whether the container has it in memory.
        users: requests that wait for it or use it.
    """

    target: str
    disk_bytes: int | None = None
    loaded: bool = False
    users: int = 0


class Residency:
    """All models of one instance, in order of last use."""

    def __init__(self) -> None:
        self._models: OrderedDict[str, Resident] = OrderedDict()

    def __len__(self) -> int:
        return len(self._models)

    def find(self, target: str) -> Resident | None:
        """The model's state, without counting as a use."""
        return self._models.get(target)

    def begin_use(self, target: str) -> Resident:
        """A request asks for the model: it becomes the most recently used one."""
        model = self._models.setdefault(target, Resident(target))
        self._models.move_to_end(target)
        model.users += 1
        return model

    def end_use(self, model: Resident) -> None:
        """The request has ended. A model that is neither on disk nor in memory is forgotten with its last user."""
        model.users -= 1
        self.forget_if_absent(model)

    def forget_if_absent(self, model: Resident) -> None:
        if (
            model.users == 0
            and not model.loaded
            and model.disk_bytes is None
            and self._models.get(model.target) is model
        ):
            del self._models[model.target]

    def next_to_unload(self, sparing: str) -> Resident | None:
        """The least recently used model that is loaded and unused, other than `sparing`."""
        return next(
            (m for m in self._models.values() if m.loaded and not m.users and m.target != sparing), None
        )

    def anything_loaded_besides(self, target: str) -> bool:
        """Whether waiting can help: some other model holds memory and will be released by its users."""
        return any(m.loaded and m.target != target for m in self._models.values())

    def to_delete_from_disk(self, budget: int, incoming: int) -> list[Resident]:
        """The least recently used models, neither loaded nor in use, whose removal makes room for `incoming` bytes.

        When even removing all of them is not enough, all of them are returned.
        """
        excess = sum(m.disk_bytes or 0 for m in self._models.values()) + incoming - budget
        chosen: list[Resident] = []
        for model in self._models.values():
            if excess <= 0:
                break
            if model.disk_bytes is not None and not model.loaded and not model.users:
                chosen.append(model)
                excess -= model.disk_bytes
        return chosen

    def keep_loaded(self, names: frozenset[str]) -> bool:
        """Of the loaded models only those of these opaque names are. Returns whether that changes anything."""
        gone = [m for m in self._models.values() if m.loaded and opaque_name(m.target) not in names]
        for model in gone:
            model.loaded = False
        return bool(gone)

    def loaded_targets(self) -> list[str]:
        """The loaded models, least recently used first."""
        return [m.target for m in self._models.values() if m.loaded]
