"""docs/settings.md: every setting of the operator with its default, its values and its description."""

from __future__ import annotations

from collections.abc import Iterator

from avatar_api.field_facts import facts
from avatar_operator.settings import OperatorSettings

_BEGINNING = """<!-- Generated from the code by `make generate`. Do not edit. -->

# Settings of the operator

Environment variables. Everything about avatars stands in [AvatarRuntime](runtimes.md) instead. Threads and connections follow
the numbers of workers. boto3's own variables hold, too (`AWS_ENDPOINT_URL`, `AWS_PROFILE` and so on). A bad value ends the
operator with one line that names the variable.
"""


def settings_page() -> str:
    """The page."""
    return "\n".join([_BEGINNING, *_rows(), ""])


def _rows() -> Iterator[str]:
    schema = OperatorSettings.model_json_schema()
    prefix = OperatorSettings.model_config["env_prefix"].upper()
    yield "| variable | default | values | what it is |"
    yield "|---|---|---|---|"
    for name, field in schema["properties"].items():
        known = facts(field)
        default = f"`{known['Default']}`" if "Default" in known else ""
        values = ", ".join(f"`{word}`" for word in field.get("enum", ())) or known.get("Range", "")
        yield f"| `{prefix}{name.upper()}` | {default} | {values} | {field['description']} |"
