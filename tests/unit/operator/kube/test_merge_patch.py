"""A patch says what changes, and what goes."""

from typing import Any

import pytest

from avatar_operator.kube.merge_patch import merge_patch


@pytest.mark.parametrize(
    ("before", "after", "patch"),
    [
        ({}, {"state": "Ready"}, {"state": "Ready"}),
        ({"state": "Ready"}, {"state": "Ready"}, {}),
        ({"state": "Ready", "artifact": {"uri": "x"}}, {"state": "Ready"}, {"artifact": None}),
        (
            {"artifact": {"uri": "x", "sha": "y"}},
            {"artifact": {"uri": "z"}},
            {"artifact": {"uri": "z", "sha": None}},
        ),
        ({"images": [1, 2]}, {"images": [2]}, {"images": [2]}),
        ({"training": "forged"}, {"training": {"attempt": 1}}, {"training": {"attempt": 1}}),
        ({}, {"training": {}}, {"training": {}}),
    ],
)
def test_what_is_new_is_set_and_what_is_missing_is_taken_away(
    before: dict[str, Any], after: dict[str, Any], patch: dict[str, Any]
) -> None:
    assert merge_patch(before, after) == patch
