"""What the collector found, on its way into the statuses of the runtimes, which only their own reconcile writes."""

from collections.abc import Callable
from dataclasses import replace

from avatar_api.avatar_runtime import AvatarRuntime
from avatar_operator.kube.cache import ObjectCache
from avatar_operator.kube.memory import Memory
from avatar_operator.orphans.finding import Finding


class OrphanFindings:
    """Findings by runtime.

    Args:
        cache: tells which runtimes there are.
        on_finding: called with the name of a runtime whose finding says something new.
    """

    def __init__(self, cache: ObjectCache, on_finding: Callable[[str], None]) -> None:
        self._on_finding = on_finding
        self._memory: Memory[Finding | None] = Memory(cache, None)

    def note(self, runtime: AvatarRuntime, finding: Finding) -> None:
        """A look ended."""
        known = self._memory.of(runtime.metadata.uid)
        unwritten = 0 if known is None else known.removed
        self._memory.note(runtime.metadata.uid, replace(finding, removed=finding.removed + unwritten))
        self._on_finding(runtime.metadata.name)

    def of(self, runtime_uid: str) -> Finding | None:
        """The newest finding; None before the first look."""
        return self._memory.of(runtime_uid)

    def written(self, runtime_uid: str, finding: Finding) -> None:
        """A finding stands in the runtime's status."""
        known = self._memory.of(runtime_uid)
        if known is not None:
            self._memory.note(runtime_uid, replace(known, removed=known.removed - finding.removed))
