"""Ports for containers, so that no two instances ever start on the same one.

Asking the kernel for a free port and letting go of it again is a lottery: until the container has bound it, which takes seconds,
anybody may be given the same port. So ports come from a range of their own, below the one from which the kernel serves
connections and everybody else who asks for "any" port. Within the range a port in use is reserved by an abstract Unix socket
named after it: the reservation holds between all servers on a machine, leaves no file behind, and ends with the process that
made it, however that ends. (Where there are no abstract sockets, reservations hold within one server only.)

What remains is a program that takes a fixed port of the range by itself. It is noticed by binding the port before it is handed
out, and, in the seconds until the container binds it, by `taken` after the container has failed to start.
"""

from __future__ import annotations

import errno
import random
import socket
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

FIRST_PORT, LAST_PORT = 10_000, 29_999
_EPHEMERAL_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
_FEWEST_PORTS = 1_000


class NoFreePort(Exception):
    """All ports of the range are in use."""


class PortReservations:
    """Hands out ports, each to one instance at a time.

    Arguments:
        ports: to choose from; by default `FIRST_PORT` to `LAST_PORT` without those from which the kernel serves connections.
    """

    def __init__(self, ports: Sequence[int] | None = None) -> None:
        self._ports = outside_ephemeral_range() if ports is None else ports
        # Each server starts elsewhere, and a port that has been given back is the last to be used again.
        self._next = random.randrange(len(self._ports))  # noqa: S311  # spreads servers, hides nothing
        self._reserved: dict[int, socket.socket | None] = {}
        self._lock = threading.Lock()

    def reserve(self) -> int:
        """A port that nobody else listens on or has reserved.

        Raises:
            NoFreePort: when there is none.
        """
        with self._lock:
            for _ in range(len(self._ports)):
                port = self._ports[self._next]
                self._next = (self._next + 1) % len(self._ports)
                if port not in self._reserved and self._reserve(port):
                    return port
        raise NoFreePort(f"all {len(self._ports)} ports for containers are in use")

    def release(self, port: int) -> None:
        """The instance is gone. Releasing a port twice does nothing."""
        with self._lock:
            reservation = self._reserved.pop(port, None)
            if reservation is not None:
                reservation.close()

    def _reserve(self, port: int) -> bool:
        reservation: socket.socket | None = None
        if sys.platform == "linux":
            reservation = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                reservation.bind(f"\0sagemaker-local/port/{port}")
            except OSError:
                reservation.close()
                return False
        if not _can_bind(port, reuse=False):
            if reservation is not None:
                reservation.close()
            return False
        self._reserved[port] = reservation
        return True


def taken(port: int) -> bool:
    """Whether some process listens on the port."""
    return not _can_bind(port, reuse=True)


def outside_ephemeral_range() -> Sequence[int]:
    """The ports of our range from which the kernel serves no connections; all of them when that leaves too few."""
    try:
        first, last = map(int, _EPHEMERAL_RANGE.read_text().split())
    except (OSError, ValueError):
        return range(FIRST_PORT, LAST_PORT + 1)
    ports = [port for port in range(FIRST_PORT, LAST_PORT + 1) if not first <= port <= last]
    return ports if len(ports) >= _FEWEST_PORTS else range(FIRST_PORT, LAST_PORT + 1)


def _can_bind(port: int, reuse: bool) -> bool:
    """Whether the port can be bound on all addresses: a container may choose any.

    Arguments:
        reuse: ignore connections that have ended lately, as most servers do.
    """
    with socket.socket() as probe:
        if reuse:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", port))
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                return False
            raise
    return True
