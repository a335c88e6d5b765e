"""How many instances a policy wants: AWS's examples, and what must hold for every policy."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_local.scaling.capacity import Breach, Decision, History, PastActivity, choose, decide
from sagemaker_local.scaling.policies import (
    Policy,
    ScalableTarget,
    Step,
    StepScaling,
    TargetTracking,
    TrackedMetric,
)

METRIC = TrackedMetric(
    "AWS/SageMaker", "ApproximateBacklogSizePerInstance", (("EndpointName", "e"),), "Average", None
)
TARGET = ScalableTarget("e", "v", minimum=0, maximum=10)


def stepping(
    *steps: Step, kind: str = "ChangeInCapacity", cooldown: float = 300, least: int = 0
) -> StepScaling:
    return StepScaling("step", "arn:step", kind, steps, cooldown, least, "Average")


def tracking(target: float = 5.0, scales_in: bool = True) -> TargetTracking:
    return TargetTracking("track", "arn:track", target, METRIC, 300, 300, scales_in)


def high(*values: float, threshold: float = 5.0) -> Breach:
    return Breach("high", threshold, above=True, values=values)


def low(*values: float, threshold: float = 4.5) -> Breach:
    return Breach("low", threshold, above=False, values=values)


def decided(
    policy: Policy,
    breach: Breach,
    current: int,
    target: ScalableTarget = TARGET,
    history: History = History(),  # noqa: B008  # frozen
) -> Decision:
    decision = decide(policy, breach, current, target, history)
    assert decision is not None
    return decision


ONE_MORE = stepping(Step(0, None, 1))
# AWS's example: threshold 50; +10 % from 60, +30 % from 70; -10 % to 40, -30 % to 30.
PERCENT_OUT = stepping(Step(0, 10, 0), Step(10, 20, 10), Step(20, None, 30), kind="PercentChangeInCapacity")
PERCENT_IN = stepping(
    Step(-10, 0, 0), Step(-20, -10, -10), Step(None, -20, -30), kind="PercentChangeInCapacity"
)


@pytest.mark.parametrize(("value", "capacity"), [(59, 10), (60, 11), (69, 11), (70, 13), (500, 13)])
def test_steps_outwards_include_their_lower_bound(value: float, capacity: int) -> None:
    target = ScalableTarget("e", "v", 0, 100)
    assert decided(PERCENT_OUT, high(value, threshold=50), 10, target).capacity == capacity


@pytest.mark.parametrize(("value", "capacity"), [(41, 10), (40, 9), (31, 9), (30, 7), (0, 7)])
def test_steps_inwards_include_their_upper_bound(value: float, capacity: int) -> None:
    assert decided(PERCENT_IN, low(value, threshold=50), 10).capacity == capacity


def test_a_percentage_of_less_than_one_instance_is_one_instance() -> None:
    policy = stepping(Step(0, None, 10), kind="PercentChangeInCapacity")
    assert decided(policy, high(9), 3).capacity == 4


def test_a_percentage_is_rounded_towards_zero() -> None:
    policy = stepping(Step(0, None, 25), kind="PercentChangeInCapacity")
    assert decided(policy, high(9), 7).capacity == 8


def test_the_minimum_adjustment_magnitude_is_kept() -> None:
    policy = stepping(Step(0, None, 10), kind="PercentChangeInCapacity", least=2)
    assert decided(policy, high(9), 4).capacity == 6


def test_exact_capacity_is_taken_as_it_is() -> None:
    assert decided(stepping(Step(0, None, 4), kind="ExactCapacity"), high(9), 1).capacity == 4


def test_no_step_no_decision() -> None:
    assert decide(stepping(Step(10, None, 1)), high(6), 1, TARGET, History()) is None


def test_a_step_policy_scales_out_from_zero() -> None:
    assert decided(ONE_MORE, high(1, threshold=1), 0).capacity == 1


def test_target_tracking_brings_the_metric_to_the_target() -> None:
    assert decided(tracking(5), high(8, 12), 2).capacity == 5


def test_target_tracking_reads_the_metric_at_zero_as_that_of_one_instance() -> None:
    assert decided(tracking(5), high(12), 0).capacity == 3


def test_target_tracking_removes_by_the_highest_of_the_low_datapoints() -> None:
    assert decided(tracking(5), low(0, 2.5, 0), 4).capacity == 2


def test_target_tracking_goes_to_zero() -> None:
    assert decided(tracking(5), low(0, 0), 2).capacity == 0


def test_target_tracking_with_scale_in_disabled_removes_nothing() -> None:
    assert decide(tracking(scales_in=False), low(0), 3, TARGET, History()) is None


def test_target_tracking_says_nothing_without_data() -> None:
    assert decide(tracking(), high(), 1, TARGET, History()) is None


def test_during_the_cooldown_what_was_added_counts() -> None:
    """AWS's example: +2 was carried out; a trigger of +3 during the cooldown adds one more."""
    history = History(scale_out=PastActivity(before=2, seconds_ago=10, cooldown=300))
    assert decided(stepping(Step(0, None, 3)), high(9), 4, history=history).capacity == 5
    assert decided(stepping(Step(0, None, 2)), high(9), 4, history=history).reason == "Cooldown"


def test_after_the_cooldown_a_scale_out_starts_from_the_present() -> None:
    history = History(scale_out=PastActivity(before=2, seconds_ago=300, cooldown=300))
    assert decided(stepping(Step(0, None, 2)), high(9), 4, history=history).capacity == 6


def test_nothing_is_removed_during_the_scale_in_cooldown() -> None:
    history = History(scale_in=PastActivity(before=5, seconds_ago=299, cooldown=300))
    assert decided(tracking(), low(0), 4, history=history).reason == "Cooldown"


def test_a_scale_out_ends_the_scale_in_cooldown() -> None:
    history = History(
        scale_in=PastActivity(before=5, seconds_ago=200, cooldown=300),
        scale_out=PastActivity(before=4, seconds_ago=100, cooldown=300),
    )
    assert decided(tracking(), low(0), 5, history=history).capacity == 0


def test_a_suspended_target_is_left_alone() -> None:
    target = ScalableTarget("e", "v", 0, 10, out_suspended=True, in_suspended=True)
    assert decided(ONE_MORE, high(9), 1, target).reason == "Suspended"
    assert decided(tracking(), low(0), 1, target).reason == "Suspended"


def test_the_largest_capacity_wins() -> None:
    decisions = [decided(ONE_MORE, high(1, threshold=1), 1), decided(tracking(), high(20), 1)]
    chosen = choose(decisions, tracking_in_agreed=False)
    assert chosen is not None
    assert (chosen.policy.name, chosen.capacity) == ("track", 4)


def test_target_tracking_removes_only_when_all_such_policies_agree() -> None:
    decisions = [decided(tracking(), low(0), 3)]
    assert choose(decisions, tracking_in_agreed=False) is None
    chosen = choose(decisions, tracking_in_agreed=True)
    assert chosen is not None
    assert chosen.capacity == 0


bounds = st.tuples(st.integers(0, 20), st.integers(0, 20)).map(
    lambda pair: ScalableTarget("e", "v", min(pair), max(pair))
)
steps = st.lists(
    st.builds(
        Step,
        st.one_of(st.none(), st.floats(-20, 0)),
        st.one_of(st.none(), st.floats(0.1, 20)),
        st.integers(-200, 200),
    ),
    min_size=1,
    max_size=3,
).map(tuple)
policies: st.SearchStrategy[Policy] = st.one_of(
    st.builds(tracking, st.floats(0.1, 100), st.booleans()),
    st.builds(
        lambda steps, kind, least: stepping(*steps, kind=kind, least=least),
        steps,
        st.sampled_from(["ChangeInCapacity", "PercentChangeInCapacity", "ExactCapacity"]),
        st.integers(0, 3),
    ),
)
breaches = st.builds(
    Breach,
    st.just("alarm"),
    st.floats(0, 50),
    st.booleans(),
    st.lists(st.floats(0, 1000), max_size=4).map(tuple),
)
past = st.one_of(st.none(), st.builds(PastActivity, st.integers(0, 20), st.floats(0, 600), st.just(300.0)))
histories = st.builds(History, past, past)


@given(policies, breaches, st.integers(0, 25), bounds, histories)
def test_no_decision_leaves_the_bounds(
    policy: Policy, breach: Breach, current: int, target: ScalableTarget, history: History
) -> None:
    decision = decide(policy, breach, current, target, history)
    if decision is not None and decision.capacity != current:
        assert target.minimum <= decision.capacity <= target.maximum


@given(policies, breaches, st.integers(0, 25), bounds, histories)
def test_a_decision_has_a_reason_exactly_when_it_changes_nothing(
    policy: Policy, breach: Breach, current: int, target: ScalableTarget, history: History
) -> None:
    decision = decide(policy, breach, current, target, history)
    if decision is not None:
        assert (decision.reason is None) == (decision.capacity != current)


@given(policies, breaches, st.integers(0, 25), bounds, st.integers(0, 20), st.floats(0, 299))
def test_nothing_is_ever_removed_while_a_scale_in_cools_down(
    policy: Policy, breach: Breach, current: int, target: ScalableTarget, before: int, ago: float
) -> None:
    history = History(scale_in=PastActivity(before, ago, 300))
    decision = decide(policy, breach, current, target, history)
    assert decision is None or decision.capacity >= current


@given(policies, breaches, st.integers(0, 25), bounds, st.integers(0, 20), st.floats(0, 299))
def test_a_cooldown_never_makes_a_scale_out_larger(
    policy: Policy, breach: Breach, current: int, target: ScalableTarget, before: int, ago: float
) -> None:
    cooled = decide(policy, breach, current, target, History(PastActivity(min(before, current), ago, 300)))
    free = decide(policy, breach, current, target, History())
    if cooled is not None and free is not None and free.capacity > current:
        assert current <= cooled.capacity <= free.capacity


@given(st.integers(0, 25), st.floats(0.1, 100), st.floats(0, 1000), bounds)
def test_target_tracking_follows_its_alarm_outwards_and_inwards_only(
    current: int, target: float, value: float, within: ScalableTarget
) -> None:
    outwards = decide(tracking(target), high(value), current, within, History())
    inwards = decide(tracking(target), low(value), current, within, History())
    assert outwards is not None and outwards.capacity >= current
    assert inwards is not None and inwards.capacity <= current
