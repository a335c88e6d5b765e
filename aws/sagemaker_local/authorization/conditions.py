"""The Condition element of a policy statement. Pure.

A statement applies when all its operators hold for all their keys. A key's policy values are alternatives; for negated operators
none of them may match. What is absent from the request fails a positive operator and passes a negated one, and passes anything
with IfExists. ForAllValues and ForAnyValue quantify over the request's values: over none, the first holds and the second does
not.

An operator or a key that is not known here cannot be judged: `Unknown` says so, and the caller fails closed.

Sources: "IAM JSON policy elements: Condition operators", "Single-valued vs. multivalued context keys" in the IAM user guide;
"Condition keys for Amazon SageMaker" in the service authorization reference.
"""

from __future__ import annotations

import ipaddress
import operator
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sagemaker_local.authorization.patterns import Context, matches

# Keys whose presence or absence in a request is known here. Any other key cannot be judged.
KNOWN_KEYS = frozenset(
    {
        "aws:currenttime",
        "aws:epochtime",
        "aws:principalaccount",
        "aws:principalarn",
        "aws:principaltype",
        "aws:requestedregion",
        "aws:securetransport",
        "aws:sourceip",
        "aws:useragent",
        "aws:userid",
        "aws:username",
        "iam:passedtoservice",
        "s3:delimiter",
        "s3:if-match",
        "s3:if-none-match",
        "s3:max-keys",
        "s3:objectcreationoperation",
        "s3:prefix",
        "s3:versionid",
        "sagemaker:targetmodel",
        "sts:externalid",
        "sts:rolesessionname",
    }
)
_QUANTIFIERS = {"forallvalues": all, "foranyvalue": any}


class Unknown(Exception):
    """A condition that cannot be judged. One sentence."""


Comparison = Callable[[str, str, Context | None], bool]
"""Whether a value of the request (second) satisfies a value of the policy (first)."""


def hold(condition: Mapping[str, Any], context: Context, variables: Context | None) -> bool:
    """Whether all conditions of a statement hold.

    Arguments:
        condition: the Condition element.
        context: the request's condition keys.
        variables: where policy variables come from; None when the policy has none.

    Raises:
        Unknown: for an operator or a key that is not implemented here.
    """
    judged = [
        _holds(name, key, _texts(values), context, variables)
        for name, block in condition.items()
        for key, values in block.items()
    ]
    return all(judged)


def _holds(name: str, key: str, wanted: Sequence[str], context: Context, variables: Context | None) -> bool:
    if key.lower() not in KNOWN_KEYS:
        raise Unknown(f"the condition key {key} is not implemented")
    given = context.get(key.lower())
    quantifier, _, plain = name.rpartition(":")
    if quantifier and quantifier.lower() not in _QUANTIFIERS:
        raise Unknown(f"the condition operator {name} is not implemented")
    if plain.lower() == "null":
        return any((given is None) == (value.lower() == "true") for value in wanted)
    if_exists = plain.lower().endswith("ifexists")
    plain = plain.lower().removesuffix("ifexists")
    if plain not in _OPERATORS:
        raise Unknown(f"the condition operator {name} is not implemented")
    compare, negated = _OPERATORS[plain]
    if given is None and if_exists:
        return True
    if not given:
        return quantifier.lower() == "forallvalues" if quantifier else negated

    def satisfied(value: str) -> bool:
        return any(compare(each, value, variables) for each in wanted) != negated

    return _QUANTIFIERS.get(quantifier.lower(), any)(satisfied(value) for value in given)


def _text(wildcards: bool, ignore_case: bool = False) -> Comparison:
    return lambda wanted, given, variables: matches(
        wanted, given, variables, wildcards=wildcards, ignore_case=ignore_case
    )


def _number(compare: Callable[[float, float], bool]) -> Comparison:
    def satisfied(wanted: str, given: str, variables: Context | None) -> bool:
        try:
            return compare(float(given), float(wanted))
        except ValueError:
            return False

    return satisfied


def _date(compare: Callable[[datetime, datetime], bool]) -> Comparison:
    def satisfied(wanted: str, given: str, variables: Context | None) -> bool:
        try:
            return compare(_moment(given), _moment(wanted))
        except ValueError:
            return False

    return satisfied


def _moment(text: str) -> datetime:
    if text.replace(".", "", 1).isdecimal():
        return datetime.fromtimestamp(float(text), UTC)
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _address(wanted: str, given: str, variables: Context | None) -> bool:
    try:
        return ipaddress.ip_address(given) in ipaddress.ip_network(wanted, strict=False)
    except ValueError:
        return False


def _boolean(wanted: str, given: str, variables: Context | None) -> bool:
    return wanted.lower() == given.lower()


def _arn(wanted: str, given: str, variables: Context | None) -> bool:
    """Each of an ARN's six parts matches for itself: a wildcard does not reach over a colon, except in the last part."""
    patterns, parts = wanted.split(":", 5), given.split(":", 5)
    return len(patterns) == len(parts) and all(
        matches(pattern, part, variables) for pattern, part in zip(patterns, parts, strict=True)
    )


_OPERATORS: Mapping[str, tuple[Comparison, bool]] = {
    "stringequals": (_text(wildcards=False), False),
    "stringnotequals": (_text(wildcards=False), True),
    "stringequalsignorecase": (_text(wildcards=False, ignore_case=True), False),
    "stringnotequalsignorecase": (_text(wildcards=False, ignore_case=True), True),
    "stringlike": (_text(wildcards=True), False),
    "stringnotlike": (_text(wildcards=True), True),
    "numericequals": (_number(operator.eq), False),
    "numericnotequals": (_number(operator.eq), True),
    "numericlessthan": (_number(operator.lt), False),
    "numericlessthanequals": (_number(operator.le), False),
    "numericgreaterthan": (_number(operator.gt), False),
    "numericgreaterthanequals": (_number(operator.ge), False),
    "dateequals": (_date(operator.eq), False),
    "datenotequals": (_date(operator.eq), True),
    "datelessthan": (_date(operator.lt), False),
    "datelessthanequals": (_date(operator.le), False),
    "dategreaterthan": (_date(operator.gt), False),
    "dategreaterthanequals": (_date(operator.ge), False),
    "bool": (_boolean, False),
    "ipaddress": (_address, False),
    "notipaddress": (_address, True),
    "arnequals": (_arn, False),
    "arnlike": (_arn, False),
    "arnnotequals": (_arn, True),
    "arnnotlike": (_arn, True),
}


def _texts(values: Any) -> list[str]:
    listed = values if isinstance(values, list) else [values]
    return [str(value).lower() if isinstance(value, bool) else str(value) for value in listed]
