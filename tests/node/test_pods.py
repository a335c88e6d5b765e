"""What Pods on the node can do: run without rights, and reach the API server, Services and this machine."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator

import pytest

from builders.pods import ClusterWithPods, restricted_pod
from local_cluster.errors import LocalClusterError

pytestmark = [pytest.mark.node, pytest.mark.usefixtures("python_image")]

_STAY = "import signal; signal.pause()"
_FETCH = "import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1], timeout=20).read().decode())"
_ASK_API_SERVER = """
import json, os, ssl, urllib.request
account = "/var/run/secrets/kubernetes.io/serviceaccount"
address = f"https://{os.environ['KUBERNETES_SERVICE_HOST']}:{os.environ['KUBERNETES_SERVICE_PORT']}"
request = urllib.request.Request(f"{address}/api", headers={"Authorization": "Bearer " + open(f"{account}/token").read()})
print(json.load(urllib.request.urlopen(request, timeout=20, context=ssl.create_default_context(cafile=f"{account}/ca.crt"))))
"""
_SERVE = """
import http.server
class Hello(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"hello from a Pod")
http.server.ThreadingHTTPServer(("", 8080), Hello).serve_forever()
"""


class _FromTheMachine(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"seen {self.client_address[0]}".encode())

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""


@pytest.fixture
def machine_server(node_cluster: ClusterWithPods) -> Iterator[str]:
    """The URL of a server on this machine, at the address that Pods have for it."""
    server = http.server.ThreadingHTTPServer((node_cluster.host_address, 0), _FromTheMachine)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://{node_cluster.host_address}:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


def output_of(cluster: ClusterWithPods, namespace: str, name: str, *arguments: str) -> str:
    """Run a Pod to its end and return what it printed."""
    cluster.apply_manifest(restricted_pod(name, *arguments), namespace=namespace)
    try:
        wait(cluster, namespace, name, "jsonpath={.status.phase}=Succeeded")
    except LocalClusterError as error:
        pytest.fail(f"{error}: {cluster.kubectl('logs', name, f'--namespace={namespace}')}")
    return cluster.kubectl("logs", name, f"--namespace={namespace}")


def wait(cluster: ClusterWithPods, namespace: str, pod: str, what: str) -> None:
    """Wait for a condition of a Pod."""
    cluster.kubectl("wait", f"pod/{pod}", f"--for={what}", f"--namespace={namespace}", "--timeout=90s")


def test_a_pod_without_rights_runs_from_an_image_that_no_registry_has(
    node_cluster: ClusterWithPods, restricted_namespace: str
) -> None:
    node_cluster.apply_manifest(restricted_pod("still", "-c", _STAY), namespace=restricted_namespace)

    wait(node_cluster, restricted_namespace, "still", "condition=Ready")


def test_a_pod_with_rights_is_refused(node_cluster: ClusterWithPods, restricted_namespace: str) -> None:
    with pytest.raises(LocalClusterError, match="violates PodSecurity"):
        node_cluster.apply_manifest(
            restricted_pod("greedy", "-c", _STAY, hostNetwork=True),
            namespace=restricted_namespace,
        )


def test_a_pod_reaches_the_api_server_as_its_service_account(
    node_cluster: ClusterWithPods, restricted_namespace: str
) -> None:
    answer = output_of(node_cluster, restricted_namespace, "asker", "-c", _ASK_API_SERVER)

    assert "'kind': 'APIVersions'" in answer


def test_a_pod_reaches_another_one_through_a_service_and_people_reach_into_it(
    node_cluster: ClusterWithPods, restricted_namespace: str
) -> None:
    scope = f"--namespace={restricted_namespace}"
    node_cluster.apply_manifest(restricted_pod("server", "-c", _SERVE), namespace=restricted_namespace)
    node_cluster.kubectl("expose", "pod", "server", "--port=80", "--target-port=8080", scope)
    wait(node_cluster, restricted_namespace, "server", "condition=Ready")
    address = json.loads(node_cluster.kubectl("get", "service", "server", scope, "--output=json"))["spec"][
        "clusterIP"
    ]

    fetched = output_of(node_cluster, restricted_namespace, "client", "-c", _FETCH, f"http://{address}/")
    executed = node_cluster.kubectl(
        "exec", "server", scope, "--", "/usr/bin/python3", "-c", "import os; print(os.getuid())"
    )

    assert fetched.strip() == "hello from a Pod"
    assert executed.strip() == "65532"


def test_a_pod_reaches_a_server_on_this_machine_under_its_own_address(
    node_cluster: ClusterWithPods, restricted_namespace: str, machine_server: str
) -> None:
    fetched = output_of(node_cluster, restricted_namespace, "caller", "-c", _FETCH, machine_server)

    pod = json.loads(
        node_cluster.kubectl("get", "pod", "caller", f"--namespace={restricted_namespace}", "--output=json")
    )
    assert fetched.strip() == f"seen {pod['status']['podIP']}"


def test_a_namespace_goes_with_all_that_is_in_it(node_cluster: ClusterWithPods) -> None:
    node_cluster.create_namespace("short-lived")
    node_cluster.apply_manifest(restricted_pod("still", "-c", _STAY), namespace="short-lived")
    wait(node_cluster, "short-lived", "still", "condition=Ready")

    node_cluster.kubectl("delete", "namespace", "short-lived", "--timeout=60s")

    assert node_cluster.kubectl("get", "namespace", "short-lived", "--ignore-not-found") == ""
