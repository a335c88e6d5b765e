"""Whatever the API server would take of a kind, by the kind's own structural schema: any field with any value.

Values are chosen among dangerous ones first, as far as the schema takes them. What is made is what the schema of the
CustomResourceDefinition admits, which is more than the operator can read: a status has no rules in CEL, and a time may be
any that RFC 3339 can spell. Rules over two versions of an object are not judged here, so a tenant may do more than it could.
"""

import copy
import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from hypothesis import strategies as st

from avatar_api.avatar_request import MAX_PICTURES
from avatar_api.crd import DEFINITIONS
from avatar_api.group import Kind

Schema = dict[str, Any]
Path = tuple[str, ...]
_DECIMAL_BOUND = re.compile(r"double\(self\) (?P<relation><=|>) (?P<bound>[0-9.]+)")
_ONE_OF = re.compile(r"has\(self\.(\w+)\) \? 1 : 0")
_PICTURES = f"self.prompts.map(p, p.numImages).sum() <= {MAX_PICTURES}"
_MATCHES = re.compile(r"^self\.matches\(r'(?P<pattern>.*)'\)$", re.DOTALL)
_TIMES = (
    "2026-01-01T12:00:00Z",
    "2026-01-01T12:00:20Z",
    "1990-01-01T00:00:00Z",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
)
EDGES = (0, 1, 2, 7, 2**31, 2**63 - 1, -1, -(2**63))
LONG_ENOUGH = 63
"""Characters: names, uids and everything longer."""
EACH = "[]"
"""The part of a path that stands for the first item of a list."""


@cache
def schema_of(kind: Kind, part: str) -> Schema:
    """The schema of `spec` or `status`."""
    definition = next(definition for definition in DEFINITIONS if definition.kind == kind)
    schema: Schema = definition.to_wire()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"][
        part
    ]
    return schema


def fields(schema: Schema, path: Path = ()) -> list[Path]:
    """The path of every field, however deep."""
    found = [path] if path else []
    for name, child in schema.get("properties", {}).items():
        found += fields(child, (*path, name))
    if "items" in schema:
        found += fields(schema["items"], (*path, EACH))
    return found


def places(schema: Schema, document: Any) -> list[Path]:
    """The paths of those fields of a document that name a place, an attempt or an object."""
    long = (path for path in fields(schema) if at(schema, path).get("maxLength", 0) >= LONG_ENOUGH)
    return [path for path in long if _stands_there(document, path)]


def _stands_there(document: Any, path: Path) -> bool:
    for part in path:
        if not document or (part != EACH and part not in document):
            return False
        document = document[0] if part == EACH else document[part]
    return True


def values(schema: Schema, words: Sequence[str]) -> st.SearchStrategy[Any]:
    """Values that a schema admits.

    Args:
        schema: of the value.
        words: strings that are worth trying.
    """
    match schema["type"]:
        case "object":
            return _objects(schema, words)
        case "array":
            most = min(schema.get("maxItems", 3), 3)
            return st.lists(
                values(schema["items"], words), min_size=min(schema.get("minItems", 0), most), max_size=most
            ).filter(lambda value: admits(schema, value))
        case "boolean":
            return st.booleans()
        case "integer":
            return _integers(schema)
        case _:
            return _strings(schema, words)


def admits(schema: Schema, value: Any) -> bool:
    """Whether the API server takes a value."""
    match schema["type"]:
        case "object":
            known = schema.get("properties", {})
            return (
                isinstance(value, dict)
                and all(name in value for name in schema.get("required", ()))
                and all(admits(known[name], child) for name, child in value.items() if name in known)
                and all(_holds(rule, value) for rule in _rules(schema))
            )
        case "array":
            return _admits_list(schema, value)
        case "boolean":
            return isinstance(value, bool)
        case "integer":
            is_integer = isinstance(value, int) and not isinstance(value, bool)
            least, most = schema.get("minimum", -(2**63)), schema.get("maximum", 2**63 - 1)
            return is_integer and least <= value <= most and value % schema.get("multipleOf", 1) == 0
        case _:
            return isinstance(value, str) and _admits_string(schema, value)


def _admits_list(schema: Schema, value: Any) -> bool:
    if not isinstance(value, list) or not schema.get("minItems", 0) <= len(value) <= schema.get(
        "maxItems", 10**6
    ):
        return False
    keys = schema.get("x-kubernetes-list-map-keys")
    named = [tuple(item.get(key) for key in keys) for item in value if isinstance(item, dict)] if keys else []
    return len(named) == len(set(named)) and all(admits(schema["items"], item) for item in value)


def _admits_string(schema: Schema, value: str) -> bool:
    return (
        schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", 10**6)
        and value in schema.get("enum", (value,))
        and all(re.search(pattern, value) for pattern in _patterns(schema))
        and all(
            _is_within(bound, value) for rule in _rules(schema) for bound in _DECIMAL_BOUND.finditer(rule)
        )
    )


def _patterns(schema: Schema) -> list[str]:
    ruled = [match["pattern"] for rule in _rules(schema) if (match := _MATCHES.match(rule))]
    return [schema["pattern"], *ruled] if "pattern" in schema else ruled


def _rules(schema: Schema) -> list[str]:
    return [rule["rule"] for rule in schema.get("x-kubernetes-validations", ())]


def _is_within(bound: re.Match[str], value: str) -> bool:
    most = float(bound["bound"])
    return float(value) <= most if bound["relation"] == "<=" else float(value) > most


def _holds(rule: str, value: Mapping[str, Any]) -> bool:
    """Whether a rule over an object holds, as far as it is about one version of it."""
    alternatives = _ONE_OF.findall(rule)
    if alternatives:
        return sum(name in value for name in alternatives) == 1
    return rule != _PICTURES or sum(each.get("numImages", 1) for each in value["prompts"]) <= MAX_PICTURES


def with_field(schema: Schema, whole: Any, path: Path, value: Any, filler: Any) -> Any:
    """A copy of a document in which one field has another value; what has to stand above it and is missing is `filler`'s.

    Args:
        schema: of the document.
        whole: the document.
        path: of the field.
        value: its new value.
        filler: gives a value for a schema.
    """
    if not path:
        return value
    first, *rest = path
    if first == EACH:
        items = list(whole) or [filler(schema["items"])]
        return [with_field(schema["items"], items[0], tuple(rest), value, filler), *items[1:]]
    child = schema["properties"][first]
    known = copy.deepcopy(dict(whole))
    below = known[first] if first in known else filler(child) if rest else None
    return {**known, first: with_field(child, below, tuple(rest), value, filler)}


def changed(data: st.DataObject, schema: Schema, document: Any, words: Sequence[str], *, times: int) -> Any:
    """A document with some fields changed to anything, or as it is where the schema does not take that.

    Args:
        data: chooses.
        schema: of the document.
        document: what is there.
        words: strings that are worth trying.
        times: how many fields.
    """

    def any_value(of: Schema) -> Any:
        return data.draw(values(of, words))

    for _ in range(times):
        paths = fields(schema)
        among = data.draw(st.sampled_from([places(schema, document) or paths, paths]))
        path = data.draw(st.sampled_from(among))
        candidate = with_field(schema, document, path, any_value(at(schema, path)), any_value)
        document = candidate if admits(schema, candidate) else document
    return document


def at(schema: Schema, path: Path) -> Schema:
    """The schema of a field."""
    for part in path:
        schema = schema["items"] if part == EACH else schema["properties"][part]
    return schema


def _objects(schema: Schema, words: Sequence[str]) -> st.SearchStrategy[dict[str, Any]]:
    required = set(schema.get("required", ()))
    children = {name: values(child, words) for name, child in schema.get("properties", {}).items()}
    return st.fixed_dictionaries(
        {name: child for name, child in children.items() if name in required},
        optional={name: child for name, child in children.items() if name not in required},
    )


def _integers(schema: Schema) -> st.SearchStrategy[int]:
    least, most = schema.get("minimum", -(2**63)), schema.get("maximum", 2**63 - 1)
    return st.sampled_from(sorted({n for n in (*EDGES, least, most) if admits(schema, n)}))


def _strings(schema: Schema, words: Sequence[str]) -> st.SearchStrategy[str]:
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if schema.get("format") == "date-time":
        return st.sampled_from(_TIMES)
    chosen = [word for word in words if _admits_string(schema, word)]
    # What no word is like is made after its pattern.
    return st.sampled_from(chosen) if chosen else st.from_regex(_patterns(schema)[0], fullmatch=True)
