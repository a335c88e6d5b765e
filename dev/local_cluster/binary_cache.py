"""Where the control plane's programs are kept between runs, and how they get there whole or not at all.

Programs are made in a folder of their own beside their final place and moved by one rename, so a reader sees a
complete set or none. A lock lets one process fill the cache while others wait for its result; folders left by a
process that was killed are removed by the next one that holds the lock.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from local_cluster.errors import LocalClusterError

__all__ = ["PROGRAMS", "BinaryCache", "ControlPlaneBinaries", "Report"]

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
        if all(path.is_file() and os.access(path, os.X_OK) for path in (etcd, kube_apiserver, kubectl)):
            return cls(etcd=etcd, kube_apiserver=kube_apiserver, kubectl=kubectl)
        return None


@dataclass(frozen=True)
class BinaryCache:
    """The cache directory; each set of programs has a folder in it, named after its versions and platform."""

    root: Path

    @classmethod
    def of_this_user(cls) -> BinaryCache:
        """`$AVATAR_CACHE_DIR/control-plane`, by default in the XDG cache directory.

        Source: https://specifications.freedesktop.org/basedir-spec/latest/
        """
        chosen = os.environ.get("AVATAR_CACHE_DIR")
        if chosen:
            base = Path(chosen).expanduser().absolute()
        else:
            base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "avatar-operator"
        return cls(base / "control-plane")

    def lookup(self, name: str) -> ControlPlaneBinaries | None:
        """The set called `name`, or None if the cache does not have it."""
        return ControlPlaneBinaries.in_directory(self.root / name)

    @contextmanager
    def locked(self, report: Report) -> Iterator[None]:
        """Hold the cache's lock; whoever waits for it is told so.

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

    def install(self, name: str, make: Callable[[Path], None]) -> ControlPlaneBinaries:
        """Let `make` write the programs into an empty folder, then put that folder in its place.

        Args:
            name: the set's folder name.
            make: writes every one of `PROGRAMS`, executable, into the folder it is given.

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
                if ControlPlaneBinaries.in_directory(partial) is None:
                    raise LocalClusterError(f"{name}: not every one of {', '.join(PROGRAMS)} was made")
                partial.chmod(0o755)
                final = self.root / name
                shutil.rmtree(final, ignore_errors=True)
                partial.rename(final)
            finally:
                shutil.rmtree(partial, ignore_errors=True)
        installed = self.lookup(name)
        if installed is None:
            raise LocalClusterError(f"{self.root / name} vanished while it was installed")
        return installed

    @contextmanager
    def _clear_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise LocalClusterError(
                f"cannot write the control plane's programs to {self.root}: {error.strerror or error}; "
                "free about 1 GiB there, or point AVATAR_CACHE_DIR at another directory"
            ) from error
