"""Read the memory of another process, as a program may that Linux lets: `python -m security.foreign_memory PID ADDRESS`."""

from __future__ import annotations

import ctypes
import os
import sys

LENGTH = 64


class _Piece(ctypes.Structure):
    _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))


_libc = ctypes.CDLL(None, use_errno=True)


def memory_of(pid: int, address: int) -> str:
    """A text at an address of another process. Raises OSError if that is not allowed."""
    received = ctypes.create_string_buffer(LENGTH)
    here, there = _Piece(ctypes.addressof(received), LENGTH), _Piece(address, LENGTH)
    if _libc.process_vm_readv(pid, ctypes.byref(here), 1, ctypes.byref(there), 1, 0) < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return received.value.decode()


if __name__ == "__main__":
    try:
        print(memory_of(int(sys.argv[1]), int(sys.argv[2])))
    except OSError as error:
        print(type(error).__name__)
