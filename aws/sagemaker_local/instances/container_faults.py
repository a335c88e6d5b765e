"""Containers that break on demand, while they have an invocation.

    crash           SIGKILL as soon as the container has the request
    out_of_memory   the same, as the kernel does it: exit code 137, and a line in the container's log
    hang            SIGSTOP before it gets the request; SIGCONT after `seconds`, or when the faults are cleared

A killed container may or may not have begun with the request; its answer is lost in either case, so that tests are repeatable.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable

from sagemaker_local.faults import FaultBoard
from sagemaker_local.instances.container_http import ContainerUnreachable
from sagemaker_local.instances.container_process import ContainerProcess

OUT_OF_MEMORY_LINE = "Killed: out of memory (exit code 137)"
_INVOCATIONS = ("/invocations", "/invoke")


class ContainerFaults:
    """What may be done to one container.

    Arguments:
        log: writes a line into the container's log.
    """

    def __init__(self, board: FaultBoard, endpoint: str, instance: str, log: Callable[[str], None]) -> None:
        self._board = board
        self._endpoint = endpoint
        self._instance = instance
        self._log = log

    def strike(self, path: str, process: ContainerProcess) -> Callable[[], None]:
        """Take what is ordered for a request that is about to be made.

        Returns:
            What is to be called when the container has received the request.
        """
        if not path.endswith(_INVOCATIONS):
            return _nothing
        fault = self._board.take_instance(self._endpoint, self._instance)
        if fault is None:
            return _nothing
        if fault.action == "hang":
            process.send(signal.SIGSTOP)
            if fault.seconds:
                resume = threading.Timer(fault.seconds, process.send, (signal.SIGCONT,))
                resume.daemon = True
                resume.start()
            return _nothing
        return lambda: self._kill(process, fault.action == "out_of_memory")

    def _kill(self, process: ContainerProcess, out_of_memory: bool) -> None:
        process.send(signal.SIGKILL)
        if out_of_memory:
            self._log(OUT_OF_MEMORY_LINE)
        raise ContainerUnreachable("the container was killed by a fault on demand")


def _nothing() -> None:
    return None
