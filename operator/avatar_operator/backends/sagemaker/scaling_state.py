"""What to do about an endpoint's scaling, from one look at what is registered. Pure.

Scaling that nobody wants any more goes in steps, each safe to be the last one before a crash: first it is suspended, then
the endpoint gets its fixed number of instances, and only then is the registration taken away, which is what tells that
there was one of ours.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from avatar_operator.backends.sagemaker.scaling_plan import (
    OUR_POLICIES,
    WAKE_POLICY,
    ScalingPlan,
    ScalingPolicy,
)


@dataclass(frozen=True)
class ScalableTarget:
    """A variant's registration."""

    minimum: int
    maximum: int
    suspended: bool = False


@dataclass(frozen=True)
class RegisteredPolicy:
    """A policy as it is registered."""

    arn: str
    type: str
    configuration: Mapping[str, Any]


@dataclass(frozen=True)
class ObservedScaling:
    """What is registered for one endpoint.

    Attributes:
        target: None if the variant is not registered.
        policies: by name, those of other people too.
        alarm: the alarm of our name, None if there is none.
    """

    target: ScalableTarget | None = None
    policies: Mapping[str, RegisteredPolicy] = field(default_factory=dict)
    alarm: Mapping[str, Any] | None = None

    @property
    def is_ours(self) -> bool:
        """Whether any of it was registered by us."""
        return self.alarm is not None or not OUR_POLICIES.isdisjoint(self.policies)


@dataclass(frozen=True)
class Register:
    """Register the variant, or change its bounds."""

    target: ScalableTarget


@dataclass(frozen=True)
class PutPolicy:
    """Register a policy, or change it."""

    policy: ScalingPolicy


@dataclass(frozen=True)
class DeletePolicy:
    """Take a policy of ours away."""

    name: str


@dataclass(frozen=True)
class PutAlarm:
    """Have an alarm trigger the wake policy, which is registered already or by an earlier step."""

    alarm: Mapping[str, Any]


@dataclass(frozen=True)
class DeleteAlarm:
    """Take the alarm away."""


@dataclass(frozen=True)
class SetInstances:
    """Give the endpoint a fixed number of instances."""

    count: int


@dataclass(frozen=True)
class Deregister:
    """Take the registration away, and with it every policy."""


ScalingStep = Register | PutPolicy | DeletePolicy | PutAlarm | DeleteAlarm | SetInstances | Deregister


def steps_to(plan: ScalingPlan, observed: ObservedScaling) -> list[ScalingStep]:
    """What makes an endpoint scale as planned; nothing if it does."""
    steps: list[ScalingStep] = []
    wanted = ScalableTarget(plan.minimum, plan.maximum)
    if observed.target != wanted:
        steps.append(Register(wanted))
    steps += [PutPolicy(policy) for policy in plan.policies if not _is_registered(policy, observed)]
    planned = {policy.name for policy in plan.policies}
    if plan.alarm is None and observed.alarm is not None:
        steps.append(DeleteAlarm())
    steps += [
        DeletePolicy(name)
        for name in sorted(observed.policies)
        if name in OUR_POLICIES and name not in planned
    ]
    if plan.alarm is not None and not _is_set(plan.alarm, observed):
        steps.append(PutAlarm(plan.alarm))
    return steps


def steps_to_fixed(observed: ObservedScaling, *, instances: int | None, wanted: int) -> list[ScalingStep]:
    """What takes our scaling away; nothing if there is none. The scaling of other people is left alone.

    Args:
        observed: what is registered.
        instances: how many instances the endpoint is to have by now.
        wanted: how many it shall have.
    """
    if not observed.is_ours:
        return []
    if observed.target is None:
        return [DeleteAlarm()]
    if not observed.target.suspended:
        return [Register(ScalableTarget(observed.target.minimum, observed.target.maximum, suspended=True))]
    if instances != wanted:
        return [SetInstances(wanted)]
    return [DeleteAlarm(), Deregister()] if observed.alarm is not None else [Deregister()]


def _is_registered(policy: ScalingPolicy, observed: ObservedScaling) -> bool:
    known = observed.policies.get(policy.name)
    return (
        known is not None and known.type == policy.type and _covers(known.configuration, policy.configuration)
    )


def _is_set(alarm: Mapping[str, Any], observed: ObservedScaling) -> bool:
    wake, known = observed.policies.get(WAKE_POLICY), observed.alarm
    return (
        wake is not None
        and known is not None
        and _covers(known, alarm)
        and list(known.get("AlarmActions", ())) == [wake.arn]
        and known.get("ActionsEnabled", True)
    )


def _covers(whole: object, part: object) -> bool:
    """Whether everything that `part` says is said by `whole`; AWS adds its defaults."""
    if isinstance(part, Mapping):
        return isinstance(whole, Mapping) and all(
            name in whole and _covers(whole[name], value) for name, value in part.items()
        )
    if isinstance(part, list):
        return (
            isinstance(whole, list)
            and len(whole) == len(part)
            and all(_covers(one, other) for one, other in zip(whole, part, strict=True))
        )
    return whole == part
