"""moto's records on disk: what was answered is there after a restart.

    state/format.json                          which moto wrote it
    state/moto/<service>/<account>/<region>    one backend
    state/s3-contents/<sha256>                 the bytes of S3 objects

A request that may have changed something is answered once its service has been saved. One thread saves; requests that come
meanwhile share the next save, so many writers cost no more than one. A save writes a service's whole index, whose size grows
with the number of objects: right for a developer's thousands, wrong for millions. Nothing happens while nothing changes.
"""

from __future__ import annotations

import hashlib
import json
import logging
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import moto
from moto.backends import get_backend

from sagemaker_local.persistence.files import write_whole
from sagemaker_local.persistence.kept_services import UnreadableState
from sagemaker_local.persistence.moto_pickling import dump_backend, load_backend

logger = logging.getLogger(__name__)

_ATTEMPTS = 100
_FORMAT = {"format": 1, "moto": moto.__version__}


class MotoRecords:
    """Saves and restores moto's backends.

    Arguments:
        directory: the state directory.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._contents = directory / "s3-contents"
        self._written: dict[Path, bytes] = {}
        self._changed = threading.Condition()
        self._due: set[str] = set()
        self._asked = 0
        self._saved = 0
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="moto-records", daemon=True)
        self._thread.start()

    def restore(self) -> None:
        """Put what was saved into moto.

        Raises:
            UnreadableState: when another version of moto wrote it, or it is damaged.
        """
        described = self._directory / "format.json"
        if described.exists():
            found = json.loads(described.read_text())
            if found != _FORMAT:
                raise UnreadableState(
                    f"{self._directory} was written by {found}, and this is {_FORMAT}: use that version, or delete the directory"
                )
        write_whole(described, json.dumps(_FORMAT).encode())
        for path in sorted((self._directory / "moto").glob("*/*/*")):
            if path.suffix == ".partial":
                path.unlink()
                continue
            service, account, region = path.relative_to(self._directory / "moto").parts
            try:
                backend = load_backend(path.read_bytes(), self._contents)
            except Exception as error:
                raise UnreadableState(f"{path} cannot be read: {type(error).__name__}: {error}") from error
            dict.__setitem__(_backends(service)[account], region, backend)
            if service == "s3":
                for bucket in backend.buckets:
                    _backends("s3").bucket_accounts[bucket] = (region, account)

    def settle(self, services: Iterable[str]) -> None:
        """Return when the present records of these services are saved."""
        with self._changed:
            self._due |= set(services)
            self._asked += 1
            mine = self._asked
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._saved >= mine or self._closed)

    def touch(self, services: Iterable[str]) -> None:
        """Have these services saved soon."""
        with self._changed:
            self._due |= set(services)
            self._asked += 1
            self._changed.notify_all()

    def close(self) -> None:
        """Save what is due, and nothing more afterwards."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._due or self._closed)
                due, self._due, asked = self._due, set(), self._asked
            for service in sorted(due):
                try:
                    self._save(service)
                except Exception:
                    logger.exception("the records of %s could not be saved", service)
            with self._changed:
                self._saved = asked
                self._changed.notify_all()
                if self._closed and not self._due:
                    return

    def _save(self, service: str) -> None:
        used: set[str] = set()
        kept: set[Path] = set()
        for account, regions in list(_backends(service).items()):
            for region, backend in list(regions.items()):
                path = self._directory / "moto" / service / account / region
                data, contents = _steadily_dumped(backend, self._contents)
                used |= contents
                kept.add(path)
                digest = hashlib.sha256(data).digest()
                if self._written.get(path) != digest:
                    write_whole(path, data)
                    self._written[path] = digest
        for path in (self._directory / "moto" / service).glob("*/*"):
            if path not in kept:
                path.unlink()
                self._written.pop(path, None)
        if service == "s3" and self._contents.exists():
            for content in self._contents.iterdir():
                if content.name not in used:
                    content.unlink()


def _steadily_dumped(backend: Any, contents: Path) -> tuple[bytes, set[str]]:
    """moto's threads go on while its records are read; a reading that was disturbed is repeated."""
    for _ in range(_ATTEMPTS):
        try:
            return dump_backend(backend, contents)
        except RuntimeError:
            time.sleep(0.01)
    return dump_backend(backend, contents)


def _backends(service: str) -> Any:
    return get_backend(service)  # type: ignore[call-overload]
