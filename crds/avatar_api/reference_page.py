"""The API reference, as a page of Markdown: every kind, every field, and what the API server holds them to.

It is made of the very CustomResourceDefinitions that are applied, so that it says what a cluster does: range and default stand
in a field's description there (`field_facts`), rules are CEL. Which fields may not change freely is read out of those rules.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from avatar_api.crd import Column, Definition
from avatar_api.group import API_VERSION
from avatar_api.structural_schema import Schema

_RULES = "x-kubernetes-validations"
_VALUE_COMPARED = re.compile(r"\bself((?:\.\w+)*) [=>]= oldSelf\1(?![.\w])")
_PRESENCE_COMPARED = re.compile(r"has\(self((?:\.\w+)+)\) == has\(oldSelf\1\)")
_BAR = "\\|"
_CODE = re.compile(r"(`[^`]*`)")

_BEGINNING = f"""<!-- Generated from crds/avatar_api by `make generate`. Do not edit. -->

# API reference

The kinds of `{API_VERSION}`, field by field, in the same sentences as `kubectl explain avatarmodel.spec.training`. How to work
with them: [using.md](using.md) for product teams, [runtimes.md](runtimes.md) for the platform team.

A field with a star is required where what it is a part of is there. A field without "limited" in its last column may change at
any time; of the others the table of what the API server checks says when.
"""


@dataclass(frozen=True)
class Field:
    """One field of a kind, and where it stands, such as `spec.photos.objects[].uri`."""

    path: str
    schema: Schema
    required: bool


@dataclass(frozen=True)
class Check:
    """One thing that the API server checks: on which fields, when, and what it says if it does not hold.

    `fixes` says that the fields are compared with what they were, each with all that is in it, and not only looked at.
    """

    fields: tuple[str, ...]
    when: str
    message: str
    fixes: bool


def reference_page(definitions: tuple[Definition, ...]) -> str:
    """The whole page.

    Args:
        definitions: the kinds, in the order of the page.
    """
    return "\n".join([_BEGINNING, *("\n".join(_kind(definition)) for definition in definitions)])


def fields(schema: Schema, path: str) -> Iterator[Field]:
    """Every field below a schema, however deep, in its order."""
    required = schema.get("required", ())
    for name, child in schema.get("properties", {}).items():
        field = Field(f"{path}.{name}", child, required=name in required)
        yield field
        yield from fields(child, field.path)
    if "items" in schema:
        yield from fields(schema["items"], f"{path}[]")


def checks(schema: Schema, path: str) -> list[Check]:
    """What the API server checks at a schema and below, each message once."""
    found: dict[tuple[str, str, bool], list[str]] = {}
    for where, rule in _rules(schema, path):
        fixes = _VALUE_COMPARED.search(rule["rule"]) is not None
        told = found.setdefault((_when(rule), rule["message"], fixes), [])
        told.extend(field for field in _judged(rule, where) if field not in told)
    return [Check(tuple(told), when, message, fixes) for (when, message, fixes), told in found.items()]


def _kind(definition: Definition) -> Iterator[str]:
    wire = definition.to_wire()["spec"]
    [version] = wire["versions"]
    schema, name, names = version["schema"]["openAPIV3Schema"], definition.kind.kind, wire["names"]
    found = checks(schema, "")
    selectors = _codes(selectable["jsonPath"] for selectable in version["selectableFields"])
    yield f"## {name}\n\n{_prose(schema['description'])}\n"
    yield f"{wire['scope']}. `kubectl get {names['plural']}`, in short `{names['shortNames'][0]}`. Field selectors: {selectors}."
    yield f"\n### {name} spec\n\n{_prose(schema['properties']['spec']['description'])}\n"
    yield from _table(("field", "type", "what it is", "change"), _spec_rows(schema, name, found))
    yield f"\n### {name} status\n\n{_prose(schema['properties']['status']['description'])}"
    yield f"Each condition with its reasons: [conditions.md](conditions.md#{name.lower()}).\n"
    status = fields(schema["properties"]["status"], "status")
    yield from _table(("field", "type", "what it is"), (_described(field) for field in status))
    yield f"\n### {name} checks\n\nWhat the API server refuses, and what it says then:\n"
    yield from _table(
        ("fields", "checked", "message"),
        ((_codes(check.fields), check.when, check.message) for check in found),
    )
    yield f"\n### {name} columns\n\nWhat `kubectl get` shows:\n"
    yield from _table(("column", "from", ""), map(_column, definition.columns))
    yield ""


def _spec_rows(schema: Schema, kind: str, found: list[Check]) -> Iterator[tuple[str, ...]]:
    on_change = [check for check in found if check.when == "on change"]
    for field in fields(schema["properties"]["spec"], "spec"):
        limited = any(_is_limited(field, check) for check in on_change)
        yield *_described(field), f"[limited](#{kind.lower()}-checks)" if limited else ""


def _is_limited(field: Field, check: Check) -> bool:
    if field.path in check.fields:
        return True
    return check.fixes and any(field.path.startswith((f"{whole}.", f"{whole}[]")) for whole in check.fields)


def _described(field: Field) -> tuple[str, str, str]:
    star = "*" if field.required else ""
    return f"`{field.path}`{star}", _type(field.schema), field.schema.get("description", "")


def _column(column: Column) -> tuple[str, str, str]:
    said = (column.description, "Only with `-o wide`." if column.wide else "")
    return column.name, f"`{column.json_path}`", " ".join(filter(None, said))


def _table(headings: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(headings)} |"
    yield f"|{'---|' * len(headings)}"
    for row in rows:
        yield f"| {' | '.join(_prose(cell).replace('|', _BAR) for cell in row)} |"


def _codes(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def _type(schema: Schema) -> str:
    match schema:
        case {"enum": words}:
            return ", ".join(f"`{word}`" for word in words)
        case {"type": "array", "items": items}:
            return f"list of {_type(items)}"
        case {"additionalProperties": values}:
            return f"map to {_type(values)}"
        case {"format": "date-time"}:
            return "time"
        case _:
            return str(schema["type"])


def _rules(schema: Schema, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for rule in schema.get(_RULES, ()):
        yield path, rule
    for name, child in schema.get("properties", {}).items():
        yield from _rules(child, f"{path}.{name}" if path else name)
    for keyword, mark in (("items", "[]"), ("additionalProperties", "{}")):
        if keyword in schema:
            yield from _rules(schema[keyword], f"{path}{mark}")


def _when(rule: dict[str, Any]) -> str:
    if rule.get("optionalOldSelf"):
        return "on creation"
    return "on change" if "oldSelf" in rule["rule"] else "always"


def _judged(rule: dict[str, Any], where: str) -> list[str]:
    """The fields that a rule is about: those that it compares with what they were, else where it stands."""
    if _when(rule) != "on change":
        return [rule.get("fieldPath", where).lstrip(".")]
    compared = _VALUE_COMPARED.findall(rule["rule"]) or _PRESENCE_COMPARED.findall(rule["rule"])
    return [f"{where}{field}".lstrip(".") for field in compared or [""]]


def _prose(text: str) -> str:
    """Text for Markdown: what is not code must not be taken for HTML."""
    return "".join(part if part.startswith("`") else part.replace("<", "\\<") for part in _CODE.split(text))
