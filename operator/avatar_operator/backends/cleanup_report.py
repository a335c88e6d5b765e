"""What a clean-up left behind."""

from dataclasses import dataclass


@dataclass(frozen=True)
class CleanupReport:
    """What could not be removed, in words; empty if everything is gone."""

    left_behind: tuple[str, ...] = ()

    def with_that_of(self, other: "CleanupReport") -> "CleanupReport":
        """Both reports in one."""
        return CleanupReport((*self.left_behind, *other.left_behind))
