"""External names, derived and never invented: whoever knows the object knows the name.

An inference id carries the whole uid, so a notification finds its object without any table that could be lost.
"""

import re
from dataclasses import dataclass

_INFERENCE_ID = re.compile(
    r"avm-(?P<uid>[0-9a-f]{32})-r(?P<revision>[1-9][0-9]{0,6})-a(?P<attempt>[1-9][0-9]{0,6})"
)


@dataclass(frozen=True)
class AttemptName:
    """What an inference id says."""

    uid: str
    revision: int
    attempt: int


def inference_id(uid: str, revision: int, attempt: int) -> str:
    """The id of one attempt: at most 54 characters of SageMaker's 64."""
    return f"avm-{uid.replace('-', '')}-r{revision}-a{attempt}"


def parse_inference_id(value: str) -> AttemptName | None:
    """The attempt that an inference id names, or None if it is not one of ours."""
    match = _INFERENCE_ID.fullmatch(value)
    if match is None:
        return None
    digits = match["uid"]
    uid = "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
    return AttemptName(uid=uid, revision=int(match["revision"]), attempt=int(match["attempt"]))
