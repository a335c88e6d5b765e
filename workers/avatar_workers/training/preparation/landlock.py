"""Shut this process in with Linux's Landlock, as far as the kernel knows it.

Limits on a process are about what it opens. Landlock adds what needs nothing to be opened: removing and renaming files, making
links, looking into other processes, sending them signals, running a program that lies somewhere. No rule is added that would
allow any of it, and nobody gets out again. It knows nothing of modes of files (chmod) and limits of processes (prlimit).

No library is taken for three calls: those on PyPI are not kept up. Kernels before 5.13, and containers that forbid the calls,
shut nobody in: then the other limits stand alone. Sources: landlock(7); the kernel's "Landlock: unprivileged access control".
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys
from typing import Final

_PR_SET_NO_NEW_PRIVS: Final = 38
_CREATE_RULESET: Final = 444
_RESTRICT_SELF: Final = 446
_VERSION: Final = 1
_FILE_RIGHTS: Final = {1: 13, 2: 14, 3: 15, 5: 16}
"""How many rights on files there are, from which version of Landlock on: each is a bit."""
_NETWORK_SINCE: Final = 4
_BIND_AND_CONNECT: Final = 0b11
_SCOPES_SINCE: Final = 6
_SOCKETS_AND_SIGNALS: Final = 0b11


def landlock_version() -> int:
    """Which version the kernel has; 0 if none, or if it is not to be had."""
    if sys.platform != "linux":
        return 0
    version: int = ctypes.CDLL(None).syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), _VERSION)
    return max(version, 0)


def shut_in() -> None:
    """Shut this process in for ever. Needs a free file descriptor. What is open stays open."""
    if sys.platform != "linux":
        return
    libc, version = ctypes.CDLL(None), landlock_version()
    # Whoever runs a program that is another user's must not become that user. Landlock asks for it as well.
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if version == 0:
        return
    files = (1 << max(rights for since, rights in _FILE_RIGHTS.items() if since <= version)) - 1
    network = _BIND_AND_CONNECT if version >= _NETWORK_SINCE else 0
    scopes = _SOCKETS_AND_SIGNALS if version >= _SCOPES_SINCE else 0
    handled = struct.pack("QQQ", files, network, scopes)
    ruleset = libc.syscall(_CREATE_RULESET, handled, ctypes.c_size_t(len(handled)), 0)
    if ruleset < 0:
        return
    libc.syscall(_RESTRICT_SELF, ruleset, 0)
    os.close(ruleset)
