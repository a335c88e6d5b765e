"""`KindCluster`: the suites of the real node on kind (https://kind.sigs.k8s.io), where Docker or Podman runs and root is not to be had.

It does what `NodeCluster` does, through the program `kind`: its network honours NetworkPolicies, too, and its node is a container.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self

from local_cluster.access import Cluster
from local_cluster.errors import LocalClusterError, one_line

__all__ = ["CONFIGURATION", "KindCluster", "why_not"]

CONFIGURATION = Path(__file__).parents[1] / "kind" / "cluster.yaml"
_CREATE_SECONDS = 600.0
_READY = "180s"
_NETWORK = "kind"


def why_not() -> str | None:
    """Why kind cannot run on this machine, and how to mend it, in one line; None if it can."""
    if shutil.which("kind") is None:
        return "kind is not on PATH; get it with: go install sigs.k8s.io/kind@v0.33.0"
    if _engine() is None:
        return "kind needs Docker or Podman, and neither is on PATH"
    return None


class KindCluster(Cluster):
    """A cluster that is made when it is entered and deleted when it is left.

    Args:
        name: what kind calls it.
        kubectl: the program to use.
        directory: receives its kubeconfig files and kubectl's cache.

    Raises:
        LocalClusterError: kind cannot run on this machine.
    """

    def __init__(self, name: str, kubectl: Path, directory: Path) -> None:
        reason = why_not()
        if reason is not None:
            raise LocalClusterError(reason)
        self._name = name
        super().__init__(directory / "admin.kubeconfig", kubectl, directory)

    def __enter__(self) -> Self:
        _run(
            "kind",
            "create",
            "cluster",
            f"--name={self._name}",
            f"--config={CONFIGURATION}",
            f"--kubeconfig={self.admin_kubeconfig}",
            f"--wait={_READY}",
        )
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        _run("kind", "delete", "cluster", f"--name={self._name}", f"--kubeconfig={self.admin_kubeconfig}")

    @property
    def host_address(self) -> str:
        """The address under which Pods reach what listens on it on this machine."""
        gateways = _run(
            _engine() or "docker",
            "network",
            "inspect",
            _NETWORK,
            "--format={{range .IPAM.Config}}{{.Gateway}} {{end}}",
        )
        for gateway in gateways.split():
            if ":" not in gateway:
                return gateway
        raise LocalClusterError(f"the network {_NETWORK} has no IPv4 gateway, but: {one_line(gateways)}")

    def import_image(self, archive: Path) -> None:
        """Put an image on the node, for Pods with `imagePullPolicy: Never`.

        Args:
            archive: an OCI archive; it says the image's name.

        Raises:
            LocalClusterError: kind refuses it.
        """
        _run("kind", "load", "image-archive", str(archive), f"--name={self._name}")


def _engine() -> str | None:
    return next((engine for engine in ("docker", "podman") if shutil.which(engine)), None)


def _run(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_CREATE_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise LocalClusterError(f"{' '.join(command[:3])} took longer than {_CREATE_SECONDS:.0f} s") from None
    if done.returncode != 0:
        raise LocalClusterError(f"{' '.join(command[:3])}: {one_line(done.stderr or done.stdout)}")
    return done.stdout
