"""`make audit`: what is known, what is not, and what is written. `uv` is a stand-in that says what uv 0.13.9 was seen to say."""

from __future__ import annotations

import json
from collections.abc import Callable
from email.message import Message
from pathlib import Path

import pytest

from dependency_audit.__main__ import main
from dependency_audit.advisories import AuditFailed, read_answer
from dependency_audit.bill_of_materials import SHIPPED, Package
from dependency_audit.licences import ELSEWHERE, UNKNOWN, licence_of, licences, to_be_read

NONE_KNOWN = "Found no known vulnerabilities and no adverse project statuses in 176 packages\n"
SOME_KNOWN = "Found 1 known vulnerability and no adverse project statuses in 176 packages\n"
HOLE = "\nVulnerabilities:\n\nrequests 2.34.2 has 1 known vulnerability:\n\n- GHSA-1: Bad thing\n"
NO_NETWORK = """error: Request failed after 1 retry
  cause: error sending request for url (https://osv.example/v1/querybatch)
  cause: client error (Connect)
  cause: failed to lookup address information: Name or service not known
"""
NO_LOCK = "error: Unable to find lockfile at `uv.lock`, but `--frozen` was provided.\n"
BILL = {"components": [{"name": "pytest", "version": "1.0"}, {"name": "only-on-windows", "version": "2.0"}]}
StandIn = Callable[[int, str, str], str]


@pytest.fixture
def uv(tmp_path: Path) -> StandIn:
    """Makes a program that writes the bills that it is asked for, and answers `audit` with a status and two texts."""

    def make(status: int, found: str, said: str) -> str:
        for name, text in (("found", found), ("said", said), ("bill", json.dumps(BILL))):
            (tmp_path / name).write_text(text)
        program = tmp_path / "uv"
        program.write_text(
            "#!/bin/sh\n"
            f'[ "$1" = audit ] && {{ cat {tmp_path}/found; cat {tmp_path}/said >&2; exit {status}; }}\n'
            f'for word; do case "$word" in --output-file=*) cp {tmp_path}/bill "${{word#*=}}";; esac; done\n'
        )
        program.chmod(0o755)
        return str(program)

    return make


def test_what_is_not_known_to_have_holes_passes_with_bills_and_licences(
    uv: StandIn, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "audit"
    assert main(["--uv", uv(0, "", NONE_KNOWN), "--out", str(out)]) == 0
    assert {file.name for file in out.iterdir()} == {
        "licences.tsv",
        *(f"{extra}.cdx.json" for extra in SHIPPED),
    }
    assert json.loads((out / "workers.cdx.json").read_text()) == BILL
    assert (out / "licences.tsv").read_text() == f"only-on-windows\t2.0\t{ELSEWHERE}\npytest\t1.0\tMIT\n"
    assert f"advisories: {NONE_KNOWN}" in capsys.readouterr().out


def test_a_hole_is_told_and_fails(uv: StandIn, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--uv", uv(1, HOLE, SOME_KNOWN), "--out", str(tmp_path / "audit")]) == 1
    said = capsys.readouterr().out
    assert "GHSA-1: Bad thing" in said
    assert said.endswith(f"advisories: {SOME_KNOWN}")


def test_a_data_base_that_cannot_be_reached_is_one_clear_line_and_no_failure(
    uv: StandIn, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--uv", uv(2, "", NO_NETWORK), "--out", str(tmp_path / "audit")]) == 0
    [line] = [line for line in capsys.readouterr().out.splitlines() if line.startswith("advisories")]
    assert line == (
        "advisories: NOT CHECKED, because no advisory data base can be reached from here "
        "(failed to lookup address information: Name or service not known)"
    )


def test_a_lock_that_cannot_be_read_fails(
    uv: StandIn, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--uv", uv(2, "", NO_LOCK), "--out", str(tmp_path / "audit")]) == 1
    assert capsys.readouterr().err.startswith("error: uv audit: error: Unable to find lockfile")


def test_a_program_that_is_not_there_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--uv", str(tmp_path / "none"), "--out", str(tmp_path / "audit")]) == 1
    assert "No such file" in capsys.readouterr().err


def test_an_end_without_a_word_is_not_taken_for_an_answer() -> None:
    with pytest.raises(AuditFailed, match="uv ended with status -9"):
        read_answer(-9, "", "")


@pytest.mark.parametrize(
    ("fields", "licence"),
    [
        ([("License-Expression", "MIT OR Apache-2.0"), ("License", "see LICENSE")], "MIT OR Apache-2.0"),
        ([("Classifier", "License :: OSI Approved :: MIT License"), ("License", "MIT")], "MIT License"),
        (
            [
                ("Classifier", "License :: OSI Approved :: BSD License"),
                ("Classifier", "License :: Public Domain"),
            ],
            "BSD License / Public Domain",
        ),
        (
            [("Classifier", "Topic :: Software"), ("License", "\nCopyright somebody\nall the rest")],
            "Copyright somebody",
        ),
        ([("License", "x" * 500)], "x" * 80),
        ([], UNKNOWN),
    ],
)
def test_a_licence_is_the_clearest_word_that_a_package_says(
    fields: list[tuple[str, str]], licence: str
) -> None:
    metadata = Message()
    for name, value in fields:
        metadata[name] = value
    assert licence_of(metadata) == licence


def test_a_package_of_another_system_is_listed_all_the_same() -> None:
    elsewhere = Package("only-on-windows", "1")
    assert licences([elsewhere]) == {elsewhere: ELSEWHERE}


def test_unusual_and_unknown_licences_are_to_be_read() -> None:
    found = {Package(name, "1"): name for name in ("MIT", "AGPL-3.0", "NVIDIA Proprietary Software", UNKNOWN)}
    assert to_be_read(found) == {"AGPL-3.0": 1, "NVIDIA Proprietary Software": 1, UNKNOWN: 1}
