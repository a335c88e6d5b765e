"""What the collector found, on its way into the statuses of the runtimes, which only their own reconcile writes."""

from collections.abc import Callable
from dataclasses import dataclass, replace
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


class OrphanFindings:
    """Findings by runtime.

    Args:
        on_finding: called with the name of a runtime whose finding says something new.
    """

    def __init__(self, on_finding: Callable[[str], None]) -> None:
        self._on_finding = on_finding
        self._findings: dict[str, Finding] = {}

    def note(self, runtime_name: str, finding: Finding) -> None:
        """A look ended."""
        known = self._findings.get(runtime_name)
        unwritten = 0 if known is None else known.removed
        self._findings[runtime_name] = replace(finding, removed=finding.removed + unwritten)
        self._on_finding(runtime_name)

    def of(self, runtime_name: str) -> Finding | None:
        """The newest finding; None before the first look."""
        return self._findings.get(runtime_name)

    def written(self, runtime_name: str, finding: Finding) -> None:
        """A finding stands in the runtime's status."""
        known = self._findings.get(runtime_name)
        if known is not None:
            self._findings[runtime_name] = replace(known, removed=known.removed - finding.removed)

    def forget(self, runtime_name: str) -> None:
        """The runtime is gone."""
        self._findings.pop(runtime_name, None)
