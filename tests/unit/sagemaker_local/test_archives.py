"""Unpacking archives that nobody vouches for."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from sagemaker_local.instances.archives import BadArchive, unpack


def archive(path: Path, *members: tuple[tarfile.TarInfo, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for info, data in members:
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


def test_files_are_unpacked_and_their_size_is_told(tmp_path: Path) -> None:
    packed = archive(tmp_path / "a", (tarfile.TarInfo("d/one"), b"123"), (tarfile.TarInfo("two"), b"45"))
    assert unpack(packed, tmp_path / "out") == 5
    assert (tmp_path / "out/d/one").read_bytes() == b"123"


def test_a_python_without_filters_unpacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Debian 12's 3.11.2, which the quick images have."""

    def extract(_self: tarfile.TarFile, _member: tarfile.TarInfo, path: str = "") -> None:
        raise AssertionError(path)

    monkeypatch.setattr(tarfile.TarFile, "extract", extract)
    packed = archive(tmp_path / "a", (tarfile.TarInfo("one"), b"123"))
    assert unpack(packed, tmp_path / "out") == 3


def test_links_and_folders_and_modes_are_kept(tmp_path: Path) -> None:
    folder, program = tarfile.TarInfo("d"), tarfile.TarInfo("d/program")
    folder.type, program.mode = tarfile.DIRTYPE, 0o777
    symbolic, hard = tarfile.TarInfo("symbolic"), tarfile.TarInfo("hard")
    symbolic.type, symbolic.linkname = tarfile.SYMTYPE, "d/program"
    hard.type, hard.linkname = tarfile.LNKTYPE, "d/program"
    members = ((folder, b""), (program, b"run"), (symbolic, b""), (hard, b""))

    unpack(archive(tmp_path / "a", *members), tmp_path / "out")

    assert (tmp_path / "out/d/program").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "out/symbolic").readlink() == Path("d/program")
    assert (tmp_path / "out/hard").read_bytes() == b"run"


def test_nothing_is_written_through_a_link_that_leads_outside_by_way_of_a_later_one(tmp_path: Path) -> None:
    first, second, evil = tarfile.TarInfo("first"), tarfile.TarInfo("second"), tarfile.TarInfo("first/evil")
    first.type, first.linkname = tarfile.SYMTYPE, "second/.."
    second.type, second.linkname = tarfile.SYMTYPE, "."
    packed = archive(tmp_path / "a", (first, b""), (second, b""), (evil, b"x"))
    with pytest.raises(BadArchive):
        unpack(packed, tmp_path / "in" / "out")
    assert not list(tmp_path.rglob("evil"))


def test_a_later_file_of_a_links_name_replaces_the_link(tmp_path: Path) -> None:
    kept, link, file = tarfile.TarInfo("kept"), tarfile.TarInfo("name"), tarfile.TarInfo("name")
    link.type, link.linkname = tarfile.SYMTYPE, "kept"
    unpack(archive(tmp_path / "a", (kept, b"kept"), (link, b""), (file, b"new")), tmp_path / "out")
    assert ((tmp_path / "out/kept").read_bytes(), (tmp_path / "out/name").read_bytes()) == (b"kept", b"new")


@pytest.mark.parametrize("name", ["../outside", "/absolute/../../outside", "d/../../outside"])
def test_a_path_outside_is_refused(tmp_path: Path, name: str) -> None:
    packed = archive(tmp_path / "a", (tarfile.TarInfo(name), b"x"))
    with pytest.raises(BadArchive):
        unpack(packed, tmp_path / "in" / "out")
    assert not list(tmp_path.rglob("outside"))


def test_a_link_to_outside_is_refused(tmp_path: Path) -> None:
    link = tarfile.TarInfo("link")
    link.type, link.linkname = tarfile.SYMTYPE, "../../secret"
    with pytest.raises(BadArchive):
        unpack(archive(tmp_path / "a", (link, b"")), tmp_path / "out")


def test_a_device_is_refused(tmp_path: Path) -> None:
    device = tarfile.TarInfo("device")
    device.type = tarfile.CHRTYPE
    with pytest.raises(BadArchive):
        unpack(archive(tmp_path / "a", (device, b"")), tmp_path / "out")


def test_more_bytes_than_allowed_are_refused(tmp_path: Path) -> None:
    packed = archive(tmp_path / "a", (tarfile.TarInfo("big"), b"0" * 1000))
    with pytest.raises(BadArchive, match="more than 999 bytes"):
        unpack(packed, tmp_path / "out", max_bytes=999)


def test_more_members_than_allowed_are_refused(tmp_path: Path) -> None:
    packed = archive(tmp_path / "a", *((tarfile.TarInfo(str(number)), b"") for number in range(3)))
    with pytest.raises(BadArchive, match="more than 2 members"):
        unpack(packed, tmp_path / "out", max_members=2)


def test_a_truncated_archive_is_refused(tmp_path: Path) -> None:
    packed = archive(tmp_path / "a", (tarfile.TarInfo("one"), bytes(range(256)) * 500))
    packed.write_bytes(packed.read_bytes()[:-60])
    with pytest.raises(BadArchive):
        unpack(packed, tmp_path / "out")


def test_what_is_no_archive_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"PK, no tar")
    with pytest.raises(BadArchive):
        unpack(tmp_path / "a", tmp_path / "out")
