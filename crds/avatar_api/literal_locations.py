"""What an S3 location must not contain, because not everybody reads it as it is written.

S3 takes a key literally: `a/../b`, `a//b` and `a%2Fb` name objects of their own. Whatever else handles it (a proxy, a console, a
file system that stands in for S3, a log that somebody copies from) may tidy it up first, and then means another object:
perhaps another tenant's. So a location that could be read in two ways is refused, at admission and again by the operator.
Everything else that people call their files stays allowed: spaces, umlauts, `+`, a `%20` that is part of the name.
"""

import re

_TRAPS = (
    # The whole location is matched at once, because RE2 cannot look behind.
    r"^s3://[^/]*/(.*/)?(/|\.\.?(/|$))"
    r"|[\x00-\x1f\x7f-\x9f\\]"
    # Encoded once or several times: %2e . %2f / %5c \ and control characters.
    r"|%(25)*(2[eEfF]|5[cC]|[01][0-9a-fA-F]|7[fF])"
)
_COMPILED = re.compile(_TRAPS)

LITERAL = (
    f"!self.matches(r'{_TRAPS}')",
    "an S3 location must read the same to everybody: without . or .. between slashes, //, a backslash, control characters, and"
    " without any of them percent-encoded (%2e, %2F, %5C). Move the objects to a plain key",
)
"""The rule about a string, and the message if it does not hold."""


def is_literal(uri: str) -> bool:
    """Whether an S3 location, or any beginning of one, reads the same to everybody."""
    return _COMPILED.search(uri) is None
