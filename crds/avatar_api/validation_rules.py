"""CEL validation rules, attached to pydantic models so that they end up at the right place of the CRD's schema.

The rule runs in the API server, not here: a bad object is refused by `kubectl apply` itself, before it can cost
anything. (Kubernetes documentation, "Common Expression Language in Kubernetes", x-kubernetes-validations.)
"""

from typing import Any

from pydantic import ConfigDict, Field


def rules(*rules_and_messages: tuple[str, str]) -> ConfigDict:
    """Model configuration that carries CEL rules into the schema.

    Args:
        rules_and_messages: pairs of a CEL expression over `self` (and `oldSelf`) and the message shown on refusal.
    """
    return ConfigDict(json_schema_extra=validations(*rules_and_messages))


def spelled(
    pattern: str, sentence: str, *further: tuple[str, str], max_length: int, min_length: int | None = None
) -> Any:
    """A field's constraint that a string is spelled in a certain way, refused with a sentence.

    A pattern that stands in the schema is shown to users as the bare regular expression, so the API server gets it as
    a rule with words of its own. Python checks the pattern itself.

    Args:
        pattern: the regular expression, anchored, in the common part of RE2's and Rust's dialects.
        sentence: what a good value looks like, with an example.
        further: pairs of a rule over a value that is spelled well, and the message if it does not hold.
        max_length: characters at most; the API server bounds the cost of the rules with it.
        min_length: characters at least.
    """
    matches = f"self.matches(r'{pattern}')"
    guarded = ((f"!{matches} || ({rule})", message) for rule, message in further)
    return Field(
        pattern=pattern,
        max_length=max_length,
        min_length=min_length,
        json_schema_extra=validations((matches, sentence), *guarded),
    )


def validations(*rules_and_messages: tuple[str, str]) -> dict[str, Any]:
    """The keyword that carries CEL rules, for a schema of any type."""
    return {
        "x-kubernetes-validations": [
            {"rule": rule, "message": message} for rule, message in rules_and_messages
        ]
    }


def exactly_one_of(*fields: str) -> tuple[str, str]:
    """The rule that exactly one of several optional fields is set."""
    count = " + ".join(f"(has(self.{field}) ? 1 : 0)" for field in fields)
    return f"{count} == 1", f"set exactly one of {', '.join(fields)}"


def unchanged(*fields: str, below: str = "") -> str:
    """The rule that an update leaves some fields as they are, absent ones absent.

    Args:
        fields: their names.
        below: the path from `self` to the object that has them, such as ".spec".
    """
    # `self.?field == oldSelf.?field` says the same, but the API server estimates comparing optionals as boundless.
    return " && ".join(
        f"has(self{below}.{field}) == has(oldSelf{below}.{field})"
        f" && (!has(self{below}.{field}) || self{below}.{field} == oldSelf{below}.{field})"
        for field in fields
    )
