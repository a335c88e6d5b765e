"""The last removal: what may still be stored for an object after everything was removed. Pure.

A worker looks at its claim before and after it uploads, and takes back what nobody wants any more. One that is killed
between the upload and that look takes nothing back. So where a worker has begun and has not said how it ended, the runtime
keeps the object's entry until the attempt cannot be alive any more, and removes everything once more then: one removal, and
none in between.

Such an entry counts from an instant ahead: its first try is due when the attempt's end is. So a restart changes nothing, and
a former version of the operator, which knows nothing of all this, comes back at the same time.
"""

from datetime import datetime, timedelta

from avatar_api.avatar_runtime import AvatarRuntime, LeftBehind

LONGEST_ATTEMPT_SECONDS = 3900
"""SageMaker ends an invocation after an hour at the latest, whatever the runtime says by now; the rest is for one that was
just being handed to its worker, and for an upload that had begun."""
LONGEST_CALL_SECONDS = 70
"""SageMaker gives a call that draws 60 seconds; the rest is for clocks that differ."""
FIRST_TRY_SECONDS = 300
"""How long after `since` an entry is tried for the first time."""


def end_of_attempt(runtime: AvatarRuntime, now: datetime) -> datetime | None:
    """When an attempt that has just lost its claim cannot be alive any more; None where it ends with its claim."""
    if runtime.spec.backend.sagemaker is None:
        return None
    return now + timedelta(seconds=LONGEST_ATTEMPT_SECONDS)


def awaited(entry: LeftBehind, end: datetime) -> LeftBehind:
    """An entry of which everything is removed, and that is removed once more when nobody can store anything any more."""
    since = end - timedelta(seconds=FIRST_TRY_SECONDS)
    return entry.model_copy(update={"since": since, "tries": 0, "may_grow_until": end})


def handed_over_at(entry: LeftBehind) -> datetime:
    """When a runtime was asked to take an entry over, which is counted from an instant ahead if it is awaited."""
    if entry.may_grow_until is None:
        return entry.since
    return min(entry.since, entry.may_grow_until - timedelta(seconds=LONGEST_ATTEMPT_SECONDS))


def is_awaited(entry: LeftBehind, now: datetime) -> bool:
    """Whether there is nothing to remove now that is known, and may be later."""
    end = entry.may_grow_until
    return end is not None and now < end <= entry.since + timedelta(seconds=FIRST_TRY_SECONDS)
