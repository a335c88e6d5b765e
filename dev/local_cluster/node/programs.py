"""A node's own programs: `python -m local_cluster.node.programs` builds them from Go modules into the cache.

They share their go.mod with the control plane, so both are of the same release. No archive has them, hence they are always built:
from nothing about eight minutes on two cores, once; two where the control plane was built before. containerd, runc and the network
plugins come from the machine's packages: see `requirements`.
"""

from __future__ import annotations

import hashlib
import platform
import sys
from dataclasses import dataclass
from pathlib import Path

from local_cluster.binary_cache import ProgramCache, Report
from local_cluster.fetch_command import print_directory
from local_cluster.go_module_build import (
    CONTROL_PLANE_MODULES,
    KUBERNETES_VERSION,
    GoProgram,
    build_programs,
    kubernetes_linker_flags,
)
from local_cluster.node.requirements import why_not

__all__ = ["NodePrograms", "ensure", "main"]

_PAUSE = CONTROL_PLANE_MODULES / "pause"
_BUILDS = (
    *(
        GoProgram(
            name,
            f"k8s.io/kubernetes/cmd/{name}",
            CONTROL_PLANE_MODULES / "kubernetes",
            kubernetes_linker_flags(KUBERNETES_VERSION),
        )
        for name in ("kube-proxy", "kube-scheduler", "kubelet", "kube-controller-manager")
    ),
    GoProgram("pause", "avatars.dev/pause", _PAUSE, "-s -w"),
)


@dataclass(frozen=True)
class NodePrograms:
    """Paths of the programs; `pause` is what runs in each Pod beside its containers."""

    kubelet: Path
    kube_proxy: Path
    kube_scheduler: Path
    kube_controller_manager: Path
    pause: Path

    @classmethod
    def in_directory(cls, directory: Path) -> NodePrograms:
        """The programs in a folder of the cache."""
        return cls(
            kubelet=directory / "kubelet",
            kube_proxy=directory / "kube-proxy",
            kube_scheduler=directory / "kube-scheduler",
            kube_controller_manager=directory / "kube-controller-manager",
            pause=directory / "pause",
        )


def ensure(report: Report) -> NodePrograms:
    """Find the programs, or build them into the cache; safe to run several times at once.

    Args:
        report: takes progress lines.

    Raises:
        LocalClusterError: the cache cannot be written, or the build failed; the message has why.
    """
    cache = ProgramCache.of_family("node", tuple(program.name for program in _BUILDS))
    pause = hashlib.sha256((_PAUSE / "main.go").read_bytes()).hexdigest()[:8]
    name = f"kubernetes-{KUBERNETES_VERSION}-pause-{pause}-linux-{platform.machine().lower()}"
    directory = cache.have(name, lambda partial: build_programs(_BUILDS, partial, report), report)
    return NodePrograms.in_directory(directory)


def main() -> int:
    """Make sure the programs are there, unless this machine can have no node anyway.

    Progress goes to standard error, their directory to standard output.
    """
    reason = why_not()
    if reason is not None:
        print(f"not built: {reason}", file=sys.stderr)
        return 0
    return print_directory(lambda report: ensure(report).kubelet.parent)


if __name__ == "__main__":
    sys.exit(main())
