"""Everything that survives a restart, in one directory; or nothing, when there is none.

What is kept and what is not is in docs/sagemaker-local.md. A directory belongs to one server at a time.
"""

from __future__ import annotations

import fcntl
from collections.abc import Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from sagemaker_local.persistence.endpoint_records import EndpointRecords
from sagemaker_local.persistence.files import make_private
from sagemaker_local.persistence.invocation_journal import InvocationJournal
from sagemaker_local.persistence.kept_services import UnreadableState, changed_services

if TYPE_CHECKING:
    from sagemaker_local.persistence.moto_records import MotoRecords


class SavedState:
    """The state directory.

    Arguments:
        directory: None to keep nothing.

    Raises:
        UnreadableState: when another server uses the directory.
    """

    def __init__(self, directory: Path | None) -> None:
        self._lock: IO[str] | None = None
        self._moto: MotoRecords | None = None
        if directory is not None:
            make_private(directory)
            self._lock = (directory / "lock").open("w")
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self._lock.close()
                raise UnreadableState(f"{directory} is in use by another sagemaker-local") from None
            from sagemaker_local.persistence.moto_records import MotoRecords

            self._moto = MotoRecords(directory)
        self.endpoints = EndpointRecords(directory / "endpoints" if directory else None)
        self.invocations = InvocationJournal(directory / "invocations" if directory else None)

    @property
    def kept(self) -> bool:
        return self._moto is not None

    def restore_moto(self) -> None:
        """Put what was saved into moto.

        Raises:
            UnreadableState: when it cannot be read.
        """
        if self._moto is not None:
            self._moto.restore()

    def settle(self, environ: Mapping[str, Any]) -> None:
        """Return when what a request has changed is saved."""
        if self._moto is not None:
            services = changed_services(environ)
            if services:
                self._moto.settle(services)

    def touch(self, service: str) -> None:
        """Have a service saved soon: it was changed by us, and nobody waits."""
        if self._moto is not None:
            self._moto.touch((service,))

    def close(self) -> None:
        """Save what is due. Afterwards nothing changes any more: the end of a server is not the end of its endpoints."""
        self.endpoints.close()
        self.invocations.close()
        if self._moto is not None:
            self._moto.close()
        if self._lock is not None:
            self._lock.close()
