"""Bad surroundings: one clear line, a non-zero exit, no traceback, nothing left behind."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from e2e.flight import OperatorProcess
from local_cluster.access import Cluster
from local_cluster.cluster import LocalCluster
from sagemaker_local.testing import LocalAws, environment_without_aws


def _run(**variables: str) -> tuple[int, str]:
    program = Path(sys.executable).parent / "avatar-operator"
    environment = {**environment_without_aws(), "AVATAR_OPERATOR_START_UP_SECONDS": "0", **variables}
    done = subprocess.run(
        [program], env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    lines = [line for line in done.stderr.splitlines() if line.startswith("avatar-operator:")]
    assert "Traceback" not in done.stderr
    assert len(lines) == 1, done.stderr
    return done.returncode, lines[0]


def _kubeconfig(directory: Path, server: str, user: dict[str, str]) -> str:
    path = directory / "kubeconfig"
    path.write_text(
        yaml.safe_dump(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": "c",
                "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
                "clusters": [{"name": "c", "cluster": {"server": server, "insecure-skip-tls-verify": True}}],
                "users": [{"name": "u", "user": user}],
            }
        )
    )
    return str(path)


@pytest.fixture
def server(cluster: Cluster) -> str:
    """The address of the API server."""
    address: str = yaml.safe_load(cluster.admin_kubeconfig.read_text())["clusters"][0]["cluster"]["server"]
    return address


def test_without_an_api_server_it_says_so(tmp_path: Path) -> None:
    code, line = _run(KUBECONFIG=_kubeconfig(tmp_path, "https://127.0.0.1:9", {}))
    assert code == 1
    assert "no answer from the API server" in line


def test_with_wrong_credentials_it_says_so(tmp_path: Path, server: str) -> None:
    code, line = _run(KUBECONFIG=_kubeconfig(tmp_path, server, {"token": "wrong"}))
    assert code == 1
    assert "401 Unauthorized" in line


def test_without_a_kubeconfig_it_says_so(tmp_path: Path) -> None:
    code, line = _run(KUBECONFIG=str(tmp_path / "absent"))
    assert code == 1
    assert "no credentials for the API server" in line


def test_with_a_setting_out_of_range_it_names_the_variable() -> None:
    code, line = _run(AVATAR_OPERATOR_HTTP_PORT="99999")
    assert code == 1
    assert "AVATAR_OPERATOR_HTTP_PORT" in line


def test_with_its_port_taken_it_names_the_variable(operator_kubeconfig: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        code, line = _run(
            KUBECONFIG=str(operator_kubeconfig),
            AVATAR_OPERATOR_START_UP_SECONDS="60",
            AVATAR_OPERATOR_HTTP_HOST="127.0.0.1",
            AVATAR_OPERATOR_HTTP_PORT=str(taken.getsockname()[1]),
        )
    assert code == 1
    assert "AVATAR_OPERATOR_HTTP_PORT" in line


def test_stopped_politely_it_ends_with_zero(tmp_path: Path, operator_kubeconfig: Path, aws: LocalAws) -> None:
    operator = OperatorProcess(tmp_path, operator_kubeconfig, aws)
    operator.start()
    assert operator.stop() == 0


def test_without_the_crds_it_says_how_to_install_them(tmp_path: Path) -> None:
    with LocalCluster(tmp_path / "bare") as bare:
        code, line = _run(KUBECONFIG=str(bare.admin_kubeconfig))
    assert code == 1
    assert "kubectl apply -f crds/" in line
