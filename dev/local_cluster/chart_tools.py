"""Helm and kubeconform, for the chart: `python -m local_cluster.chart_tools` builds them from Go modules into the cache.

`chart_tool_modules/` holds a go.mod and go.sum for each; they pin every version and checksum, and are the one place that names
the versions. There is no archive to prefer: both are published on pages that not every network reaches, and a Go module proxy
serves the control plane, too. Helm takes about three minutes on two cores, once.
"""

from __future__ import annotations

import platform
import sys
from dataclasses import dataclass
from pathlib import Path

from local_cluster.binary_cache import ProgramCache, Report
from local_cluster.fetch_command import print_directory
from local_cluster.go_module_build import GoProgram, build_programs, pinned_version

__all__ = ["ChartTools", "ensure", "main"]

_MODULES = Path(__file__).parent / "chart_tool_modules"
HELM_VERSION = pinned_version(_MODULES / "helm", "helm.sh/helm/v4")
KUBECONFORM_VERSION = pinned_version(_MODULES / "kubeconform", "github.com/yannh/kubeconform")
_BUILDS = (
    GoProgram(
        "kubeconform", "github.com/yannh/kubeconform/cmd/kubeconform", _MODULES / "kubeconform", "-s -w"
    ),
    GoProgram(
        "helm",
        "helm.sh/helm/v4/cmd/helm",
        _MODULES / "helm",
        f"-s -w -X helm.sh/helm/v4/internal/version.version={HELM_VERSION}",
    ),
)


@dataclass(frozen=True)
class ChartTools:
    """Paths of the programs."""

    helm: Path
    kubeconform: Path


def ensure(report: Report) -> ChartTools:
    """Find the programs, or build them into the cache; safe to run several times at once.

    Args:
        report: takes progress lines.

    Raises:
        LocalClusterError: the cache cannot be written, or the build failed; the message has why.
    """
    cache = ProgramCache.of_family("chart-tools", tuple(program.name for program in _BUILDS))
    name = f"helm-{HELM_VERSION}-kubeconform-{KUBECONFORM_VERSION}-linux-{platform.machine().lower()}"
    directory = cache.have(name, lambda partial: build_programs(_BUILDS, partial, report), report)
    return ChartTools(helm=directory / "helm", kubeconform=directory / "kubeconform")


def main() -> int:
    """Make sure the programs are there; progress goes to standard error, their directory to standard output."""
    return print_directory(lambda report: ensure(report).helm.parent)


if __name__ == "__main__":
    sys.exit(main())
