"""Get the control plane's programs: `python3 -m local_cluster.binaries` (with dev/ on PYTHONPATH).

Standard library only, Python 3.11+: it runs before and beside the making of the virtual environment.

In this order, the first that works wins: KUBEBUILDER_ASSETS, if it holds this Kubernetes release; the cache; the
prebuilt envtest archive; a build from Go modules. The archive is one patch release behind the Go build, which
changes nothing that we test; both stay within one Kubernetes minor release, so results compare.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import subprocess
import sys
from pathlib import Path

from local_cluster import go_module_build, prebuilt_archive
from local_cluster.binary_cache import BinaryCache, ControlPlaneBinaries, Report
from local_cluster.errors import LocalClusterError, one_line
from local_cluster.fetch_command import print_directory

__all__ = ["ensure", "find", "main"]

_ARCHITECTURES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


def find(report: Report) -> ControlPlaneBinaries | None:
    """Programs that are on this machine already, or None.

    Args:
        report: told when KUBEBUILDER_ASSETS is set and does not fit.
    """
    assets = os.environ.get("KUBEBUILDER_ASSETS")
    if assets:
        binaries = ControlPlaneBinaries.in_directory(Path(assets))
        if binaries is not None and _fits(binaries):
            return binaries
        report(f"KUBEBUILDER_ASSETS={assets} is not a Kubernetes {_minor_release()} control plane; not used")
    return _find_cached(BinaryCache.of_this_user(), _architecture())


def ensure(report: Report) -> ControlPlaneBinaries:
    """Find the programs, or download or build them into the cache; safe to run several times at once.

    Args:
        report: takes progress lines.

    Raises:
        LocalClusterError: unsupported platform, unwritable cache, or every source failed; the message has why.
    """
    found = find(report)
    if found is not None:
        return found
    cache, architecture = BinaryCache.of_this_user(), _architecture()
    with cache.locked(report):
        return _find_cached(cache, architecture) or _fill(cache, architecture, report)


def _fill(cache: BinaryCache, architecture: str, report: Report) -> ControlPlaneBinaries:
    archive = prebuilt_archive.ARCHIVES[architecture]

    def download(directory: Path) -> None:
        prebuilt_archive.download(archive, directory, report)
        _check_they_run(directory)

    def build(directory: Path) -> None:
        go_module_build.build(directory, report)
        _check_they_run(directory)

    report(f"downloading the envtest {prebuilt_archive.ARCHIVE_VERSION} archive")
    try:
        return cache.install(_archive_name(architecture), download)
    except prebuilt_archive.ArchiveUnavailableError as error:
        unavailable = one_line(str(error), 200)
    report(
        f"no prebuilt archive ({unavailable}); building Kubernetes {go_module_build.KUBERNETES_VERSION} and "
        f"etcd {go_module_build.ETCD_VERSION} from Go modules: about 6 minutes on 2 cores, once"
    )
    try:
        return cache.install(_build_name(architecture), build)
    except LocalClusterError as error:
        raise LocalClusterError(
            f"no control plane: prebuilt archive: {unavailable}; Go build: {error}"
        ) from error


def _find_cached(cache: BinaryCache, architecture: str) -> ControlPlaneBinaries | None:
    return cache.lookup(_build_name(architecture)) or cache.lookup(_archive_name(architecture))


def _build_name(architecture: str) -> str:
    kubernetes, etcd = go_module_build.KUBERNETES_VERSION, go_module_build.ETCD_VERSION
    return f"kubernetes-{kubernetes}-etcd-{etcd}-linux-{architecture}"


def _archive_name(architecture: str) -> str:
    return f"envtest-{prebuilt_archive.ARCHIVE_VERSION}-linux-{architecture}"


def _minor_release() -> str:
    return go_module_build.KUBERNETES_VERSION.rpartition(".")[0]


def _architecture() -> str:
    architecture = _ARCHITECTURES.get(platform.machine().lower())
    if platform.system() != "Linux" or architecture is None:
        raise LocalClusterError(
            f"a local control plane needs Linux on x86-64 or arm64, not {platform.system()} on "
            f"{platform.machine()}; use any other cluster through KUBECONFIG instead"
        )
    return architecture


def _version_of(program: Path) -> str:
    answer = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=60, check=True)
    found = re.search(r"v?\d+\.\d+\.\d+\S*", answer.stdout)
    return found.group(0) if found else ""


def _fits(binaries: ControlPlaneBinaries) -> bool:
    try:
        return _version_of(binaries.kube_apiserver).startswith(f"{_minor_release()}.")
    except (OSError, subprocess.SubprocessError):
        return False


def _check_they_run(directory: Path) -> None:
    """Refuse programs this machine cannot run (another libc or architecture, a disk mounted noexec)."""
    binaries = ControlPlaneBinaries.in_directory(directory)
    if binaries is None:
        return
    for program in (binaries.etcd, binaries.kube_apiserver):
        try:
            _version_of(program)
        except (OSError, subprocess.SubprocessError) as error:
            raise LocalClusterError(
                f"{program.name} does not run on this machine: {one_line(str(error))}"
            ) from error


def main(arguments: list[str] | None = None) -> int:
    """Make sure the programs are there; progress goes to standard error, their directory to standard output."""
    parser = argparse.ArgumentParser(
        prog="local_cluster.binaries", description=(__doc__ or "").splitlines()[0]
    )
    parser.parse_args(arguments)
    return print_directory(lambda report: ensure(report).kube_apiserver.parent)


if __name__ == "__main__":
    sys.exit(main())
