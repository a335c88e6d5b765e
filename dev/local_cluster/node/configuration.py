"""The files that containerd, kubelet, kube-proxy and the network plugins read. Pure but for `write`.

Three things are unusual, because the node shares a machine: no program touches settings of the whole kernel (OOM scores,
connection tracking), nothing is evicted before the disk is really full, and images come from archives alone, never from a registry.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from local_cluster.node.network import NodeNetwork
from local_cluster.node.requirements import CNI_PLUGINS
from local_cluster.node.state import NodeDirectory

__all__ = ["NODE_NAME", "PAUSE_IMAGE", "containerd_configuration", "write_configuration"]

NODE_NAME = "node-1"
PAUSE_IMAGE = "local-cluster/pause:1"
_NEEDLESS_PLUGINS = (
    *(f"io.containerd.snapshotter.v1.{name}" for name in ("aufs", "btrfs", "zfs", "devmapper")),
    "io.containerd.tracing.processor.v1.otlp",
    "io.containerd.internal.v1.tracing",
)


def write_configuration(node: NodeDirectory, network: NodeNetwork, certificates: Path) -> None:
    """Write all of them.

    Args:
        node: where they go.
        network: the addresses.
        certificates: the directory of the cluster's certificates.
    """
    node.file("containerd.toml").write_text(containerd_configuration(node))
    node.file("kubelet.yaml").write_text(yaml.safe_dump(kubelet_configuration(node, network, certificates)))
    node.file("kube-proxy.yaml").write_text(
        yaml.safe_dump(kube_proxy_configuration(network, node.kubeconfig("kube-proxy")))
    )
    (node.networks / "10-pods.conflist").write_text(json.dumps(pod_network(node, network)))


def containerd_configuration(node: NodeDirectory) -> str:
    """Format: https://github.com/containerd/containerd/blob/release/1.6/docs/man/containerd-config.toml.5.md"""
    cri = 'plugins."io.containerd.grpc.v1.cri"'
    return f"""version = 2
root = {json.dumps(str(node.images))}
state = {json.dumps(str(node.containers))}
disabled_plugins = {json.dumps(_NEEDLESS_PLUGINS)}
[grpc]
  address = {json.dumps(str(node.socket))}
[plugins."io.containerd.internal.v1.opt"]
  path = {json.dumps(str(node.file("opt")))}
[{cri}]
  sandbox_image = {json.dumps(f"docker.io/{PAUSE_IMAGE}")}
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  [{cri}.cni]
    bin_dir = {json.dumps(str(CNI_PLUGINS))}
    conf_dir = {json.dumps(str(node.networks))}
  [{cri}.containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [{cri}.containerd.runtimes.runc.options]
      SystemdCgroup = false
"""


def kubelet_configuration(node: NodeDirectory, network: NodeNetwork, certificates: Path) -> dict[str, Any]:
    """Format: https://kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1/"""
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(certificates / "ca.crt")},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": str(certificates / "kubelet.crt"),
        "tlsPrivateKeyFile": str(certificates / "kubelet.key"),
        "address": network.node_address,
        "containerRuntimeEndpoint": f"unix://{node.socket}",
        "volumePluginDir": str(node.file("volume-plugins")),
        "cgroupRoot": f"/{network.name}",
        "cgroupDriver": "cgroupfs",
        "failCgroupV1": False,
        # Lets it go on where it may not set what holds for the whole kernel.
        "featureGates": {"KubeletInUserNamespace": True},
        "failSwapOn": False,
        "evictionHard": {"memory.available": "100Mi", "nodefs.available": "1%", "imagefs.available": "1%"},
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
        "healthzPort": 0,
        "resolvConf": "",
        "shutdownGracePeriod": "0s",
    }


def kube_proxy_configuration(network: NodeNetwork, kubeconfig: Path) -> dict[str, Any]:
    """Format: https://kubernetes.io/docs/reference/config-api/kube-proxy-config.v1alpha1/"""
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "clientConnection": {"kubeconfig": str(kubeconfig)},
        "mode": "iptables",
        "clusterCIDR": network.pods,
        "conntrack": {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
        "healthzBindAddress": "127.0.0.1:10256",
        "metricsBindAddress": "127.0.0.1:10249",
    }


def pod_network(node: NodeDirectory, network: NodeNetwork) -> dict[str, Any]:
    """Format: https://www.cni.dev/docs/spec/"""
    return {
        "cniVersion": "1.0.0",
        "name": network.name,
        "plugins": [
            {
                "type": "bridge",
                "bridge": "pods",
                "isGateway": True,
                "ipMasq": False,
                "hairpinMode": True,
                "ipam": {
                    "type": "host-local",
                    "dataDir": str(node.file("addresses")),
                    "ranges": [[{"subnet": network.pods}]],
                    "routes": [{"dst": "0.0.0.0/0"}],
                },
            },
            {"type": "portmap", "capabilities": {"portMappings": True}},
        ],
    }
