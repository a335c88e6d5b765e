"""Ages in AWS are told by AWS's own clock."""

from datetime import UTC, datetime
from typing import Any

import pytest

from avatar_operator.aws.ages import age_seconds

MADE = datetime(2026, 11, 22, 11, 0, 0, tzinfo=UTC)


def _answer(**headers: str) -> dict[str, Any]:
    return {"ResponseMetadata": {"HTTPHeaders": headers}}


def test_an_age_is_the_difference_of_two_times_of_one_answer() -> None:
    assert age_seconds(_answer(date="Sun, 22 Nov 2026 12:00:00 GMT"), MADE) == 3600.0


def test_a_time_that_names_no_zone_is_of_greenwich() -> None:
    assert age_seconds(_answer(date="Sun, 22 Nov 2026 12:00:00 -0000"), MADE) == 3600.0


@pytest.mark.parametrize("answer", [_answer(), _answer(date="yesterday"), {"ResponseMetadata": {}}])
def test_what_an_answer_without_a_time_tells_of_is_not_old(answer: dict[str, Any]) -> None:
    assert age_seconds(answer, MADE) == 0.0


def test_what_was_made_in_the_second_of_the_answer_is_of_no_age() -> None:
    answer = {"ResponseMetadata": {"HTTPHeaders": {"date": "Wed, 25 Nov 2026 12:00:00 GMT"}}}

    assert age_seconds(answer, datetime(2026, 11, 25, 12, 0, 0, 700_000, tzinfo=UTC)) == 0.0
