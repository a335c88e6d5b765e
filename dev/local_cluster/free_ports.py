"""Ports of the loop-back address that nobody listens on now; somebody may a moment later."""

from __future__ import annotations

import socket

__all__ = ["free_port", "is_free"]


def is_free(port: int) -> bool:
    """Whether a server could listen on a port."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """Any port on which a server could listen."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
