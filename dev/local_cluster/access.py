"""A Kubernetes cluster as tests and the demo use it: reached through a kubeconfig, whoever runs it.

Everything goes through kubectl: it knows every way to log in, and `kubectl apply --server-side` is what the users
of this project type.
"""

from __future__ import annotations

import json
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

from local_cluster.errors import LocalClusterError, one_line
from local_cluster.kubeconfig import kubeconfig, token_user, write_private_yaml

__all__ = ["Cluster"]

_KUBECTL_SECONDS = 120.0
_ESTABLISHED_SECONDS = 60
_CRD_PREFIX = "customresourcedefinition.apiextensions.k8s.io/"


class Cluster:
    """A cluster that somebody runs, and the credentials of its admin.

    Args:
        admin_kubeconfig: credentials that may do everything.
        kubectl: the program to use.
        directory: receives the kubeconfig files made for service accounts, and kubectl's cache.
    """

    def __init__(self, admin_kubeconfig: Path, kubectl: Path, directory: Path) -> None:
        self.admin_kubeconfig = admin_kubeconfig
        self.kubectl_program = kubectl
        self._directory = directory

    def kubectl(self, *arguments: str, standard_input: str | None = None) -> str:
        """Run kubectl as the admin.

        Args:
            arguments: what follows `kubectl`.
            standard_input: given to it, for `-f -`.

        Returns:
            Its standard output.

        Raises:
            LocalClusterError: it failed; the message is kubectl's own.
        """
        command = [
            str(self.kubectl_program),
            f"--kubeconfig={self.admin_kubeconfig}",
            f"--cache-dir={self._directory / 'kubectl-cache'}",
            *arguments,
        ]
        try:
            done = subprocess.run(
                command,
                input=standard_input if standard_input is not None else "",
                capture_output=True,
                text=True,
                timeout=_KUBECTL_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise LocalClusterError(
                f"kubectl {arguments[0]} took longer than {_KUBECTL_SECONDS:.0f} s"
            ) from None
        except OSError as error:
            raise LocalClusterError(f"cannot run {self.kubectl_program}: {error.strerror}") from error
        if done.returncode != 0:
            raise LocalClusterError(f"kubectl {arguments[0]}: {one_line(done.stderr or done.stdout, 2000)}")
        return done.stdout

    def apply(self, *paths: Path) -> None:
        """Server-side apply files, or the YAML and JSON files right in directories; wait until CRDs among them are served.

        Raises:
            LocalClusterError: a file is missing or the API server refused it.
        """
        self._apply([argument for path in paths for argument in ("-f", str(path))])

    def apply_manifest(self, manifest: str, *, namespace: str | None = None) -> None:
        """Server-side apply YAML or JSON text, which may hold several documents; as `apply` otherwise.

        Args:
            manifest: the text.
            namespace: where objects go that name none themselves.
        """
        scope = [] if namespace is None else [f"--namespace={namespace}"]
        self._apply(["-f", "-", *scope], standard_input=manifest)

    def apply_crds(self, directory: Path) -> None:
        """Apply every `*.yaml` right in `directory`, and wait until the API server serves the new kinds.

        Raises:
            LocalClusterError: there are none, one was refused, or one was not established in time.
        """
        files = sorted(directory.glob("*.yaml"))
        if not files:
            raise LocalClusterError(f"no CRDs: {directory} holds no *.yaml")
        self.apply(*files)

    def create_namespace(self, name: str) -> None:
        """Create a namespace that must not exist yet."""
        self.kubectl("create", "namespace", name)

    def apply_restricted_namespace(self, name: str) -> None:
        """Have a namespace that refuses Pods with any more rights than they need; it may exist already.

        Source: https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted
        """
        labels = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn")}
        metadata = {"name": name, "labels": labels}
        self.apply_manifest(json.dumps({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}))

    def delete_namespace(self, name: str) -> None:
        """Ask for a namespace's deletion; a cluster without a controller-manager never finishes it."""
        self.kubectl("delete", "namespace", name, "--wait=false", "--ignore-not-found")

    def wait_for_ending_pods(self, namespace: str, selector: str, seconds: int) -> None:
        """Wait until Pods that have been told to end are gone: `helm --wait` waits for those that are to come alone.

        Args:
            namespace: where they are.
            selector: of their labels.
            seconds: how long at most.

        Raises:
            LocalClusterError: they took longer.
        """
        scope = f"--namespace={namespace}"
        ending = self.kubectl(
            *("get", "pods", scope, f"--selector={selector}"),
            "--output=jsonpath={range .items[?(@.metadata.deletionTimestamp)]}pod/{.metadata.name} {end}",
        ).split()
        if ending:
            self.kubectl("wait", *ending, scope, "--for=delete", f"--timeout={seconds}s")

    def kubeconfig_for_service_account(
        self, namespace: str, name: str, lifetime: timedelta = timedelta(days=30)
    ) -> Path:
        """Log in as a service account: ask the API server for a token (TokenRequest) and write a kubeconfig with it.

        Args:
            namespace: where the service account is; also the kubeconfig's default namespace.
            name: an existing service account.
            lifetime: how long the token is asked to be valid; a cluster may grant less.

        Returns:
            The kubeconfig's path, readable by its owner only; a second call replaces the file.

        Raises:
            LocalClusterError: no such service account.
        """
        seconds = int(lifetime.total_seconds())
        token = self.kubectl(
            "create", "token", name, f"--namespace={namespace}", f"--duration={seconds}s"
        ).strip()
        document = kubeconfig(self._cluster_entry(), f"{namespace}-{name}", token_user(token), namespace)
        path = self._directory / "kubeconfigs" / f"{namespace}-{name}.kubeconfig"
        write_private_yaml(path, document)
        return path

    def _cluster_entry(self) -> dict[str, Any]:
        view = json.loads(self.kubectl("config", "view", "--raw", "--minify", "--flatten", "--output=json"))
        entry: dict[str, Any] = view["clusters"][0]["cluster"]
        return entry

    def _apply(self, sources: list[str], standard_input: str | None = None) -> None:
        applied = self.kubectl(
            "apply",
            "--server-side",
            "--force-conflicts",
            "--field-manager=local-cluster",
            "--output=name",
            *sources,
            standard_input=standard_input,
        ).split()
        crds = [name for name in applied if name.startswith(_CRD_PREFIX)]
        if crds:
            self.kubectl("wait", "--for=condition=Established", f"--timeout={_ESTABLISHED_SECONDS}s", *crds)
