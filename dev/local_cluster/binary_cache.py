"""Where programs are kept between runs, the control plane's and others, and how they get there whole or not at all.

Programs are made in a folder of their own beside their final place and moved by one rename, so a reader sees a
complete set or none. A lock lets one process fill the cache while others wait for its result; folders left by a
process that was killed are removed by the next one that holds the lock.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from local_cluster.errors import LocalClusterError
from user_cache import user_cache

__all__ = ["PROGRAMS", "BinaryCache", "ControlPlaneBinaries", "ProgramCache", "Report"]

PROGRAMS = ("etcd", "kube-apiserver", "kubectl")

Report = Callable[[str], None]
"""Takes one line of progress for a person."""


@dataclass(frozen=True)
class ControlPlaneBinaries:
    """Paths of the programs a local cluster runs."""

    etcd: Path
    kube_apiserver: Path
    kubectl: Path

    @classmethod
    def in_directory(cls, directory: Path) -> ControlPlaneBinaries | None:
        """The programs in `directory`, or None unless all of them are there and executable."""
        etcd, kube_apiserver, kubectl = (directory / program for program in PROGRAMS)
        if not _all_there(directory, PROGRAMS):
            return None
        return cls(etcd=etcd, kube_apiserver=kube_apiserver, kubectl=kubectl)


def _all_there(directory: Path, programs: Iterable[str]) -> bool:
    paths = [directory / program for program in programs]
    return all(path.is_file() and os.access(path, os.X_OK) for path in paths)


@dataclass(frozen=True)
class ProgramCache:
    """A family of programs; each set of them has a folder in it, named after its versions and platform.

    Attributes:
        root: the family's folder.
        programs: what a set has to hold to be complete.
    """

    root: Path
    programs: tuple[str, ...]

    @classmethod
    def of_family(cls, family: str, programs: tuple[str, ...]) -> ProgramCache:
        """This user's cache of a family."""
        return cls(user_cache(family), programs)

    def find(self, name: str) -> Path | None:
        """The folder of the set called `name`, or None unless all of its programs are there and executable."""
        directory = self.root / name
        return directory if _all_there(directory, self.programs) else None

    @contextmanager
    def locked(self, report: Report) -> Iterator[None]:
        """Hold the family's lock; whoever waits for it is told so.

        Raises:
            LocalClusterError: the cache directory cannot be written.
        """
        with self._clear_errors():
            self.root.mkdir(parents=True, exist_ok=True)
            lock = (self.root / ".lock").open("w")
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                report(f"another process is filling {self.root}; waiting for it")
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def have(self, name: str, make: Callable[[Path], None], report: Report) -> Path:
        """The folder of the set called `name`, filled first if it is not there; safe to run several times at once.

        Args:
            name: the set's folder name.
            make: as for `fill`.
            report: told if another process fills the cache.

        Raises:
            LocalClusterError: as `fill`.
        """
        found = self.find(name)
        if found is not None:
            return found
        with self.locked(report):
            return self.find(name) or self.fill(name, make)

    def fill(self, name: str, make: Callable[[Path], None]) -> Path:
        """Let `make` write the programs into an empty folder, then put that folder in its place.

        Args:
            name: the set's folder name.
            make: writes every program of the family, executable, into the folder it is given.

        Returns:
            The folder.

        Raises:
            LocalClusterError: the cache cannot be written (disk full, no permission), or `make` raised it.
                Nothing of a failed set stays behind.
        """
        with self._clear_errors():
            for leftover in self.root.glob(".partial-*"):
                shutil.rmtree(leftover, ignore_errors=True)
            partial = Path(tempfile.mkdtemp(prefix=".partial-", dir=self.root))
            try:
                make(partial)
                if not _all_there(partial, self.programs):
                    raise LocalClusterError(f"{name}: not every one of {', '.join(self.programs)} was made")
                partial.chmod(0o755)
                final = self.root / name
                shutil.rmtree(final, ignore_errors=True)
                partial.rename(final)
            finally:
                shutil.rmtree(partial, ignore_errors=True)
        return final

    @contextmanager
    def _clear_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise LocalClusterError(
                f"cannot write programs to {self.root}: {error.strerror or error}; "
                "free about 1 GiB there, or point AVATAR_CACHE_DIR at another directory"
            ) from error


class BinaryCache(ProgramCache):
    """The control plane's family.

    Args:
        root: its folder.
    """

    def __init__(self, root: Path) -> None:
        super().__init__(root, PROGRAMS)

    @classmethod
    def of_this_user(cls) -> BinaryCache:
        """`$AVATAR_CACHE_DIR/control-plane`, by default in the XDG cache directory."""
        return cls(user_cache("control-plane"))

    def lookup(self, name: str) -> ControlPlaneBinaries | None:
        """The set called `name`, or None if the cache does not have it."""
        return ControlPlaneBinaries.in_directory(self.root / name)

    def install(self, name: str, make: Callable[[Path], None]) -> ControlPlaneBinaries:
        """`fill`, and the programs by name.

        Raises:
            LocalClusterError: as `fill`, or what was installed has vanished since.
        """
        self.fill(name, make)
        installed = self.lookup(name)
        if installed is None:
            raise LocalClusterError(f"{self.root / name} vanished while it was installed")
        return installed
