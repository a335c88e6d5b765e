"""Accounting: idle time and its cost are added to the status, with another change or every fifteen minutes."""

from decimal import Decimal

from avatar_api.meta import Cost
from avatar_operator.core.condition_drafts import update_status
from avatar_operator.costs import drawing_cost, training_cost
from avatar_operator.runtime_lifecycle.actions import RuntimeDraft
from avatar_operator.runtime_lifecycle.idle import IdleTime
from avatar_operator.runtime_lifecycle.observation import RuntimeObservation

INTERVAL_SECONDS = 900
LARGEST = Decimal("999999")


def account(observation: RuntimeObservation, draft: RuntimeDraft, idle: IdleTime | None) -> RuntimeDraft:
    """Add idle time to the status, unless that would be a write of its own too soon after the last one.

    Args:
        observation: the runtime.
        draft: the draft, with everything else that the endpoints told.
        idle: what no status says yet; None where nothing is paid for.
    """
    if idle is None or idle.training + idle.inference < 1:
        return draft
    due = (observation.now - idle.since).total_seconds() >= INTERVAL_SECONDS
    if not due and draft.status == observation.runtime.status:
        return draft
    status = draft.status
    return update_status(
        draft,
        idle_seconds=(status.idle_seconds or 0) + round(idle.training + idle.inference),
        idle_cost=_added(status.idle_cost, _cost(observation, idle)),
    )


def _cost(observation: RuntimeObservation, idle: IdleTime) -> Cost | None:
    """What idle time costs; None if it has no price, or part of it has none: better no sum than a wrong one."""
    cost = None
    for part, seconds in ((training_cost, idle.training), (drawing_cost, idle.inference)):
        if seconds:
            priced = part(observation.runtime, seconds)
            if priced is None:
                return None
            cost = _added(cost, priced)
    return cost


def _added(known: Cost | None, more: Cost | None) -> Cost | None:
    """A sum. Another currency begins a new one."""
    if known is None or more is None or known.currency != more.currency:
        return more or known
    types = sorted({*known.instance_type.split(", "), *more.instance_type.split(", ")})
    amount = min(Decimal(known.amount) + Decimal(more.amount), LARGEST)
    return Cost(amount=f"{amount:f}", currency=more.currency, instance_type=", ".join(types)[:64])
