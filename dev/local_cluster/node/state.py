"""The part of a state directory that a node fills, and that goes away with it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from local_cluster.errors import LocalClusterError

__all__ = ["NodeDirectory"]

# containerd takes 104 bytes (sockaddr_un(7) has room for 108), and has a second socket, called like the first one and more.
_LONGEST_SOCKET = 104 - len(".ttrpc")
_HIDDEN = ("/run", "/var/lib", "/var/log", "/proc")


@dataclass(frozen=True)
class NodeDirectory:
    """Where a node keeps its configuration, its containers and its Pods' volumes."""

    root: Path

    def make(self) -> None:
        """Make the folders that have to be there before the node starts.

        Raises:
            LocalClusterError: nothing can run here.
        """
        if len(str(self.socket)) > _LONGEST_SOCKET:
            raise LocalClusterError(
                f"{self.socket} is too long for a socket (at most {_LONGEST_SOCKET} bytes); choose a shorter state directory"
            )
        if any(self.root.is_relative_to(place) for place in _HIDDEN):
            raise LocalClusterError(
                f"{self.root} is not visible to a node, which has its own {', '.join(_HIDDEN)}; choose another state directory"
            )
        for folder in (self.images, self.networks, self.kubelet, self.pod_logs):
            folder.mkdir(parents=True, mode=0o700, exist_ok=True)

    @property
    def marker(self) -> Path:
        """There once the namespaces are."""
        return self.root / "namespaces-made"

    @property
    def images(self) -> Path:
        """containerd's images and their unpacked layers."""
        return self.root / "images"

    @property
    def containers(self) -> Path:
        """containerd's state of running containers."""
        return self.root / "containers"

    @property
    def socket(self) -> Path:
        """Where containerd listens."""
        return self.root / "containerd.sock"

    @property
    def networks(self) -> Path:
        """The configuration of the Pods' network."""
        return self.root / "networks"

    @property
    def kubelet(self) -> Path:
        """kubelet's files, the Pods' volumes among them."""
        return self.root / "kubelet"

    @property
    def pod_logs(self) -> Path:
        """What containers print."""
        return self.root / "pod-logs"

    def file(self, name: str) -> Path:
        """A configuration file."""
        return self.root / name

    def kubeconfig(self, program: str) -> Path:
        """How a program of the node logs in."""
        return self.root / f"{program}.kubeconfig"
