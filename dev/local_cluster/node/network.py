"""The addresses of a node, and the link between it and the machine.

A /30 network joins the two: the machine's end is where the API server listens, and where Pods reach whatever else runs on the
machine; the node's end is the node's address. A route leads from the machine to the Pods. All of them follow from one number, the
lowest that nobody uses, so that several nodes can run side by side and the first one always has the same addresses.
"""

from __future__ import annotations

import fcntl
import ipaddress
import json
import os
import subprocess
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from local_cluster.errors import LocalClusterError, one_line

__all__ = [
    "NodeNetwork",
    "alone_on_this_machine",
    "connect",
    "first_free",
    "networks_in_use",
    "wait_until_gone",
]

_NUMBERS = 256
_GONE_SECONDS = 10.0
_POLL_SECONDS = 0.02
_INNER_LINK = "machine"


@dataclass(frozen=True)
class NodeNetwork:
    """Everything that follows from a node's number, from 0 to 255."""

    number: int

    @property
    def name(self) -> str:
        """What its link, its control groups and its Pods' network are called."""
        return f"avatar-node-{self.number}"

    @property
    def link(self) -> str:
        """The network between machine and node."""
        return f"10.203.{self.number}.0/30"

    @property
    def host_address(self) -> str:
        """The machine, as the node and its Pods see it."""
        return f"10.203.{self.number}.1"

    @property
    def node_address(self) -> str:
        """The node."""
        return f"10.203.{self.number}.2"

    @property
    def pods(self) -> str:
        """The network of its Pods."""
        return f"10.204.{self.number}.0/24"


def first_free(in_use: Iterable[str]) -> NodeNetwork:
    """The first node network that meets none of those in use. Pure.

    Raises:
        LocalClusterError: there is none.
    """
    taken = [ipaddress.ip_network(network) for network in in_use]
    for network in map(NodeNetwork, range(_NUMBERS)):
        wanted = [ipaddress.ip_network(network.link), ipaddress.ip_network(network.pods)]
        if not any(one.overlaps(other) for one in wanted for other in taken):
            return network
    raise LocalClusterError(
        "no node network is free: routes of this machine cover 10.203.0.0/16 or 10.204.0.0/16"
    )


def networks_in_use() -> list[str]:
    """The IPv4 networks that this machine has routes to, the default route left out."""
    routes: list[dict[str, Any]] = json.loads(_run("ip", "-4", "-json", "route", "show", "table", "all"))
    return [route["dst"] for route in routes if route["dst"] != "default"]


@contextmanager
def alone_on_this_machine() -> Iterator[None]:
    """Keep other commands from choosing a number or removing control groups meanwhile."""
    directory = os.open("/run", os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(directory, fcntl.LOCK_EX)
        yield
    finally:
        os.close(directory)


def connect(network: NodeNetwork, pid: int) -> None:
    """Make the link and the routes.

    Args:
        network: the addresses.
        pid: a process in the node's network namespace, which has no link yet.

    Raises:
        LocalClusterError: the kernel refuses.
    """
    inner = f"--net=/proc/{pid}/ns/net"
    _run("ip", "link", "add", network.name, "type", "veth", "peer", "name", _INNER_LINK, "netns", str(pid))
    _run("ip", "address", "add", f"{network.host_address}/30", "dev", network.name)
    _run("ip", "link", "set", network.name, "up")
    for command in (
        "link set lo up",
        f"address add {network.node_address}/30 dev {_INNER_LINK}",
        f"link set {_INNER_LINK} up",
        f"route add default via {network.host_address}",
    ):
        _run("nsenter", inner, "ip", *command.split())
    _run("nsenter", inner, "sysctl", "-qw", "net.ipv4.ip_forward=1")
    _run("ip", "route", "add", network.pods, "via", network.node_address)


def wait_until_gone(network: NodeNetwork) -> None:
    """Wait until the kernel has removed the link of a node that ended, and its route with it.

    Raises:
        LocalClusterError: it stays.
    """
    deadline = time.monotonic() + _GONE_SECONDS
    while network.name in (link["ifname"] for link in json.loads(_run("ip", "-json", "link", "show"))):
        if time.monotonic() > deadline:
            raise LocalClusterError(
                f"the link {network.name} stays; remove it with: ip link del {network.name}"
            )
        time.sleep(_POLL_SECONDS)


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise LocalClusterError(f"{' '.join(command)}: {one_line(done.stderr)}")
    return done.stdout
