"""How the operator bears 200 AvatarModels created at once: `make bench-operator`.

A real API server, the operator as a process of its own under the rights of its service account, and the simulated
backend, so that what is measured is the control plane and nothing else. Writes are counted by the API server's audit
log, memory is the operator's own resident set. The peer, in the same run and on the same API server, is the simplest
writer there is: a client that patches one status per object, one after the other. It says how fast this API server is
today, so that the time can be read as a ratio.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import ssl
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import yaml
from rich.console import Console
from rich.table import Table

from local_cluster.cluster import LocalCluster

REPOSITORY = Path(__file__).resolve().parents[1]
NAMESPACE = "bench"
ACCOUNT = "system:serviceaccount:avatar-system:avatar-operator"
HTTP_PORT = 18082
DEADLINE_SECONDS = 600.0


def main() -> None:
    """Run the benchmark and print its table."""
    parser = argparse.ArgumentParser(description="Measure the operator under many models at once.")
    parser.add_argument("--models", type=int, default=200)
    arguments = parser.parse_args()
    console = Console()
    with (
        tempfile.TemporaryDirectory() as directory,
        LocalCluster(Path(directory), report=console.print) as cluster,
    ):
        _install(cluster)
        peer_seconds = _time_peer(cluster, arguments.models)
        process = _start_operator(cluster, Path(directory))
        try:
            console.print(_measure(cluster, process, arguments.models, peer_seconds))
        finally:
            process.terminate()
            process.wait(timeout=30)


def _install(cluster: LocalCluster) -> None:
    cluster.apply_crds(REPOSITORY / "crds")
    rights = REPOSITORY / "charts" / "avatar-operator" / "files"
    cluster.apply(rights / "cluster-role.yaml")
    for namespace in ("avatar-system", NAMESPACE):
        cluster.create_namespace(namespace)
    cluster.kubectl("create", "serviceaccount", "avatar-operator", "-n", "avatar-system")
    cluster.kubectl(
        "create",
        "clusterrolebinding",
        "avatar-operator",
        "--clusterrole=avatar-operator",
        "--serviceaccount=avatar-system:avatar-operator",
    )
    cluster.apply_manifest((rights / "role.yaml").read_text(), namespace="avatar-system")
    cluster.kubectl(
        "create",
        "rolebinding",
        "avatar-operator",
        "--namespace=avatar-system",
        "--role=avatar-operator",
        "--serviceaccount=avatar-system:avatar-operator",
    )
    cluster.apply_manifest(yaml.safe_dump(_runtime()))


def _start_operator(cluster: LocalCluster, directory: Path) -> subprocess.Popen[bytes]:
    environment = {
        **os.environ,
        "KUBECONFIG": str(cluster.kubeconfig_for_service_account("avatar-system", "avatar-operator")),
        "AVATAR_OPERATOR_HTTP_HOST": "127.0.0.1",
        "AVATAR_OPERATOR_HTTP_PORT": str(HTTP_PORT),
    }
    program = Path(sys.executable).parent / "avatar-operator"
    with (directory / "operator.log").open("wb") as log:
        process = subprocess.Popen([str(program)], env=environment, stdout=log, stderr=log)
    _wait(lambda: _is_ready(process), "a ready operator")
    _wait(lambda: _count(cluster, "avrt", "Ready") == 1, "a ready runtime")
    return process


def _measure(
    cluster: LocalCluster, process: subprocess.Popen[bytes], models: int, peer_seconds: float
) -> Table:
    idle_memory = _resident_mebibytes(process.pid)
    since = cluster.audit_position()
    started = time.monotonic()
    cluster.apply_manifest(yaml.safe_dump_all([_model(number) for number in range(models)]))
    created = time.monotonic()
    _wait(lambda: _count(cluster, "avm", "Ready") == models, "every model ready")
    seconds = time.monotonic() - started
    writes = [event for event in cluster.audit_events(since) if event.user == ACCOUNT and event.is_write]
    by_kind = Counter(
        f"{event.verb} {event.resource}{'/' + event.subresource if event.subresource else ''}"
        for event in writes
    )
    table = Table("figure", "value", title=f"{models} AvatarModels at once, simulated backend")
    table.add_row("created by kubectl in", f"{created - started:.1f} s")
    table.add_row("all Ready after", f"{seconds:.1f} s")
    table.add_row("one status write per object by a plain client", f"{peer_seconds:.1f} s")
    table.add_row("ratio to that client", f"{seconds / peer_seconds:.1f}")
    table.add_row("API writes per object", f"{len(writes) / models:.2f}")
    for what, count in sorted(by_kind.items()):
        table.add_row(f"  {what}", f"{count / models:.2f}")
    table.add_row("resident memory, idle", f"{idle_memory:.0f} MiB")
    table.add_row("resident memory, after", f"{_resident_mebibytes(process.pid):.0f} MiB")
    return table


def _time_peer(cluster: LocalCluster, models: int) -> float:
    names = [f"peer-{number:03}" for number in range(models)]
    manifests = [{**_model(0), "metadata": {"name": name, "namespace": NAMESPACE}} for name in names]
    cluster.apply_manifest(yaml.safe_dump_all(manifests))
    access = yaml.safe_load(cluster.admin_kubeconfig.read_text())
    with _admin_client(access) as client:
        started = time.monotonic()
        for name in names:
            answer = client.patch(
                f"/apis/avatars.dev/v1alpha1/namespaces/{NAMESPACE}/avatarmodels/{name}/status",
                content=json.dumps({"status": {"state": "Pending"}}),
                headers={"Content-Type": "application/merge-patch+json"},
            )
            answer.raise_for_status()
        seconds = time.monotonic() - started
    cluster.kubectl("delete", "avm", "--all", "-n", NAMESPACE)
    return seconds


def _admin_client(access: dict[str, Any]) -> httpx.Client:
    server, user = access["clusters"][0]["cluster"], access["users"][0]["user"]
    context = ssl.create_default_context(
        cadata=base64.b64decode(server["certificate-authority-data"]).decode()
    )
    with tempfile.NamedTemporaryFile("wb", suffix=".pem") as pair:
        pair.write(
            base64.b64decode(user["client-certificate-data"]) + base64.b64decode(user["client-key-data"])
        )
        pair.flush()
        context.load_cert_chain(pair.name)
    return httpx.Client(base_url=server["server"], verify=context, trust_env=False, timeout=30)


def _runtime() -> dict[str, Any]:
    storage = {name: f"s3://avatars/{name}/" for name in ("requests", "artifacts", "outputs")}
    return {
        "apiVersion": "avatars.dev/v1alpha1",
        "kind": "AvatarRuntime",
        "metadata": {"name": "simulated"},
        "spec": {
            "backend": {"simulated": {"trainingSeconds": 1}},
            "baseModel": {"source": "s3://avatars/base/", "sha256": "0" * 64},
            "storage": {**storage, "allowed": {"photos": ["s3://avatars/photos/{namespace}/"]}},
            "tenancy": {"allowedNamespaces": ["*"]},
        },
    }


def _model(number: int) -> dict[str, Any]:
    return {
        "apiVersion": "avatars.dev/v1alpha1",
        "kind": "AvatarModel",
        "metadata": {"name": f"person-{number:03}", "namespace": NAMESPACE},
        "spec": {
            "runtimeRef": {"name": "simulated"},
            "photos": {"s3Prefix": f"s3://avatars/photos/{NAMESPACE}/{number}/"},
        },
    }


def _count(cluster: LocalCluster, kind: str, state: str) -> int:
    return len(
        cluster.kubectl("get", kind, "-A", f"--field-selector=status.state={state}", "-o", "name").split()
    )


def _is_ready(process: subprocess.Popen[bytes]) -> bool:
    if process.poll() is not None:
        sys.exit("the operator ended; is its port taken?")
    try:
        return httpx.get(f"http://127.0.0.1:{HTTP_PORT}/readyz", trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


def _resident_mebibytes(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def _wait(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            sys.exit(f"{what} did not come within {DEADLINE_SECONDS:.0f} s")
        time.sleep(0.25)


if __name__ == "__main__":
    main()
