"""Programs out of Debian's archive for tests, without installing anything: no root, no service that starts.

Prometheus and its promtool cannot be had as Go modules in less than eight minutes, and Debian has them. apt fetches the package and
checks its signature, with lists of its own in our cache; dpkg-deb unpacks it beside them. Nothing of the machine's own package
management is touched. A program that is on PATH is taken from there.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from local_cluster.binary_cache import ProgramCache
from local_cluster.errors import LocalClusterError

__all__ = ["ProgramMissing", "debian_program"]

_FETCH_SECONDS = 300


class ProgramMissing(Exception):
    """A program is neither on PATH nor to be had from Debian; the message says how to get it."""


def debian_program(program: str, package: str) -> Path:
    """The path of a program.

    Args:
        program: its name.
        package: the Debian package that has it in `usr/bin`.

    Raises:
        ProgramMissing: it is nowhere to be found.
    """
    if (found := shutil.which(program)) is not None:
        return Path(found)
    cache = ProgramCache.of_family("debian", (f"usr/bin/{program}",))
    try:
        directory = cache.have(package, lambda empty: _unpack(package, empty), lambda _line: None)
    except LocalClusterError as error:
        raise ProgramMissing(
            f"{program} is not on PATH, and not to be had from Debian ({error}); install it"
        ) from error
    return directory / "usr" / "bin" / program


def _unpack(package: str, target: Path) -> None:
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        raise LocalClusterError("this is no Debian that it could be fetched from")
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".partial-") as scratch:
        work = Path(scratch)
        for directory in ("lists/partial", "archives/partial", "download"):
            (work / directory).mkdir(parents=True)
        own = [f"-oDir::State::lists={work / 'lists'}", f"-oDir::Cache={work}", "-oAPT::Sandbox::User="]
        _run(package, ["apt-get", "-qq", *own, "update"], work)
        _run(package, ["apt-get", "-qq", *own, "download", package], work / "download")
        (archive,) = (work / "download").glob("*.deb")
        _run(package, ["dpkg-deb", "--extract", str(archive), str(target)], work)


def _run(package: str, command: list[str], directory: Path) -> None:
    try:
        subprocess.run(
            command, cwd=directory, check=True, capture_output=True, text=True, timeout=_FETCH_SECONDS
        )
    except subprocess.CalledProcessError as error:
        said = (error.stderr or error.stdout).strip().splitlines() or ["it says nothing"]
        raise ProgramMissing(
            f"{command[0]} could not get {package}: {said[-1]}; install it on PATH"
        ) from error
    except subprocess.TimeoutExpired as error:
        raise LocalClusterError(f"{command[0]} did not get {package} in {_FETCH_SECONDS} s") from error
