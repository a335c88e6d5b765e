"""Building blocks that every API type shares: naming, immutability, and the constrained scalars.

Kubernetes forbids floats in specs (they do not survive a round trip through every client), so decimal numbers are
strings here with a pattern, and `Decimal` in code. Every string has a maximum length: the API server needs it to
bound the cost of CEL rules, and we need it to bound ours.
"""

import re
from datetime import UTC, datetime
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema
from pydantic.alias_generators import to_camel


def kubernetes_name(snake_case: str) -> str:
    """camelCase as Kubernetes spells it, where an acronym at the end stays whole: `queueURL`, `statusTopicARN`."""
    return re.sub(r"(Url|Arn)$", lambda acronym: acronym.group().upper(), to_camel(snake_case))


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


def _to_utc(value: object) -> object:
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    return value


def _to_rfc3339(value: datetime) -> str:
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


Timestamp = Annotated[
    datetime,
    BeforeValidator(_to_utc),
    PlainSerializer(_to_rfc3339, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
"""An instant in RFC 3339, UTC, to the second: what Kubernetes' metav1.Time carries."""

S3_BUCKET_PATTERN = r"[a-z0-9][a-z0-9.\-]{1,61}[a-z0-9]"

S3ObjectUri = Annotated[str, Field(max_length=1024, pattern=rf"^s3://{S3_BUCKET_PATTERN}/.*[^/]$")]
"""`s3://bucket/key`, naming one object."""

S3PrefixUri = Annotated[str, Field(max_length=1024, pattern=rf"^s3://{S3_BUCKET_PATTERN}/(.*/)?$")]
"""`s3://bucket/some/prefix/`, ending with a slash so that `photos/ann` never covers `photos/anna`."""

DecimalString = Annotated[str, Field(max_length=16, pattern=r"^[0-9]{1,6}(\.[0-9]{1,8})?$")]
"""A non-negative decimal number as a string."""

Sha256 = Annotated[str, Field(min_length=64, max_length=64, pattern=r"^[0-9a-f]{64}$")]

ResourceName = Annotated[str, Field(min_length=1, max_length=63, pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")]

Seed = Annotated[int, Field(ge=0, le=4294967295, json_schema_extra={"format": "int64"})]
"""Seeds fit 32 bits: every generator that a worker might use accepts them."""
