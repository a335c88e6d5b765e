"""The digest's definition, checked against coreutils; and what a base model's directory may not hold."""

import subprocess
from pathlib import Path

import pytest

from avatar_workers.base_model.directory_digest import BaseModelRefused, directory_digest
from avatar_workers.main import main


def test_the_digest_is_what_sha256sum_says(base_directory: Path) -> None:
    script = "find . -type f -printf '%P\\n' | LC_ALL=C sort | xargs sha256sum | sha256sum"
    said = subprocess.run(
        ["sh", "-c", script], cwd=base_directory, capture_output=True, text=True, check=True
    ).stdout
    assert directory_digest(base_directory) == said.split()[0]


def test_a_renamed_file_changes_the_digest(tmp_path: Path) -> None:
    (tmp_path / "model_index.json").write_text("{}")
    (tmp_path / "a.txt").write_text("x")
    before = directory_digest(tmp_path)
    (tmp_path / "a.txt").rename(tmp_path / "b.txt")
    assert directory_digest(tmp_path) != before


@pytest.mark.parametrize(
    "name", ["unet/weights.bin", "weights.pt", "weights.ckpt", "x.pkl", "code.py", ".git/config.json"]
)
def test_files_that_are_no_part_of_a_base_are_refused_by_name(tmp_path: Path, name: str) -> None:
    (tmp_path / "model_index.json").write_text("{}")
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("x")
    with pytest.raises(BaseModelRefused, match=Path(name).name.replace(".", r"\.")):
        directory_digest(tmp_path)


def test_a_symbolic_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model_index.json").write_text("{}")
    (tmp_path / "a.json").symlink_to("/etc/hostname")
    with pytest.raises(BaseModelRefused, match="symbolic link"):
        directory_digest(tmp_path)


def test_the_command_prints_the_digest(base_directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["digest", str(base_directory)]) == 0
    assert capsys.readouterr().out.strip() == directory_digest(base_directory)


def test_the_command_says_in_one_line_what_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["digest", str(tmp_path)]) == 1
    assert capsys.readouterr().err.count("\n") == 1
