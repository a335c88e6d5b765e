"""What a node's programs are told is of one piece."""

from __future__ import annotations

import tomllib
from pathlib import Path

import yaml

from local_cluster.binary_cache import ControlPlaneBinaries
from local_cluster.certificates import CertificateFiles, KeyPair
from local_cluster.cluster_state import StateDirectory
from local_cluster.control_plane import KubeletAccess, Ports, kube_apiserver_command
from local_cluster.node.configuration import PAUSE_IMAGE, containerd_configuration, write_configuration
from local_cluster.node.network import NodeNetwork
from local_cluster.node.state import NodeDirectory


def test_containerd_keeps_everything_in_the_nodes_directory(tmp_path: Path) -> None:
    node = NodeDirectory(tmp_path / 'a "quoted" place')

    told = tomllib.loads(containerd_configuration(node))

    assert told["root"] == str(node.images)
    assert told["grpc"]["address"] == str(node.socket)
    cri = told["plugins"]["io.containerd.grpc.v1.cri"]
    assert cri["cni"]["conf_dir"] == str(node.networks)
    assert cri["sandbox_image"] == f"docker.io/{PAUSE_IMAGE}"


def test_kubelet_talks_to_this_containerd_and_answers_nobody_without_a_name(tmp_path: Path) -> None:
    node, network = NodeDirectory(tmp_path), NodeNetwork(3)
    node.make()

    write_configuration(node, network, tmp_path / "certificates")

    kubelet = yaml.safe_load(node.file("kubelet.yaml").read_text())
    assert kubelet["containerRuntimeEndpoint"] == f"unix://{node.socket}"
    assert kubelet["authentication"]["anonymous"] == {"enabled": False}
    assert kubelet["address"] == network.node_address
    assert kubelet["cgroupRoot"] == "/avatar-node-3"


def test_an_api_server_with_a_node_listens_to_the_node_and_to_nobody_else(tmp_path: Path) -> None:
    pair = KeyPair.named(tmp_path, "one")
    certificates = CertificateFiles(tmp_path / "ca.crt", pair, pair, pair, tmp_path / "accounts.key")
    programs = ControlPlaneBinaries(tmp_path, tmp_path, tmp_path)
    ports = Ports(kube_apiserver=1, etcd=2)

    command = kube_apiserver_command(
        programs, StateDirectory(tmp_path), certificates, ports, KubeletAccess("10.203.0.1", pair)
    )

    assert [argument for argument in command if "address=" in argument] == [
        "--bind-address=10.203.0.1",
        "--advertise-address=10.203.0.1",
    ]
