"""JSON Merge Patch (RFC 7396): what makes one document of another. Pure."""

from collections.abc import Mapping
from typing import Any


def merge_patch(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """The patch that makes `after` of `before`; neither holds a null."""
    patch: dict[str, Any] = dict.fromkeys(before.keys() - after.keys())
    for key, value in after.items():
        known = before.get(key)
        if isinstance(known, Mapping) and isinstance(value, Mapping):
            changes = merge_patch(known, value)
            if changes:
                patch[key] = changes
        elif known != value or key not in before:
            patch[key] = value
    return patch
