"""IAM's strings: `*` and `?`, and policy variables such as `${aws:username}`. Pure.

A variable stands for its literal value, wildcards in that value included. One that is not in the request makes the whole string
match nothing, unless the policy gives a default. `${*}`, `${?}` and `${$}` are the characters themselves.

Source: "IAM policy elements: Variables and tags" in the IAM user guide.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

Context = Mapping[str, Sequence[str]]
"""Condition keys of a request, in lower case, with their values. A key that is not there is absent from the request."""

_VARIABLE = re.compile(r"\$\{([^}]*)\}")
_DEFAULT = re.compile(r"^\s*([^,]+?)\s*,\s*'(.*)'\s*$")


def matches(
    pattern: str,
    value: str,
    context: Context | None,
    *,
    wildcards: bool = True,
    ignore_case: bool = False,
) -> bool:
    """Whether a value matches a string of a policy.

    Arguments:
        context: where variables come from; None for a policy of a version that has no variables.
        wildcards: whether `*` and `?` stand for any characters.
    """
    parts: list[str] = []
    position = 0
    for variable in _VARIABLE.finditer(pattern) if context is not None else ():
        parts.append(_translated(pattern[position : variable.start()], wildcards))
        resolved = _resolved(variable[1], context or {})
        if resolved is None:
            return False
        parts.append(re.escape(resolved))
        position = variable.end()
    parts.append(_translated(pattern[position:], wildcards))
    flags = re.DOTALL | (re.IGNORECASE if ignore_case else 0)
    return re.fullmatch("".join(parts), value, flags) is not None


def _translated(text: str, wildcards: bool) -> str:
    if not wildcards:
        return re.escape(text)
    return "".join({"*": ".*", "?": "."}.get(character) or re.escape(character) for character in text)


def _resolved(name: str, context: Context) -> str | None:
    if name in ("*", "?", "$"):
        return name
    default = None
    with_default = _DEFAULT.match(name)
    if with_default:
        name, default = with_default[1], with_default[2]
    values = context.get(name.strip().lower())
    return values[0] if values is not None and len(values) == 1 else default
