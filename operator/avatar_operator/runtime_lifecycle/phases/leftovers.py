"""Leftovers: what objects that are gone have left behind is kept in the status, tried again, and crossed off once it is gone.

The tries get rarer, from five minutes to a day: what is denied stays denied until a person mends it, and every try that
fails is a write. While the runtime is being deleted somebody waits for it, so every pass tries, and none is counted.

What is handed over is written down before it is tried. And what may still grow is removed once more when it cannot any more
(`left_behind.last_removal`).
"""

from datetime import datetime, timedelta

from avatar_api.avatar_runtime import LeftBehind
from avatar_operator.core.condition_drafts import update_status
from avatar_operator.core.decision import ActionFailed
from avatar_operator.left_behind.last_removal import FIRST_TRY_SECONDS, awaited, is_awaited
from avatar_operator.left_behind.shares import has_place
from avatar_operator.runtime_lifecycle.actions import (
    RemovalTried,
    RemoveLeftBehind,
    RuntimeAction,
    RuntimeDraft,
)
from avatar_operator.runtime_lifecycle.observation import RuntimeObservation

TRIES_PER_PASS = 5
LONGEST_INTERVAL_SECONDS = 86400
MOST_TRIES = 36_500
"""A hundred years of them. More than that only a status says that the operator did not write."""
DOUBLINGS = 9
"""Intervals before the longest: from the first one on each is twice the one before."""


def leftovers(observation: RuntimeObservation, draft: RuntimeDraft) -> RuntimeDraft:
    """Take over what is handed over, and try again what is due."""
    known = draft.status.left_behind
    uids = {entry.uid for entry in known}
    new = [entry for entry in observation.handed_over if entry.uid not in uids]
    entries = list(known)
    for entry in new:
        # Whoever finds no place keeps its finalizer.
        if has_place(entries, entry.namespace):
            entries.append(entry)
    if not entries:
        return draft
    draft = update_status(draft, left_behind=entries)
    if observation.runtime.metadata.deletion_timestamp is not None:
        return draft.act(
            *(RemoveLeftBehind(entry) for entry in entries if not is_awaited(entry, observation.now))
        )
    ripe = [entry for entry in known if next_try(entry) <= observation.now]
    if ripe:
        return draft.act(*(RemoveLeftBehind(entry) for entry in ripe[:TRIES_PER_PASS])).look_again_in(1.0)
    wait = (min(map(next_try, entries)) - observation.now).total_seconds()
    return draft.look_again_in(max(wait, 0.0))


def next_try(entry: LeftBehind) -> datetime:
    """When the removal of an entry is due again."""
    rarer = [FIRST_TRY_SECONDS * 2**number for number in range(min(entry.tries + 1, DOUBLINGS))]
    seconds = sum(rarer) + LONGEST_INTERVAL_SECONDS * (min(entry.tries, MOST_TRIES) + 1 - len(rarer))
    return entry.since + timedelta(seconds=seconds)


def fold_removal(
    observation: RuntimeObservation, draft: RuntimeDraft, fact: RemovalTried | ActionFailed[RuntimeAction]
) -> RuntimeDraft:
    """Cross off what is gone and cannot come back, count the try of what is not gone."""
    end = None
    match fact:
        case RemovalTried(entry=tried, report=report, for_good=for_good):
            gone, end = not report.left_behind, None if for_good else tried.may_grow_until
        case ActionFailed(action=RemoveLeftBehind(entry=tried)):
            gone = False
        case _:
            return draft
    others = [entry for entry in draft.status.left_behind if entry.uid != tried.uid]
    if gone and end is not None and observation.now < end:
        return update_status(draft, left_behind=[*others, awaited(tried, end)])
    if gone:
        return update_status(draft, left_behind=others)
    if observation.runtime.metadata.deletion_timestamp is not None:
        return draft
    counted = tried.model_copy(update={"tries": tried.tries + 1})
    entries = [counted if entry.uid == tried.uid else entry for entry in draft.status.left_behind]
    return update_status(draft, left_behind=entries)
