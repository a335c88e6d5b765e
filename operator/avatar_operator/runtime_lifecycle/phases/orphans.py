"""Orphans: what the collector found is said in the status, at once if it says something new, else once a day."""

from datetime import timedelta

from avatar_api.avatar_runtime import Orphans
from avatar_operator.core.condition_drafts import update_status
from avatar_operator.runtime_lifecycle.actions import RuntimeDraft
from avatar_operator.runtime_lifecycle.observation import RuntimeObservation

SAME_AGAIN_SECONDS = 86400
"""How old a date in the status may be although there was a newer look, which found the same: a write costs more."""


def orphans(observation: RuntimeObservation, draft: RuntimeDraft) -> RuntimeDraft:
    """Set status.orphans."""
    finding, known = observation.orphans, draft.status.orphans
    if finding is None:
        return draft
    if (
        known is not None
        and (known.found, 0) == (finding.found, finding.removed)
        and finding.checked - known.last_checked_time < timedelta(seconds=SAME_AGAIN_SECONDS)
    ):
        return draft
    removed = finding.removed + (0 if known is None else known.removed)
    found = Orphans(found=finding.found, removed=removed, last_checked_time=finding.checked)
    return update_status(draft, orphans=found)
