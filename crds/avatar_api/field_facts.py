"""What a field's schema knows of its values, in words.

`kubectl explain` shows the description of a field, and neither its bounds nor its default. So the code says in a sentence what a
field means and in which unit, and range and default are put behind it from the schema itself, where the two cannot come to differ.
The words of an enum are left out: `kubectl explain` has them.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

RANGE_OF_DECIMAL = "x-range-of-decimal"
"""Keyword for the range of a number that is written as a string. The API server gets it as a rule, people get it from here."""


def with_facts(sentence: str, schema: Mapping[str, Any]) -> str:
    """A field's description: its own sentence, and then what its schema knows.

    Args:
        sentence: what the field means.
        schema: of the field, before or after its conversion into a structural one.
    """
    return " ".join([sentence, *_facts(schema)])


def facts(schema: Mapping[str, Any]) -> dict[str, str]:
    """Range, length, number of entries and default of a field, each in words; what it has not is absent.

    Args:
        schema: of the field, before or after its conversion into a structural one.
    """
    found = {
        "Range": schema.get(RANGE_OF_DECIMAL) or _range(schema),
        "Length": _length(schema),
        "Number": _between(
            schema.get("minItems", schema.get("minProperties")),
            schema.get("maxItems", schema.get("maxProperties")),
            "entry",
            "entries",
        ),
        "Default": default_in_words(schema),
    }
    return {name: words for name, words in found.items() if words}


def _facts(schema: Mapping[str, Any]) -> Iterator[str]:
    for name, words in facts(schema).items():
        yield f"{words[0].upper()}{words[1:]}." if name in ("Length", "Number") else f"{name}: {words}."


def default_in_words(schema: Mapping[str, Any]) -> str:
    """The default as YAML would have it; empty where there is none, or where the parts of the field have their own."""
    default = schema.get("default")
    match default:
        case None | "" | dict() | list():
            return ""
        case str():
            # A number in a string needs its quotes, a word does not.
            return json.dumps(default) if re.fullmatch(r"[0-9]+(\.[0-9]+)?", default) else default
        case _:
            return json.dumps(default)


def _range(schema: Mapping[str, Any]) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    steps = f", in steps of {schema['multipleOf']}" if "multipleOf" in schema else ""
    if low is None and high is None:
        return ""
    if high is None:
        return f"at least {low}{steps}"
    return f"{low} to {high}{steps}" if low is not None else f"at most {high}{steps}"


def _length(schema: Mapping[str, Any]) -> str:
    if RANGE_OF_DECIMAL in schema:
        return ""
    return _between(schema.get("minLength"), schema.get("maxLength"), "character")


def _between(least: int | None, most: int | None, one: str, many: str = "") -> str:
    many = many or f"{one}s"
    if least == most:
        return f"exactly {most} {one if most == 1 else many}" if most is not None else ""
    if most is None:
        return f"at least {least} {one if least == 1 else many}"
    return f"{least} to {most} {many}" if least else f"at most {most} {one if most == 1 else many}"
