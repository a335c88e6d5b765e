"""How old something in AWS is, by AWS's own clock: both times are of one answer.

The clock of this machine may be set wrong, or set right in the middle of the night. What is deleted because it is old
enough must not rest on it.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any


def age_seconds(answer: Mapping[str, Any], instant: datetime) -> float:
    """Seconds that had passed since an instant when an answer was given; 0 if the answer does not say when that was.

    A Date has whole seconds, so what is of the same second may look like the future; it is 0 s old.

    Args:
        answer: of botocore.
        instant: a time that the answer tells of.
    """
    given = answer["ResponseMetadata"].get("HTTPHeaders", {}).get("date", "")
    try:
        moment = parsedate_to_datetime(given)
    except ValueError:
        return 0.0
    # A date that ends in "-0000" is one of UTC that says nothing of zones.
    given_at = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (given_at - instant).total_seconds())
