"""Settings as they are typed: a list of namespaces, and what is no such list."""

from __future__ import annotations

import pytest

from avatar_operator import main
from avatar_operator.settings import OperatorSettings

VARIABLE = "AVATAR_OPERATOR_WATCH_NAMESPACES"


@pytest.mark.parametrize(
    ("typed", "namespaces"),
    [
        ("", ()),
        (" ", ()),
        ("team-a", ("team-a",)),
        ("team-b, team-a,team-b", ("team-b", "team-a")),
        ("a" * 63, ("a" * 63,)),
    ],
)
def test_namespaces_are_named_with_commas_in_between_and_none_means_all(
    typed: str, namespaces: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, typed)
    assert OperatorSettings().watch_namespaces == namespaces


@pytest.mark.parametrize("typed", ["Team", "*", "team-a,", "a b", '["team-a"]', "-a", "a" * 64])
def test_what_is_no_name_of_a_namespace_ends_the_operator_with_a_line_that_says_so(
    typed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, typed)
    with pytest.raises(SystemExit, match=rf"^avatar-operator: {VARIABLE}: .* is no name of a namespace"):
        main.main([])
