"""CEL validation rules, attached to pydantic models so that they end up at the right place of the CRD's schema.

The rule runs in the API server, not here: a bad object is refused by `kubectl apply` itself, before it can cost
anything. (Kubernetes documentation, "Common Expression Language in Kubernetes", x-kubernetes-validations.)
"""

from pydantic import ConfigDict


def rules(*rules_and_messages: tuple[str, str]) -> ConfigDict:
    """Model configuration that carries CEL rules into the schema.

    Args:
        rules_and_messages: pairs of a CEL expression over `self` (and `oldSelf`) and the message shown on refusal.
    """
    validations = [{"rule": rule, "message": message} for rule, message in rules_and_messages]
    return ConfigDict(json_schema_extra={"x-kubernetes-validations": validations})  # type: ignore[dict-item]


def exactly_one_of(*fields: str) -> tuple[str, str]:
    """The rule that exactly one of several optional fields is set."""
    count = " + ".join(f"(has(self.{field}) ? 1 : 0)" for field in fields)
    return f"{count} == 1", f"set exactly one of {', '.join(fields)}"
