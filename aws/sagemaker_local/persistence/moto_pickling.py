"""One of moto's backends as bytes, and back.

moto's records are plain Python objects, so pickle keeps them whole, random ids and all; moto's own recorder would replay
requests and make new ids. Two things need care: locks, which are made anew, and the contents of S3 objects, which go to a file
each, named by their digest and written once, so that a change of one object does not rewrite all others.

Unpickling runs code: a data directory must be as trusted as the program itself.
"""

from __future__ import annotations

import copy
import hashlib
import io
import pickle
import threading
from pathlib import Path
from typing import Any

from moto.s3.models import FakeKey
from moto.s3.utils import _VersionedKeyStore

from sagemaker_local.persistence.files import write_whole

_LOCKS: dict[type, Any] = {
    type(threading.Lock()): threading.Lock,
    type(threading.RLock()): threading.RLock,
    threading.Condition: threading.Condition,
}
_DIGEST = "_sagemaker_local_digest"


class _Content:
    """The bytes of an S3 object, kept apart."""

    def __init__(self, digest: str) -> None:
        self.digest = digest


class _BackendPickler(pickle.Pickler):
    def __init__(self, file: io.BytesIO, contents: Path, used: set[str]) -> None:
        super().__init__(file, protocol=pickle.HIGHEST_PROTOCOL)
        self._contents = contents
        self._used = used

    def persistent_id(self, obj: Any) -> Any:
        return obj.digest if isinstance(obj, _Content) else None

    def reducer_override(self, obj: Any) -> Any:
        if type(obj) in _LOCKS:
            return _LOCKS[type(obj)], ()
        if isinstance(obj, FakeKey):
            state = {
                name: value
                for name, value in obj.__dict__.items()
                if name not in ("_value_buffer", "lock", _DIGEST)
            }
            state["value"] = _Content(self._keep(obj))
            return _blank, (type(obj),), state, None, None, _fill_key
        if isinstance(obj, _VersionedKeyStore):
            # Its own iteration shows only the latest version of each key.
            return _blank, (type(obj),), (dict(dict.items(obj)), vars(obj)), None, None, _fill_key_store
        return NotImplemented

    def _keep(self, key: FakeKey) -> str:
        """Write the object's bytes unless they are there, and return their digest."""
        written = (id(key._value_buffer), key.contentsize, key._etag)
        known: Any
        digest: str
        known, digest = key.__dict__.get(_DIGEST, (None, ""))
        if known != written:
            try:
                value = key.value
            except ValueError:  # the object was deleted, and its buffer closed
                value = b""
            digest = hashlib.sha256(value).hexdigest()
            if not (self._contents / digest).exists():
                write_whole(self._contents / digest, value)
            key.__dict__[_DIGEST] = (written, digest)
        self._used.add(digest)
        return digest


class _BackendUnpickler(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, contents: Path) -> None:
        super().__init__(file)
        self._contents = contents

    def persistent_load(self, pid: Any) -> bytes:
        content: bytes = (self._contents / pid).read_bytes()
        return content


def dump_backend(backend: Any, contents: Path) -> tuple[bytes, set[str]]:
    """A backend as bytes, and the digests of the contents it refers to.

    Arguments:
        contents: the directory of S3 contents.

    Raises:
        RuntimeError: when the backend was changed meanwhile; try again.
    """
    if hasattr(backend, "metric_data"):
        # Samples come by the second and are of no use to anybody after a restart; alarms are kept.
        backend = copy.copy(backend)
        backend.metric_data = []
    file, used = io.BytesIO(), set[str]()
    _BackendPickler(file, contents, used).dump(backend)
    return file.getvalue(), used


def load_backend(data: bytes, contents: Path) -> Any:
    """The backend that `dump_backend` wrote."""
    return _BackendUnpickler(io.BytesIO(data), contents).load()


def _blank(cls: Any) -> Any:
    return cls.__new__(cls)


def _fill_key(key: FakeKey, state: dict[str, Any]) -> None:
    key.__setstate__(state)


def _fill_key_store(store: _VersionedKeyStore, state: tuple[dict[str, Any], dict[str, Any]]) -> None:
    dict.update(store, state[0])
    vars(store).update(state[1])
