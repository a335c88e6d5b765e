"""Programs built from Go modules: the control plane, where no prebuilt archive can be had, and what others name.

`control_plane_modules/` holds one small go.mod and go.sum for each of Kubernetes and etcd; they pin every version
and checksum, and they are the one place that names the versions. Kubernetes needs a go.mod of our own because the
published module replaces its staging modules (k8s.io/api and so on) by folders that are not published with it.

`go build` prints nothing for minutes, so its package names are counted against the number of packages that are
stale, and the count is told every few seconds.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from local_cluster.binary_cache import Report
from local_cluster.errors import LocalClusterError, one_line

__all__ = [
    "CONTROL_PLANE_MODULES",
    "ETCD_VERSION",
    "KUBERNETES_VERSION",
    "GoProgram",
    "build",
    "build_programs",
    "fetched_module",
    "kubernetes_linker_flags",
    "pinned_version",
]

CONTROL_PLANE_MODULES = Path(__file__).parent / "control_plane_modules"
_OLDEST_GO = (1, 24)
_OLDEST_GO_THAT_FETCHES_TOOLCHAINS = (1, 21)
_REPORT_EVERY_SECONDS = 5.0


def pinned_version(module_directory: Path, module: str) -> str:
    """The version that the go.mod of a folder has of a module.

    Raises:
        LocalClusterError: it requires no such module.
    """
    go_mod = (module_directory / "go.mod").read_text()
    found = re.search(rf"^\s*(?:require\s+)?{re.escape(module)} (v\S+)", go_mod, re.MULTILINE)
    if found is None:
        raise LocalClusterError(f"{module_directory / 'go.mod'} does not require {module}")
    return found.group(1)


KUBERNETES_VERSION = pinned_version(CONTROL_PLANE_MODULES / "kubernetes", "k8s.io/kubernetes")
ETCD_VERSION = pinned_version(CONTROL_PLANE_MODULES / "etcd", "go.etcd.io/etcd/server/v3")


@dataclass(frozen=True)
class GoProgram:
    """What is built.

    Attributes:
        name: of the file that is made.
        package: of Go, that has its `main`.
        module_directory: holds the go.mod and go.sum that pin it and all that it needs.
        linker_flags: for instance its version.
    """

    name: str
    package: str
    module_directory: Path
    linker_flags: str


def kubernetes_linker_flags(version: str) -> str:
    """Linker flags that tell a Kubernetes program its version, as `kube::version::ldflags` in its hack/lib does."""
    major, minor, _patch = version.removeprefix("v").split(".")
    settings = {"gitVersion": version, "gitMajor": major, "gitMinor": minor, "gitTreeState": "archive"}
    packages = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
    values = (f"-X {package}.{key}={value}" for package in packages for key, value in settings.items())
    return " ".join(["-s", "-w", *values])


_BUILDS = (
    GoProgram("etcd", "go.etcd.io/etcd/server/v3", CONTROL_PLANE_MODULES / "etcd", "-s -w"),
    GoProgram(
        "kube-apiserver",
        "k8s.io/kubernetes/cmd/kube-apiserver",
        CONTROL_PLANE_MODULES / "kubernetes",
        kubernetes_linker_flags(KUBERNETES_VERSION),
    ),
    GoProgram(
        "kubectl",
        "k8s.io/kubernetes/cmd/kubectl",
        CONTROL_PLANE_MODULES / "kubernetes",
        kubernetes_linker_flags(KUBERNETES_VERSION),
    ),
)


def build(directory: Path, report: Report) -> None:
    """Build etcd, kube-apiserver and kubectl into `directory`.

    Args:
        directory: an existing folder; it receives the programs and nothing else.
        report: takes progress lines.

    Raises:
        LocalClusterError: Go is missing or too old, modules cannot be downloaded, the disk is full, or the
            compiler failed; nothing is left running.
    """
    build_programs(_BUILDS, directory, report)


def build_programs(programs: Iterable[GoProgram], directory: Path, report: Report) -> None:
    """Build programs into `directory`, one after the other; as `build` otherwise."""
    go = _go_program()
    # go leaves its work folder behind when it is killed: here it goes away with `directory`, whatever happens.
    with tempfile.TemporaryDirectory(dir=directory) as work:
        environment = {**os.environ, "CGO_ENABLED": "0", "GOWORK": "off", "GOTMPDIR": work}
        for program in programs:
            _build_program(go, program, directory / program.name, environment, report)


def fetched_module(module: str, module_directory: Path) -> Path:
    """The folder with all that is published of a module, be it Go or not; it is downloaded first if need be.

    Args:
        module: its path.
        module_directory: holds the go.mod and go.sum that pin it.

    Raises:
        LocalClusterError: as `build`.
    """
    answer = _run_go(
        [_go_program(), "mod", "download", "-json", module],
        module_directory,
        {**os.environ, "GOWORK": "off", "GOFLAGS": "-mod=readonly"},
        on_progress=lambda _line: None,
        heartbeat=lambda _elapsed: None,
    )
    return Path(json.loads(answer)["Dir"])


def _go_program() -> str:
    go = shutil.which("go")
    if go is None:
        raise LocalClusterError(
            f"Go is not installed; install Go {_OLDEST_GO[0]}.{_OLDEST_GO[1]} or newer: the programs are built with it"
        )
    answer = subprocess.run([go, "env", "GOVERSION"], cwd="/", capture_output=True, text=True, check=False)
    found = re.match(r"go(\d+)\.(\d+)", answer.stdout.strip())
    version = (int(found.group(1)), int(found.group(2))) if found else (0, 0)
    if version < _OLDEST_GO_THAT_FETCHES_TOOLCHAINS:
        raise LocalClusterError(
            f"{go} is {answer.stdout.strip() or 'of an unknown version'}; "
            f"building the programs needs Go {_OLDEST_GO[0]}.{_OLDEST_GO[1]} or newer"
        )
    return go


def _build_program(
    go: str, program: GoProgram, output: Path, environment: Mapping[str, str], report: Report
) -> None:
    flags = ["-mod=readonly", "-trimpath", "-buildvcs=false", f"-ldflags={program.linker_flags}"]
    stale: set[str] = set()
    compiled = 0
    downloaded = 0

    def count_downloads(line: str) -> None:
        nonlocal downloaded
        downloaded += line.startswith("go: downloading ")

    def count_compiled(line: str) -> None:
        nonlocal compiled
        compiled += line in stale

    listing = [go, "list", "-deps", *flags, "-f", "{{if .Stale}}{{.ImportPath}}{{end}}", program.package]
    stale.update(
        _run_go(
            listing,
            program.module_directory,
            environment,
            on_progress=count_downloads,
            heartbeat=lambda elapsed: report(f"{program.name}: {downloaded} modules downloaded, {elapsed}"),
        ).split()
    )
    report(f"{program.name}: {len(stale)} packages to compile")
    _run_go(
        [go, "build", "-v", *flags, "-o", str(output), program.package],
        program.module_directory,
        environment,
        on_progress=count_compiled,
        heartbeat=lambda elapsed: report(
            f"{program.name}: {compiled} of {len(stale)} packages compiled, {elapsed}"
            if compiled < len(stale)
            else f"{program.name}: linking, {elapsed}"
        ),
    )
    report(f"{program.name}: built")


def _run_go(
    command: list[str],
    directory: Path,
    environment: Mapping[str, str],
    *,
    on_progress: Callable[[str], None],
    heartbeat: Callable[[str], None],
) -> str:
    """Run a go command, counting its progress; its compilers end with it if we are interrupted.

    Returns:
        What it wrote to standard output.
    """
    # A session of its own lets one signal reach the compilers that go starts.
    process = subprocess.Popen(
        command,
        cwd=directory,
        env=dict(environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    output: list[str] = []
    complaints: deque[str] = deque(maxlen=200)

    def read_output() -> None:
        if process.stdout is not None:
            output.append(process.stdout.read())

    def read_progress() -> None:
        for line in process.stderr or ():
            text = line.strip()
            on_progress(text)
            complaints.append(text)

    readers = [threading.Thread(target=target, daemon=True) for target in (read_output, read_progress)]
    started = time.monotonic()
    try:
        for reader in readers:
            reader.start()
        while True:
            try:
                process.wait(timeout=_REPORT_EVERY_SECONDS)
                break
            except subprocess.TimeoutExpired:
                minutes, seconds = divmod(int(time.monotonic() - started), 60)
                heartbeat(f"{minutes} min {seconds:02d} s" if minutes else f"{seconds} s")
        for reader in readers:
            reader.join()
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise
    if process.returncode != 0:
        raise LocalClusterError(_explain(list(complaints)))
    return "".join(output)


_NETWORK_TROUBLE = re.compile(
    r"dial tcp|no such host|i/o timeout|connection refused|TLS handshake|module lookup disabled|unreachable"
)


def _explain(lines: list[str]) -> str:
    """Choose the line of go's output that says what went wrong, and add how to mend it."""
    for line in lines:
        full_disk = re.search(r"(\S*): no space left on device", line)
        if full_disk:
            return (
                f"the disk is full ({full_disk.group(1)}); free 4 GiB, or move AVATAR_CACHE_DIR, GOCACHE and "
                "GOMODCACHE to a larger one"
            )
    for line in lines:
        if _NETWORK_TROUBLE.search(line):
            return f"Go modules cannot be downloaded ({one_line(line, 200)}); internet access or a GOPROXY is needed"
    # Package names have no spaces, and downloads are no complaint: what remains is what the compiler said.
    said = [
        line for line in lines if " " in line and not line.startswith(("go: downloading ", "go: finding "))
    ]
    return f"go failed: {one_line(said[-1], 300) if said else 'it said nothing'}"
