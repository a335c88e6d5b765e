"""How many instances a policy wants, once an alarm of its has gone off. Pure.

A policy's wish is bounded by the target's minimum and maximum and held back by cooldowns:

- after a scale-out, what it added counts as part of the next one while the cooldown runs: the next one starts from the capacity
  before, so only a larger wish adds anything;
- after a scale-in, no policy removes anything while the cooldown runs; a scale-out ends that cooldown.

When several policies wish at the same time, the largest capacity wins, and target-tracking policies remove instances only when
all of them agree.

A target-tracking policy wants the capacity that would bring its metric to the target: current × metric / target, rounded up. At
zero instances the metric is read as that of one. It follows the newest datapoint when it adds, and the highest of those that its
alarm evaluated when it removes: AWS only says that it removes gradually.

Sources: "How step scaling works", "How target tracking works", "Considerations" (multiple policies) and "Cooldown period" in the
Application Auto Scaling user guide.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from sagemaker_local.scaling.policies import Policy, ScalableTarget, Step, StepScaling, TargetTracking

Reason = Literal[
    "AlreadyAtMaxCapacity", "AlreadyAtMinCapacity", "AlreadyAtDesiredCapacity", "Cooldown", "Suspended"
]


@dataclass(frozen=True)
class Breach:
    """An alarm in ALARM.

    Attributes:
        above: whether it is one that goes off above its threshold.
        values: the datapoints that it evaluated, oldest first; empty when missing data set it off.
    """

    alarm: str
    threshold: float
    above: bool
    values: tuple[float, ...]


@dataclass(frozen=True)
class PastActivity:
    """The latest scale-out or scale-in that has completed.

    Attributes:
        before: the capacity before it.
        seconds_ago: AWS seconds since it completed.
        cooldown: AWS seconds, of the policy that caused it.
    """

    before: int
    seconds_ago: float
    cooldown: float

    @property
    def cooling(self) -> bool:
        return self.seconds_ago < self.cooldown


@dataclass(frozen=True)
class History:
    """What was done to a target last."""

    scale_out: PastActivity | None = None
    scale_in: PastActivity | None = None


@dataclass(frozen=True)
class Decision:
    """A policy's wish, within bounds.

    Attributes:
        capacity: how many instances there should be.
        reason: why that is the present capacity, if it is.
    """

    policy: Policy
    breach: Breach
    capacity: int
    reason: Reason | None = None


def decide(
    policy: Policy, breach: Breach, current: int, target: ScalableTarget, history: History
) -> Decision | None:
    """What one policy makes of one alarm. None when it says nothing about it: no step matches, or there is no datapoint."""
    wish = _wish(policy, breach, current)
    if wish is None:
        return None
    if wish > current and history.scale_out is not None and history.scale_out.cooling:
        base = min(history.scale_out.before, current)
        from_base = _wish(policy, breach, base)
        if from_base is None or from_base <= current:
            return Decision(policy, breach, current, "Cooldown")
        wish = from_base
    if wish < current and _cooling_after_scale_in(history):
        return Decision(policy, breach, current, "Cooldown")
    return _bounded(policy, breach, wish, current, target)


def choose(decisions: Iterable[Decision], tracking_in_agreed: bool) -> Decision | None:
    """The decision that is carried out among those of one target; None when there is none.

    Arguments:
        tracking_in_agreed: whether every target-tracking policy that may remove instances has its low alarm in ALARM.
    """
    considered = [
        decision
        for decision in decisions
        if tracking_in_agreed
        or not (isinstance(decision.policy, TargetTracking) and not decision.breach.above)
    ]
    return max(considered, key=lambda decision: decision.capacity, default=None)


def _cooling_after_scale_in(history: History) -> bool:
    if history.scale_in is None or not history.scale_in.cooling:
        return False
    return history.scale_out is None or history.scale_out.seconds_ago >= history.scale_in.seconds_ago


def _bounded(policy: Policy, breach: Breach, wish: int, current: int, target: ScalableTarget) -> Decision:
    if wish > current:
        if target.out_suspended:
            return Decision(policy, breach, current, "Suspended")
        capacity = min(max(wish, target.minimum), target.maximum)
        if capacity <= current:
            return Decision(policy, breach, current, "AlreadyAtMaxCapacity")
        return Decision(policy, breach, capacity)
    if wish < current:
        if target.in_suspended:
            return Decision(policy, breach, current, "Suspended")
        capacity = min(max(wish, target.minimum), target.maximum)
        if capacity >= current:
            return Decision(policy, breach, current, "AlreadyAtMinCapacity")
        return Decision(policy, breach, capacity)
    if current >= target.maximum and breach.above:
        return Decision(policy, breach, current, "AlreadyAtMaxCapacity")
    if current <= target.minimum and not breach.above:
        return Decision(policy, breach, current, "AlreadyAtMinCapacity")
    return Decision(policy, breach, current, "AlreadyAtDesiredCapacity")


def _wish(policy: Policy, breach: Breach, current: int) -> int | None:
    if isinstance(policy, TargetTracking):
        return _tracking_wish(policy, breach, current)
    step = _matching_step(policy.steps, breach, _aggregate(policy, breach) - breach.threshold)
    return None if step is None else max(_adjusted(policy, step.adjustment, current), 0)


def _tracking_wish(policy: TargetTracking, breach: Breach, current: int) -> int | None:
    if not breach.values:
        return None
    if breach.above:
        return max(current, math.ceil(max(current, 1) * breach.values[-1] / policy.target))
    if not policy.scales_in:
        return None
    return min(current, max(0, math.ceil(current * max(breach.values) / policy.target)))


def _aggregate(policy: StepScaling, breach: Breach) -> float:
    if not breach.values:
        return breach.threshold
    if policy.aggregation == "Minimum":
        return min(breach.values)
    if policy.aggregation == "Maximum":
        return max(breach.values)
    return sum(breach.values) / len(breach.values)


def _matching_step(steps: Sequence[Step], breach: Breach, difference: float) -> Step | None:
    """Above the threshold the lower bound belongs to a step; below it, the upper bound does."""
    for step in steps:
        lower = -math.inf if step.lower is None else step.lower
        upper = math.inf if step.upper is None else step.upper
        if (lower <= difference < upper) if breach.above else (lower < difference <= upper):
            return step
    return None


def _adjusted(policy: StepScaling, adjustment: int, current: int) -> int:
    if policy.adjustment_type == "ExactCapacity":
        return adjustment
    if policy.adjustment_type == "ChangeInCapacity":
        return current + adjustment
    return current + _percent_change(current * adjustment / 100, policy.minimum_magnitude)


def _percent_change(change: float, minimum_magnitude: int) -> int:
    """AWS rounds towards zero, except that less than one instance becomes one; the minimum magnitude is kept."""
    if change == 0:
        return 0
    magnitude = max(math.floor(abs(change)), 1, minimum_magnitude)
    return magnitude if change > 0 else -magnitude
