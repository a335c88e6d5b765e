"""What the audit log says of replicas that were hit: who wrote when. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from benchmarks.operator_load.stage import renewals_of, writes_of
from local_cluster.audit_log import AuditEvent


@dataclass(frozen=True)
class Outage:
    """A leader that was taken away.

    Attributes:
        kind: what befell it.
        account: whose it was.
        began: when.
        back: when a process of the same account was there again: a new one, or the old one that woke.
    """

    kind: str
    account: str
    began: datetime
    back: datetime


@dataclass(frozen=True)
class FailOver:
    """How long a leader was missed, in seconds since its outage began.

    Attributes:
        leading: until the Lease was taken.
        writing: until somebody wrote something else.
    """

    leading: float
    writing: float


def fail_over(outage: Outage, accounts: Sequence[str], events: Sequence[AuditEvent]) -> FailOver | None:
    """When the next leader took over: the other replica, or a new process of the same; None if nobody ever wrote."""
    taken: list[datetime] = []
    written: list[datetime] = []
    for account in accounts:
        begins = outage.back if account == outage.account else outage.began
        for found, of in ((taken, renewals_of), (written, writes_of)):
            found += [event.time for event in of(account, events) if event.succeeded and event.time > begins]
    if not taken or not written:
        return None
    began = outage.began
    return FailOver((min(taken) - began).total_seconds(), (min(written) - began).total_seconds())


def writes_between(
    account: str, begin: datetime, end: datetime, events: Sequence[AuditEvent]
) -> list[AuditEvent]:
    """What an account wrote with success in a time: of a leader that woke too late, there should be none."""
    return [event for event in writes_of(account, events) if event.succeeded and begin < event.time < end]
