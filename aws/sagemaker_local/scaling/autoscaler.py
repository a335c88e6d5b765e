"""The loop that lets alarms act.

    every second: alarms evaluated ─in ALARM─> policies decide ─largest─> Endpoint.reweigh ─> activity: InProgress ─> Successful
                                                                      (the way of UpdateEndpointWeightsAndCapacities)

One thread wakes every second, asks moto whether there is any alarm, and sleeps again: without alarms and activities that is all
it does. Nothing is decided here: `alarm_state` and `capacity` are pure, this module gathers what they need and does what they
say.

A variant that is changing (Updating) is left alone and looked at again when its alarm is next evaluated. Bounds are enforced
when a target is registered or changed, not when somebody sets a count beside them: AWS does the same.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sagemaker_local.aws_clients import Scope
from sagemaker_local.clock import Clock
from sagemaker_local.control_plane.endpoint import IN_SERVICE, Endpoint
from sagemaker_local.control_plane.registry import EndpointRegistry
from sagemaker_local.errors import AwsError
from sagemaker_local.scaling import moto_records
from sagemaker_local.scaling.activities import Activity, ActivityLog
from sagemaker_local.scaling.alarm_evaluation import AlarmEvaluation, Evaluated
from sagemaker_local.scaling.alarm_state import ALARM
from sagemaker_local.scaling.capacity import Breach, Decision, History, PastActivity, choose, decide
from sagemaker_local.scaling.moto_records import Region
from sagemaker_local.scaling.policies import Policy, ScalableTarget, TargetTracking
from sagemaker_local.scaling.registrations import registered_policies, registered_target
from sagemaker_local.scaling.tracking_alarms import policy_arn_of
from sagemaker_local.scaling.watched_metrics import WatchedMetrics

logger = logging.getLogger(__name__)

WAKING_SECONDS = 1.0


@dataclass(frozen=True)
class _Resource:
    region: Region
    id: str


@dataclass
class _Past:
    """What was done to one variant."""

    running: Activity | None = None
    scale_out: Activity | None = None
    scale_in: Activity | None = None


class Autoscaler:
    """Evaluates alarms and scales variants, for all accounts and regions."""

    def __init__(
        self,
        registry: EndpointRegistry,
        clock: Clock,
        activities: ActivityLog,
        metrics: WatchedMetrics,
    ) -> None:
        self._registry = registry
        self._metrics = metrics
        self._clock = clock
        self._activities = activities
        self._evaluation = AlarmEvaluation(clock)
        self._lock = threading.Lock()
        self._past: dict[_Resource, _Past] = {}
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="autoscaler", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop evaluating and scaling."""
        self._closed.set()
        self._thread.join(timeout=5)

    def reset(self) -> None:
        """moto's records are being reset: forget ours."""
        with self._lock:
            self._past.clear()
            self._evaluation = AlarmEvaluation(self._clock)
        self._activities.clear()

    def enforce_bounds(self, region: Region, resource_id: str) -> None:
        """Bring a variant between the minimum and maximum that were just registered for it."""
        with self._lock:
            target = registered_target(region, resource_id)
            endpoint = self._endpoint(region, target) if target else None
            if target is None or endpoint is None:
                return
            current = _desired(endpoint, target)
            bounded = min(max(current, target.minimum), target.maximum)
            if bounded != current:
                bound = "minimum" if bounded > current else "maximum"
                cause = f"{bound} capacity was set to {bounded}"
                self._set_capacity(_Resource(region, resource_id), endpoint, target, bounded, cause, 0.0)

    def _run(self) -> None:
        while not self._closed.wait(WAKING_SECONDS):
            try:
                with self._lock:
                    self._wake(Clock.now())
            except Exception:
                logger.exception("the autoscaler failed to evaluate; it goes on")

    def _wake(self, now: datetime) -> None:
        for resource in list(self._past):
            self._finish_activity(resource)
        alarms = self._evaluation.evaluate(moto_records.stored_alarms(), now)
        self._metrics.sample(alarms)
        due = {alarm.region for alarm in alarms if alarm.fresh and alarm.state == ALARM}
        for region in due:
            mine = [alarm for alarm in alarms if alarm.region == region]
            for described in moto_records.scalable_targets(region):
                self._consider(region, described["ResourceId"], mine, now)

    def _consider(self, region: Region, resource_id: str, alarms: Sequence[Evaluated], now: datetime) -> None:
        target = registered_target(region, resource_id)
        endpoint = self._endpoint(region, target) if target else None
        if target is None or endpoint is None or endpoint.status != IN_SERVICE:
            return
        policies = registered_policies(region, resource_id)
        breaching = [
            (policy, alarm)
            for policy in policies
            for alarm in alarms
            if alarm.state == ALARM and _acts_on(alarm, policy)
        ]
        if not any(alarm.fresh for _, alarm in breaching):
            return
        resource = _Resource(region, resource_id)
        past = self._past.setdefault(resource, _Past())
        if past.running is not None:
            return
        current = _desired(endpoint, target)
        history = self._history(past, now)
        decisions = [
            decision
            for policy, alarm in breaching
            if (decision := decide(policy, _breach(alarm), current, target, history)) is not None
        ]
        chosen = choose(decisions, _tracking_in_agreed(policies, breaching))
        if chosen is not None:
            self._carry_out(resource, endpoint, target, chosen, current, now)

    def _carry_out(
        self,
        resource: _Resource,
        endpoint: Endpoint,
        target: ScalableTarget,
        decision: Decision,
        current: int,
        now: datetime,
    ) -> None:
        cause = (
            f"monitor alarm {decision.breach.alarm} in state ALARM triggered policy {decision.policy.name}"
        )
        if decision.reason is None:
            cooldown = _cooldown(decision.policy, outwards=decision.capacity > current)
            self._set_capacity(resource, endpoint, target, decision.capacity, cause, cooldown)
        elif decision.reason.startswith("Already"):
            activity = _activity(resource, cause, current, current, now)
            activity.not_scaled = _not_scaled_reason(decision.reason, target, current)
            self._activities.not_scaled(activity)

    def _set_capacity(
        self,
        resource: _Resource,
        endpoint: Endpoint,
        target: ScalableTarget,
        capacity: int,
        cause: str,
        cooldown: float,
    ) -> None:
        self._finish_activity(resource)
        past = self._past.setdefault(resource, _Past())
        activity = _activity(resource, cause, _desired(endpoint, target), capacity, Clock.now())
        activity.cooldown = cooldown
        self._activities.start(activity)
        if past.running is not None:
            activity.fail(Clock.now(), f'Cannot update in-progress endpoint "{endpoint.arn}".')
            return
        try:
            endpoint.reweigh({target.variant: capacity}, {})
        except AwsError as refusal:
            activity.fail(Clock.now(), refusal.message)
            return
        logger.info("%s: %s -> %s instances: %s", resource.id, activity.before, activity.after, cause)
        past.running = activity

    def _finish_activity(self, resource: _Resource) -> None:
        """Tell how the running activity of a variant has ended, if it has."""
        past = self._past.get(resource)
        if past is None or past.running is None:
            return
        activity = past.running
        target = registered_target(resource.region, resource.id)
        endpoint = self._endpoint(resource.region, target) if target else None
        if target is None or endpoint is None:
            activity.fail(Clock.now(), "the endpoint or its scalable target is gone.")
            del self._past[resource]
            return
        if endpoint.status != IN_SERVICE:
            return
        past.running = None
        if _desired(endpoint, target) != activity.after:
            activity.fail(endpoint.modified, endpoint.failure_reason or "the count was changed meanwhile.")
            return
        activity.succeed(endpoint.modified)
        if activity.after > activity.before:
            past.scale_out = activity
        else:
            past.scale_in = activity

    def _history(self, past: _Past, now: datetime) -> History:
        return History(self._past_activity(past.scale_out, now), self._past_activity(past.scale_in, now))

    def _past_activity(self, activity: Activity | None, now: datetime) -> PastActivity | None:
        if activity is None or activity.ended is None:
            return None
        seconds_ago = max(0.0, (now - activity.ended).total_seconds()) * self._clock.speed
        return PastActivity(activity.before, seconds_ago, activity.cooldown)

    def _endpoint(self, region: Region, target: ScalableTarget) -> Endpoint | None:
        endpoint = self._registry.find(Scope(region.account, region.name, ""), target.endpoint)
        return endpoint if endpoint is not None and target.variant in endpoint.variants else None


def _acts_on(alarm: Evaluated, policy: Policy) -> bool:
    if not alarm.alarm.actions_enabled:
        return False
    return any(policy_arn_of(action) == policy.arn for action in alarm.alarm.actions[ALARM])


def _breach(alarm: Evaluated) -> Breach:
    above = alarm.alarm.comparison_operator.startswith("GreaterThan")
    return Breach(alarm.alarm.name, alarm.alarm.threshold, above, alarm.values)


def _tracking_in_agreed(policies: Sequence[Policy], breaching: Sequence[tuple[Policy, Evaluated]]) -> bool:
    low = {policy.arn for policy, alarm in breaching if not _breach(alarm).above}
    return all(
        policy.arn in low for policy in policies if isinstance(policy, TargetTracking) and policy.scales_in
    )


def _cooldown(policy: Policy, outwards: bool) -> float:
    if isinstance(policy, TargetTracking):
        return policy.out_cooldown if outwards else policy.in_cooldown
    return policy.cooldown


def _activity(resource: _Resource, cause: str, before: int, after: int, now: datetime) -> Activity:
    return Activity(
        account=resource.region.account,
        region=resource.region.name,
        resource_id=resource.id,
        cause=cause,
        before=before,
        after=after,
        started=now,
    )


def _not_scaled_reason(code: str, target: ScalableTarget, current: int) -> dict[str, str | int]:
    details: dict[str, dict[str, str | int]] = {
        "AlreadyAtMaxCapacity": {"MaxCapacity": target.maximum},
        "AlreadyAtMinCapacity": {"MinCapacity": target.minimum},
        "AlreadyAtDesiredCapacity": {"CurrentCapacity": current},
    }
    return {"Code": code, **details[code]}


def _desired(endpoint: Endpoint, target: ScalableTarget) -> int:
    return endpoint.variants[target.variant].fleet.desired
