"""What the operator's program says of itself."""

from __future__ import annotations

from importlib.metadata import version

import pytest

from avatar_operator import main
from avatar_operator.settings import OperatorSettings


def _answer(*arguments: str, capsys: pytest.CaptureFixture[str]) -> tuple[object, str, str]:
    with pytest.raises(SystemExit) as ended:
        main.main(arguments)
    said = capsys.readouterr()
    return ended.value.code, said.out, said.err


@pytest.fixture(autouse=True)
def nothing_is_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """An operator that would start says so instead."""

    def refuse() -> None:
        raise AssertionError("it reads its settings, to start")

    monkeypatch.setattr(main, "OperatorSettings", refuse)


def test_help_names_every_variable_and_starts_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = _answer("--help", capsys=capsys)
    assert code == 0
    assert [
        name for name in OperatorSettings.model_fields if f"AVATAR_OPERATOR_{name.upper()}\n" not in out
    ] == []


def test_it_tells_its_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert _answer("--version", capsys=capsys)[:2] == (0, f"avatar-operator {version('avatar-operator')}\n")


def test_an_option_that_it_does_not_know_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = _answer("--namespace=tenants", capsys=capsys)
    assert code == 2
    assert "--namespace=tenants" in err
