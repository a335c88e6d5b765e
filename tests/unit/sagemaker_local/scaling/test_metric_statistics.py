"""Samples become one statistic per period."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from sagemaker_local.scaling.metric_statistics import Sample, datapoints

MINUTE = timedelta(minutes=1)
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def single(second: float, value: float) -> Sample:
    return Sample(NOON + timedelta(seconds=second), None, 1, value, value, value)


def over_the_last(count: int, statistic: str, *samples: Sample, now: float = 120) -> list[float | None]:
    found = datapoints(samples, statistic, MINUTE, count, NOON + timedelta(seconds=now))
    return [None if each is None else each.value for each in found]


def test_a_sample_belongs_to_the_period_in_which_it_was_taken() -> None:
    assert over_the_last(2, "Sum", single(0, 1), single(59.9, 2), single(60, 4)) == [3, 4]


def test_a_period_that_has_not_ended_does_not_count() -> None:
    assert over_the_last(2, "Sum", single(130, 9), now=150) == [None, None]


def test_a_period_without_samples_is_missing() -> None:
    assert over_the_last(3, "Maximum", single(10, 5)) == [None, 5, None]


def test_each_statistic_is_what_its_name_says() -> None:
    samples = [single(1, 1), single(2, 3), Sample(NOON, None, 4, 16, 2, 8)]
    found = {
        name: over_the_last(2, name, *samples)[0]
        for name in ("Sum", "SampleCount", "Average", "Minimum", "Maximum")
    }
    assert found == {"Sum": 20, "SampleCount": 6, "Average": 20 / 6, "Minimum": 1, "Maximum": 8}


def test_a_percentile_is_one_of_the_values() -> None:
    samples = [single(second, second) for second in range(1, 11)]
    assert [over_the_last(2, name, *samples)[0] for name in ("p10", "p50", "p90", "p100")] == [1, 5, 9, 10]


def test_a_percentile_of_a_statistic_set_is_unknown() -> None:
    assert over_the_last(2, "p90", Sample(NOON, None, 2, 4, 1, 3))[0] is None


@given(
    st.lists(st.tuples(st.floats(0, 599), st.floats(-1000, 1000)), max_size=30),
    st.floats(600, 700),
    st.sampled_from([1, 7, 60]),
)
def test_no_sample_is_counted_twice_or_lost(
    taken: list[tuple[float, float]], now: float, seconds: int
) -> None:
    samples = [single(second, value) for second, value in taken]
    found = datapoints(samples, "SampleCount", timedelta(seconds=seconds), 800, NOON + timedelta(seconds=now))
    ended = (NOON.timestamp() + now) // seconds * seconds
    expected = sum(sample.taken.timestamp() < ended for sample in samples)
    assert sum(each.value for each in found if each is not None) == expected
