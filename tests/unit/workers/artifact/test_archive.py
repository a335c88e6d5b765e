"""Archives from ourselves are unpacked to the byte; archives from anybody else cannot do harm."""

import gzip
import io
import random
import tarfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avatar_api.documents.artifact import MANIFEST_NAME, WEIGHTS_NAME
from avatar_workers.artifact import archive as archive_module
from avatar_workers.artifact.archive import pack_archive, unpack_archive
from avatar_workers.errors import WorkerFailure

GOOD = {MANIFEST_NAME: b"{}", WEIGHTS_NAME: b"weights"}


@pytest.fixture
def target(tmp_path: Path) -> Path:
    directory = tmp_path / "target"
    directory.mkdir()
    return directory


def tar_of(members: list[tuple[tarfile.TarInfo, bytes]], path: Path) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for member, content in members:
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def test_what_was_packed_is_unpacked(tmp_path: Path, target: Path) -> None:
    pack_archive(tmp_path / "a.tar.gz", GOOD)
    unpack_archive(tmp_path / "a.tar.gz", target)
    assert {path.name: path.read_bytes() for path in target.iterdir()} == GOOD


def test_the_same_members_give_the_same_bytes(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(GOOD[WEIGHTS_NAME])
    pack_archive(tmp_path / "a", GOOD)
    pack_archive(tmp_path / "b", {MANIFEST_NAME: GOOD[MANIFEST_NAME], WEIGHTS_NAME: file})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize(
    "name", ["../evil", "/tmp/evil", "weights.bin", "sub/manifest.json", "./manifest.json", "manifest.json/"]
)
def test_any_other_member_is_refused(tmp_path: Path, target: Path, name: str) -> None:
    tar_of([(tarfile.TarInfo(name), b"x")], tmp_path / "a")
    with pytest.raises(WorkerFailure, match="the archive holds") as caught:
        unpack_archive(tmp_path / "a", target)
    assert caught.value.code == "ArtifactInvalid"
    assert list(target.iterdir()) == []


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE])
def test_a_member_that_is_no_file_is_refused(tmp_path: Path, target: Path, kind: bytes) -> None:
    member = tarfile.TarInfo(WEIGHTS_NAME)
    member.type = kind
    member.linkname = "/etc/passwd"
    tar_of([(member, b"")], tmp_path / "a")
    with pytest.raises(WorkerFailure, match="not a regular file"):
        unpack_archive(tmp_path / "a", target)


def test_a_member_that_comes_twice_is_refused(tmp_path: Path, target: Path) -> None:
    tar_of([(tarfile.TarInfo(MANIFEST_NAME), b"{}")] * 2, tmp_path / "a")
    with pytest.raises(WorkerFailure, match="twice"):
        unpack_archive(tmp_path / "a", target)


def test_a_missing_member_is_named(tmp_path: Path, target: Path) -> None:
    tar_of([(tarfile.TarInfo(MANIFEST_NAME), b"{}")], tmp_path / "a")
    with pytest.raises(WorkerFailure, match=f"lacks {WEIGHTS_NAME}"):
        unpack_archive(tmp_path / "a", target)


def test_a_member_above_its_limit_is_refused_before_it_is_unpacked(
    tmp_path: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(archive_module.MAX_MEMBER_BYTES, WEIGHTS_NAME, 1000)
    pack_archive(tmp_path / "a", {**GOOD, WEIGHTS_NAME: bytes(1001)})
    with pytest.raises(WorkerFailure, match="1001 bytes, more than 1000"):
        unpack_archive(tmp_path / "a", target)
    assert not (target / WEIGHTS_NAME).exists()


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=300), st.booleans())
def test_garbage_is_refused(tmp_path_factory: pytest.TempPathFactory, garbage: bytes, zipped: bool) -> None:
    directory = tmp_path_factory.mktemp("garbage")
    (directory / "a").write_bytes(gzip.compress(garbage) if zipped else garbage)
    with pytest.raises(WorkerFailure) as caught:
        unpack_archive(directory / "a", directory)
    assert caught.value.code == "ArtifactInvalid"


@settings(max_examples=30, deadline=None)
@given(st.floats(0, 1))
def test_a_truncated_archive_is_refused_unless_its_members_are_whole(
    tmp_path_factory: pytest.TempPathFactory, share: float
) -> None:
    directory = tmp_path_factory.mktemp("truncated")
    members = {**GOOD, WEIGHTS_NAME: random.Random(0).randbytes(10_000)}
    pack_archive(directory / "whole", members)
    whole = (directory / "whole").read_bytes()
    (directory / "cut").write_bytes(whole[: int(len(whole) * share)])
    target = directory / "target"
    target.mkdir()
    try:
        unpack_archive(directory / "cut", target)
    except WorkerFailure as failure:
        assert failure.code == "ArtifactInvalid"
    else:
        assert {path.name: path.read_bytes() for path in target.iterdir()} == members
