"""Whether this machine can have a node."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from pathlib import Path

from local_cluster.errors import one_line

__all__ = ["CNI_PLUGINS", "missing_packages", "why_not"]

CNI_PLUGINS = Path("/usr/lib/cni")
_PROGRAMS = {
    "containerd": "containerd",
    "ctr": "containerd",
    "containerd-shim-runc-v2": "containerd",
    "runc": "runc",
    "iptables": "iptables",
    "ip": "iproute2",
    "sysctl": "procps",
    "nsenter": "util-linux",
    "unshare": "util-linux",
}
_PLUGINS = ("bridge", "host-local", "loopback", "portmap")
_PLUGINS_PACKAGE = "containernetworking-plugins"


def missing_packages() -> list[str]:
    """The Debian packages that have what a node needs and this machine lacks, in the order of the alphabet."""
    packages = {_PROGRAMS[program] for program in _missing_programs()}
    return sorted(packages if _has_plugins() else packages | {_PLUGINS_PACKAGE})


def why_not() -> str | None:
    """Why no node can run on this machine, and how to mend it, in one line; None if one can."""
    if platform.system() != "Linux":
        return f"a node needs Linux, not {platform.system()}"
    if os.geteuid() != 0:
        return "a node needs root: it makes namespaces, a network link and control groups"
    missing = _missing_programs() + ([] if _has_plugins() else [f"the network plugins in {CNI_PLUGINS}"])
    if missing:
        return (
            f"a node needs {', '.join(missing)} "
            f"(make system-packages, or: apt-get install --no-install-recommends {' '.join(missing_packages())})"
        )
    tried = subprocess.run(
        ["unshare", "--pid", "--mount", "--net", "--fork", "--mount-proc", "ip", "link", "set", "lo", "up"],
        capture_output=True,
        text=True,
        check=False,
    )
    if tried.returncode != 0:
        return (
            f"a node needs namespaces of its own, and this root may not make them: {one_line(tried.stderr)}"
        )
    return None


def _missing_programs() -> list[str]:
    return [program for program in _PROGRAMS if shutil.which(program) is None]


def _has_plugins() -> bool:
    return all((CNI_PLUGINS / plugin).exists() for plugin in _PLUGINS)
