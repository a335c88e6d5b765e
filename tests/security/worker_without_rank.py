"""A training worker that is not root, or no better than another user: what its decoder and its neighbours reach of it, as JSON.

Its decoder has its user, then, because it may not change it. As root it gives up, before anything else, the rights that root has
over processes and users: with them everybody's memory is open to it.
"""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from avatar_workers.training.__main__ import main
from avatar_workers.training.preparation.decoding import PhotoRejected
from avatar_workers.training.preparation.photo_decoder import PhotoDecoder

SECRET = ctypes.create_string_buffer(b"the worker's key", 64)
CAP_SETGID, CAP_SETUID, CAP_SYS_PTRACE = 6, 7, 19
PR_CAPBSET_DROP = 24


def without_rank() -> None:
    """Begin anew as a process that has no rank, unless this is one."""
    if os.geteuid() != 0 or "without-rank" in sys.argv:
        return
    for right in (CAP_SETGID, CAP_SETUID, CAP_SYS_PTRACE):
        ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, right, 0, 0, 0)
    os.execv(sys.executable, [sys.executable, "-m", "security.worker_without_rank", "without-rank"])  # noqa: S606  # this program


def decoder_gets(attempt: str) -> object:
    """What a decoder gets that a photo has taken over."""
    with PhotoDecoder(lambda: None, program="security.curious_decoder") as decoder:
        try:
            decoder.decode(attempt.encode())
        except PhotoRejected as verdict:
            return json.loads(str(verdict))
    return None


def neighbour_gets(address: int) -> str:
    """What another process of this user gets."""
    command = [sys.executable, "-m", "security.foreign_memory", str(os.getpid()), str(address)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


if __name__ == "__main__":
    without_rank()
    # It ends at once, for want of settings: what it does before anything else is what counts.
    main()
    address = ctypes.addressof(SECRET)
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "a file of the worker's"
        file.touch()
        got = {
            "memory": decoder_gets(f"memory: {address}"),
            "memory of a neighbour": neighbour_gets(address),
            "signal": decoder_gets("signal"),
            "remove": decoder_gets(f"remove: {file}"),
        }
    print(json.dumps(got))
