"""Building blocks that every API type shares: naming, immutability, and the constrained scalars.

Kubernetes forbids floats in specs (they do not survive a round trip through every client), so decimal numbers are
strings here with a pattern, and `Decimal` in code. Every string has a maximum length: the API server needs it to
bound the cost of CEL rules, and we need it to bound ours.
"""

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
)
from pydantic.alias_generators import to_camel

from avatar_api.field_facts import RANGE_OF_DECIMAL
from avatar_api.literal_locations import LITERAL
from avatar_api.validation_rules import spelled


def kubernetes_name(snake_case: str) -> str:
    """camelCase as Kubernetes spells it, where an acronym at the end stays whole: `queueURL`, `runtimeUID`."""
    return re.sub(r"(Url|Arn|Uid)$", lambda acronym: acronym.group().upper(), to_camel(snake_case))


class ApiModel(BaseModel):
    """An immutable value with camelCase names on the wire and snake_case names in Python.

    Unknown fields are ignored: an older operator must be able to read an object that a newer one wrote. NaN and
    Infinity are no numbers: JSON has none, and what is counted from them is nothing.
    """

    model_config = ConfigDict(
        alias_generator=kubernetes_name,
        populate_by_name=True,
        frozen=True,
        extra="ignore",
        allow_inf_nan=False,
    )

    def to_wire(self) -> dict[str, object]:
        """The JSON-ready form: camelCase keys, absent instead of null."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


_LATEST = datetime(9000, 1, 1, tzinfo=UTC)
"""Python counts to the year 9999, and deadlines count from what a status says, whoever wrote that."""


def _to_be_counted_from(value: datetime) -> datetime:
    if value >= _LATEST:
        raise ValueError(f"a time is before the year {_LATEST.year}: nothing can be counted from this one")
    return value


def _to_utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("a time is in the year 1 or later, in UTC, too") from error


def _to_rfc3339(value: datetime) -> str:
    return value.strftime("%Y-%m-%dT%H:%M:%SZ")


Timestamp = Annotated[
    AwareDatetime,
    AfterValidator(_to_be_counted_from),
    AfterValidator(_to_utc),
    PlainSerializer(_to_rfc3339, return_type=str, when_used="json"),
]
"""An instant in RFC 3339, UTC, to the second: what Kubernetes' metav1.Time carries. One without an offset is refused: it cannot
be compared with any other. Nor is one so late that no deadline can count from it."""

S3_BUCKET_PATTERN = r"[a-z0-9][a-z0-9.\-]{1,61}[a-z0-9]"

S3ObjectUri = Annotated[
    str,
    spelled(
        rf"^s3://{S3_BUCKET_PATTERN}/.*[^/]$",
        "name one S3 object, without a slash at the end: s3://bucket/photos/ann/01.jpg",
        LITERAL,
        max_length=1024,
    ),
]
"""`s3://bucket/key`, naming one object."""

_S3_PREFIX_PATTERN = rf"^s3://{S3_BUCKET_PATTERN}/(.*/)?$"
_S3_PREFIX_SENTENCE = "name an S3 prefix, with a slash at the end: s3://bucket/photos/ann/"

S3PrefixUri = Annotated[str, spelled(_S3_PREFIX_PATTERN, _S3_PREFIX_SENTENCE, LITERAL, max_length=1024)]
"""`s3://bucket/some/prefix/`, ending with a slash so that `photos/ann` never covers `photos/anna`."""

S3HomeUri = Annotated[str, spelled(_S3_PREFIX_PATTERN, _S3_PREFIX_SENTENCE, LITERAL, max_length=768)]
"""A prefix below which keys are made: with namespace, uid and attempt in it, the longest of them is still an `S3ObjectUri`."""

DECIMAL_PATTERN = r"^[0-9]{1,6}(\.[0-9]{1,8})?$"

DecimalString = Annotated[str, Field(max_length=16, pattern=DECIMAL_PATTERN)]
"""A non-negative decimal number as a string, in a status. What users write in a spec is a `decimal`."""


def decimal(field: str, *, example: str, at_most: int | None = None, above_zero: bool = False) -> Any:
    """A field's constraint that a string is a non-negative decimal number.

    Args:
        field: the field's name, as users know it.
        example: a good value.
        at_most: the largest value.
        above_zero: whether zero is refused.
    """
    bounds: list[tuple[str, str]] = []
    if above_zero:
        bounds.append(("double(self) > 0.0", "above 0"))
    if at_most is not None:
        bounds.append((f"double(self) <= {at_most}.0", f"at most {at_most}"))
    in_words = " and ".join(words for _, words in bounds)
    further = [(" && ".join(rule for rule, _ in bounds), f"{field} must be {in_words}")] if bounds else []
    sentence = f'{field} is a decimal number in quotes, such as "{example}"'
    constraint = spelled(DECIMAL_PATTERN, sentence, *further, max_length=16)
    in_full = "0 and above" if at_most is None else f"0 to {at_most}"
    constraint.json_schema_extra[RANGE_OF_DECIMAL] = in_words if above_zero else in_full
    return constraint


Sha256 = Annotated[
    str,
    spelled(
        r"^[0-9a-f]{64}$",
        "a SHA-256 digest is 64 hexadecimal digits in lower case",
        min_length=64,
        max_length=64,
    ),
]

RESOURCE_NAME_PATTERN = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"
RESOURCE_NAME_SENTENCE = (
    "a name is at most 63 lowercase letters, digits and dashes, with a letter or a digit at both ends: ann-2"
)

ResourceName = Annotated[
    str, spelled(RESOURCE_NAME_PATTERN, RESOURCE_NAME_SENTENCE, min_length=1, max_length=63)
]

Seed = Annotated[int, Field(ge=0, le=4294967295, json_schema_extra={"format": "int64"})]
"""Seeds fit 32 bits: every generator that a worker might use accepts them."""
