"""The scalars of documents. Each has an end, because a document is a claim: whoever runs a worker may write anything.

What is read from one goes into a status, and the API server refuses a status that is too long or too large, whoever
believed it. So a document that is out of bounds is refused as a whole, when it is read, once; a bound that only the
status had would be found out in every pass, for ever. A test holds every field of every document to this.
"""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, Field

from avatar_api.schema_base import Timestamp

MAX_COUNT = 2147483647
Count = Annotated[int, Field(ge=0, le=MAX_COUNT)]
"""A count that fits the int32 of a status."""

Seconds = Annotated[float, Field(ge=0, le=MAX_COUNT)]
"""A time that somebody took."""

MAX_ORDINAL = 9_999_999
Ordinal = Annotated[int, Field(ge=1, le=MAX_ORDINAL)]
"""A revision or an attempt: as many digits as an inference id has room for."""

MAX_OBJECT_BYTES = 5 << 40
ObjectBytes = Annotated[int, Field(ge=0, le=MAX_OBJECT_BYTES)]
"""The size of an object. S3 takes none that is larger than 5 TiB."""

LARGEST_FLOAT32 = 3.4028234663852886e38
Float32 = Annotated[float, Field(ge=-LARGEST_FLOAT32, le=LARGEST_FLOAT32)]
"""What a tensor may hold."""

InferenceId = Annotated[str, Field(min_length=1, max_length=64)]
"""SageMaker takes no longer one."""
Word = Annotated[str, Field(max_length=128)]
"""A label, a version, a file's name."""
Address = Annotated[str, Field(max_length=2048)]
"""A URI or a URL of whatever kind."""
Key = Annotated[str, Field(max_length=1024)]
"""The key of an object in S3, which takes no longer one, or its version."""
Sentence = Annotated[str, Field(max_length=2048)]
"""Something for a person to read."""

_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)


def _that_a_clock_can_show(value: datetime) -> datetime:
    if value < _EARLIEST:
        raise ValueError(
            "a time is not before 1970: no clock shows this one, not even one that was never set"
        )
    return value


DocumentTime = Annotated[Timestamp, AfterValidator(_that_a_clock_can_show)]
"""An instant by somebody's clock, which may be wrong, and need not have been set at all."""
