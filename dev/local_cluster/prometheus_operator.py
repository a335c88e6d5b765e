"""The Prometheus operator and its kinds: `python -m local_cluster.prometheus_operator` builds it from its Go module into the cache.

A ServiceMonitor, a PodMonitor and a PrometheusRule do nothing by themselves: this program turns them into what Prometheus reads. With
it, and with the definitions of its kinds, what a chart has for it can be tried without its images: as a process, on any API server.
The module is pinned as those of the chart's tools are. It takes about two minutes on two cores, once.
"""

from __future__ import annotations

import platform
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from local_cluster.binary_cache import ProgramCache, Report
from local_cluster.fetch_command import print_directory
from local_cluster.go_module_build import GoProgram, build_programs, fetched_module, pinned_version

__all__ = ["PrometheusOperator", "ensure", "main"]

_MODULE = "github.com/prometheus-operator/prometheus-operator"
_PINS = Path(__file__).parent / "chart_tool_modules" / "prometheus-operator"
_DEFINITIONS = "example/prometheus-operator-crd"
PROMETHEUS_OPERATOR_VERSION = pinned_version(_PINS, _MODULE)
_BUILD = GoProgram("prometheus-operator", f"{_MODULE}/cmd/operator", _PINS, "-s -w")


@dataclass(frozen=True)
class PrometheusOperator:
    """What there is of it.

    Attributes:
        program: its path.
        definitions: a folder with the YAML of a CustomResourceDefinition for each of its kinds.
    """

    program: Path
    definitions: Path

    def definition(self, plural: str) -> Path:
        """The file that defines a kind, by its plural."""
        return self.definitions / f"monitoring.coreos.com_{plural}.yaml"


def ensure(report: Report) -> PrometheusOperator:
    """Find it, or build it into the cache; safe to run several times at once.

    Args:
        report: takes progress lines.

    Raises:
        LocalClusterError: the cache cannot be written, or the build failed; the message has why.
    """

    def make(partial: Path) -> None:
        build_programs([_BUILD], partial, report)
        shutil.copytree(
            fetched_module(_MODULE, _PINS) / _DEFINITIONS,
            partial / "definitions",
            # Nothing in Go's own cache may be written to, and a copy has to be removable.
            copy_function=shutil.copyfile,
        )
        (partial / "definitions").chmod(0o755)

    cache = ProgramCache.of_family("prometheus-operator", (_BUILD.name,))
    name = f"prometheus-operator-{PROMETHEUS_OPERATOR_VERSION}-linux-{platform.machine().lower()}"
    directory = cache.have(name, make, report)
    return PrometheusOperator(program=directory / _BUILD.name, definitions=directory / "definitions")


def main() -> int:
    """Make sure it is there; progress goes to standard error, its directory to standard output."""
    return print_directory(lambda report: ensure(report).program.parent)


if __name__ == "__main__":
    sys.exit(main())
