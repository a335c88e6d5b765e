"""The cache of control-plane programs: complete sets or nothing."""

from __future__ import annotations

import fcntl
import resource
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from local_cluster.binary_cache import PROGRAMS, BinaryCache, ControlPlaneBinaries, ProgramCache
from local_cluster.errors import LocalClusterError


def write_programs(directory: Path) -> None:
    for program in PROGRAMS:
        path = directory / program
        path.write_text("#!/bin/sh\n")
        path.chmod(0o755)


def contents(cache: BinaryCache) -> list[str]:
    return sorted(path.name for path in cache.root.iterdir() if path.name != ".lock")


@contextmanager
def files_no_larger_than(size: int) -> Iterator[None]:
    """Let writes past `size` bytes fail in the kernel, as they do on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.fixture
def cache(tmp_path: Path) -> BinaryCache:
    cache = BinaryCache(tmp_path / "control-plane")
    cache.root.mkdir()
    return cache


def test_an_installed_set_is_found_again(cache: BinaryCache) -> None:
    installed = cache.install("v1", write_programs)

    assert cache.lookup("v1") == installed
    assert installed.kube_apiserver == cache.root / "v1" / "kube-apiserver"


def test_a_set_that_lacks_a_program_is_not_found(cache: BinaryCache) -> None:
    installed = cache.install("v1", write_programs)
    installed.kubectl.unlink()

    assert cache.lookup("v1") is None


def test_a_program_that_is_not_executable_does_not_count(tmp_path: Path) -> None:
    write_programs(tmp_path)
    (tmp_path / "etcd").chmod(0o644)

    assert ControlPlaneBinaries.in_directory(tmp_path) is None


def test_an_incomplete_set_is_replaced_by_an_install(cache: BinaryCache) -> None:
    cache.install("v1", write_programs).etcd.unlink()

    cache.install("v1", write_programs)

    assert cache.lookup("v1") is not None


def test_a_failed_install_leaves_nothing_behind(cache: BinaryCache) -> None:
    def fail_half_way(directory: Path) -> None:
        (directory / "etcd").write_text("half")
        raise LocalClusterError("the compiler gave up")

    with pytest.raises(LocalClusterError, match="the compiler gave up"):
        cache.install("v1", fail_half_way)

    assert contents(cache) == []


def test_an_install_that_forgets_a_program_is_refused(cache: BinaryCache) -> None:
    with pytest.raises(LocalClusterError, match="not every one of etcd, kube-apiserver, kubectl"):
        cache.install("v1", lambda directory: (directory / "etcd").touch())

    assert contents(cache) == []


def test_a_write_that_fails_is_one_clear_line_and_leaves_nothing(cache: BinaryCache) -> None:
    def write_too_much(directory: Path) -> None:
        with (directory / "etcd").open("wb") as file:
            file.write(b"x" * 100_000)

    with files_no_larger_than(10_000), pytest.raises(LocalClusterError) as raised:
        cache.install("v1", write_too_much)

    assert "AVATAR_CACHE_DIR" in str(raised.value)
    assert str(cache.root) in str(raised.value)
    assert "\n" not in str(raised.value)
    assert contents(cache) == []


def test_leftovers_of_a_killed_install_are_removed_by_the_next(cache: BinaryCache) -> None:
    (cache.root / ".partial-killed").mkdir()
    (cache.root / ".partial-killed" / "etcd").touch()

    cache.install("v1", write_programs)

    assert contents(cache) == ["v1"]


def test_a_cache_directory_that_cannot_be_made_is_one_clear_line(tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.touch()
    cache = BinaryCache(in_the_way / "control-plane")

    with pytest.raises(LocalClusterError, match=r"cannot write .* AVATAR_CACHE_DIR"), cache.locked(print):
        pass


def test_a_second_process_waits_for_the_lock_and_says_so(cache: BinaryCache) -> None:
    said: list[str] = []
    waiting = threading.Event()
    entered = threading.Event()

    def report(line: str) -> None:
        said.append(line)
        waiting.set()

    def take_the_lock() -> None:
        with cache.locked(report):
            entered.set()

    # flock belongs to the open file, so one process can stand for two.
    with (cache.root / ".lock").open("w") as held_by_another:
        fcntl.flock(held_by_another, fcntl.LOCK_EX)
        other = threading.Thread(target=take_the_lock)
        other.start()
        assert waiting.wait(timeout=30)
        assert not entered.is_set()
    other.join(timeout=30)

    assert entered.is_set()
    assert said == [f"another process is filling {cache.root}; waiting for it"]


def test_the_environment_chooses_the_cache_directory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AVATAR_CACHE_DIR", str(tmp_path / "chosen"))
    assert BinaryCache.of_this_user().root == tmp_path / "chosen" / "control-plane"

    monkeypatch.delenv("AVATAR_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert BinaryCache.of_this_user().root == tmp_path / "xdg" / "avatar-operator" / "control-plane"


def test_another_family_lies_beside_the_control_plane_with_programs_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AVATAR_CACHE_DIR", str(tmp_path))
    cache = ProgramCache.of_family("tools", ("helm",))
    cache.root.mkdir()

    def write_helm(directory: Path) -> None:
        (directory / "helm").touch(mode=0o755)

    assert cache.find("v1") is None
    assert cache.fill("v1", write_helm) == cache.find("v1") == tmp_path / "tools" / "v1"
