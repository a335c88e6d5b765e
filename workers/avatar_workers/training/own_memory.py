"""Close this process's memory to every other process of the same user.

The decoder of photos runs beside the worker, as its user where the container does not run as root, and Linux lets a process
read the memory of another one of its user: credentials, photos, weights. A process that may not be dumped is closed to
everybody who has no CAP_SYS_PTRACE: process_vm_readv, ptrace and `/proc/<pid>/mem` are refused alike, in every kernel and
without any module (prctl(2), PR_SET_DUMPABLE; ptrace(2), "Ptrace access mode checking").

The price: no core dumps, a debugger needs root, and files in `/proc/self` that only the owner may read are root's
(`environ`, `io`); what libraries look at there (`maps`, `status`, `fd`) stays readable to the process itself.
"""

import ctypes
import os
import sys

_PR_SET_DUMPABLE = 4


def close_own_memory() -> None:
    """Do so, for as long as this process lives. A program that it starts begins open. Elsewhere than on Linux nothing happens.

    Raises:
        OSError: the kernel refused.
    """
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"cannot close this process's memory to others: {os.strerror(number)}")
