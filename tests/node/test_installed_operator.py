"""The chart's whole life on a real node, with objects that live through it.

It is one flight: each fixture is a step that goes on from the one before, so a test that is called alone flies as far as it needs.
The tests look at what a step has left; in the order of this file each looks before the next step is taken.

In every step a training is under way, and a model and its pictures stand from the first one on. The backend is the simulated one,
which remembers no claim beyond its process: nothing but the statuses keeps an attempt from being submitted twice.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest

from builders.chart_on_a_node import (
    MODELS_CRD,
    NEWEST_FIELD,
    PREVIOUS_VERSION,
    ChartOnANode,
    write_previous_chart,
)
from builders.chart_tenant import ChartTenant
from builders.container_processes import kill_container
from builders.exact_rights import granted_by_the_chart, rights_in_use, while_installed
from builders.service_account import roles_and_bindings
from chart.rendering import NAMESPACE
from container_images.images import project_version
from local_cluster.node.cluster import NodeCluster
from local_cluster.rights import Account

pytestmark = pytest.mark.node

Object = dict[str, Any]
OPERATOR = Account(NAMESPACE, "avatar-operator")
TRAINING_SECONDS = 5
KILLED = 128 + 9


@dataclass(frozen=True)
class Flight:
    """A chart, a tenant of its, and what was there before all that happened.

    Attributes:
        chart: installed or not.
        tenant: whose objects live through it.
        model: Ready since the beginning.
        request: drawn with it.
    """

    chart: ChartOnANode
    tenant: ChartTenant
    model: Object
    request: Object


@dataclass(frozen=True)
class Step:
    """What became of the Pods in a step.

    Attributes:
        before: the Pods that were there.
        after: the Pods that are there since.
    """

    before: list[Object]
    after: list[Object]

    def stayed(self) -> set[str]:
        """Names of the Pods that were there before and are after."""
        return names(self.before) & names(self.after)


@dataclass(frozen=True)
class Killed(Step):
    """A kill besides.

    Attributes:
        leader: name of the Pod whose process it was.
    """

    leader: str


@dataclass(frozen=True)
class Drained(Step):
    """A drain besides.

    Attributes:
        refused: what the API server said when the Pod that was left should have been evicted, too.
        held_up: the Pods while the node was closed.
    """

    refused: str
    held_up: list[Object]


@pytest.fixture(scope="module")
def flight(chart_on_a_node: ChartOnANode, tmp_path_factory: pytest.TempPathFactory) -> Flight:
    """The previous chart, installed; a model that is Ready, and its pictures."""
    chart_on_a_node.apply(write_previous_chart(tmp_path_factory.mktemp("previous-chart")))
    tenant = ChartTenant(chart_on_a_node)
    tenant.settle(TRAINING_SECONDS)
    tenant.begin_what_expires("brief")
    tenant.begin_training("ann")
    return Flight(chart_on_a_node, tenant, tenant.finished_training("ann"), tenant.draw("portraits", "ann"))


@pytest.fixture(scope="module")
def upgraded(flight: Flight) -> Step:
    """`helm upgrade` to the chart as it is."""
    before = flight.chart.pods()
    flight.tenant.begin_training("upgraded")
    flight.chart.apply()
    return Step(before, flight.chart.pods())


@pytest.fixture(scope="module")
def killed(flight: Flight, upgraded: Step) -> Killed:
    """SIGKILL for the leader's process."""
    before, leader = flight.chart.pods(), flight.chart.leader()
    flight.tenant.begin_training("killed")
    kill_container(leader)
    flight.chart.cluster.kubectl(
        *("wait", f"pod/{name_of(leader)}", f"--namespace={NAMESPACE}", "--timeout=60s"),
        "--for=jsonpath={.status.containerStatuses[0].restartCount}=1",
    )
    flight.chart.wait_for_pods("condition=Ready")
    return Killed(before, flight.chart.pods(), name_of(leader))


@pytest.fixture(scope="module")
def drained(flight: Flight, killed: Step) -> Drained:
    """`kubectl drain` of the operator's only node: what it evicts has no place until the node is open again."""
    cluster, tenant = flight.chart.cluster, flight.tenant
    (node,) = cluster.kubectl("get", "nodes", "--output=name").split()
    budget = ("wait", "pdb/avatar-operator", f"--namespace={NAMESPACE}", "--timeout=60s")
    cluster.kubectl(*budget, "--for=jsonpath={.status.currentHealthy}=2")
    before = flight.chart.pods()
    with ThreadPoolExecutor(1) as terminal:
        drain = terminal.submit(flight.chart.drain, node)
        try:
            cluster.kubectl(*budget, "--for=jsonpath={.status.currentHealthy}=1")
            held_up = flight.chart.pods()
            (left,) = names(before) & names(held_up)
            refused = flight.chart.try_to_evict(left)
            tenant.begin_training("drained")
            tenant.finished_training("drained")
        finally:
            cluster.kubectl("uncordon", node)
        drain.result()
    flight.chart.wait_for_pods("condition=Ready")
    return Drained(before, flight.chart.pods(), refused, held_up)


@pytest.fixture(scope="module")
def rolled_back(flight: Flight, drained: Step) -> Step:
    """`helm rollback`."""
    before = flight.chart.pods()
    flight.tenant.begin_training("rolled-back")
    flight.chart.roll_back()
    return Step(before, flight.chart.pods())


@pytest.fixture(scope="module")
def uninstalled(flight: Flight, rolled_back: Step) -> None:
    """`helm uninstall`, with a training under way; then somebody deletes a model."""
    flight.tenant.begin_training("left")
    flight.chart.uninstall()
    flight.tenant.delete("avatarmodel/upgraded")


@pytest.fixture(scope="module")
def reinstalled(flight: Flight, uninstalled: None) -> None:
    """`helm install` over the CRDs that were kept."""
    flight.chart.apply()


@pytest.fixture(scope="module")
def over(flight: Flight, reinstalled: None) -> None:
    """A request that goes with its end, and a model of the beginning, kept for a minute."""
    flight.tenant.draw_what_expires("fleeting", "ann")
    flight.tenant.wait("avatarmodel/brief", "delete")


def name_of(pod: Object) -> str:
    name: str = pod["metadata"]["name"]
    return name


def names(pods: list[Object]) -> set[str]:
    return {name_of(pod) for pod in pods}


def versions(pods: list[Object]) -> set[str]:
    return {pod["metadata"]["labels"]["app.kubernetes.io/version"] for pod in pods}


def knows_newest_field(flight: Flight) -> bool:
    """Whether the CRD has it."""
    path = f"{{.spec.versions[0].schema.openAPIV3Schema.properties.spec.properties.{NEWEST_FIELD}.type}}"
    return flight.chart.cluster.kubectl("get", MODELS_CRD, f"--output=jsonpath={path}") != ""


def assert_untouched(flight: Flight) -> None:
    """What was done before is not done again: model and pictures are what they were, to the letter."""
    assert flight.tenant.find("avatarmodel/ann")["status"] == flight.model["status"]
    assert flight.tenant.find("avatarrequest/portraits")["status"] == flight.request["status"]


def test_two_replicas_run_by_a_number_that_nobody_knows(flight: Flight) -> None:
    pods = flight.chart.pods()

    assert len(pods) == 2
    for pod in pods:
        uid = flight.chart.cluster.kubectl(
            *("exec", name_of(pod), f"--namespace={NAMESPACE}", "--"),
            *("python3", "-c", "import os; print(os.getuid())"),
        )
        assert int(uid) == flight.chart.uid


def test_a_model_is_trained_and_a_request_draws(flight: Flight) -> None:
    assert flight.model["status"]["artifact"]["revision"] == 1
    assert len(flight.request["status"]["images"]) == 2


def test_helm_test_says_that_the_operator_is_ready(flight: Flight) -> None:
    assert "200" in flight.chart.test()


def test_an_upgrade_brings_the_newest_field_and_replaces_every_pod(flight: Flight, upgraded: Step) -> None:
    assert versions(upgraded.before) == {PREVIOUS_VERSION}
    assert versions(upgraded.after) == {project_version()}
    assert not upgraded.stayed()
    assert knows_newest_field(flight)


def test_a_training_goes_on_through_an_upgrade(flight: Flight, upgraded: Step) -> None:
    flight.tenant.finished_training("upgraded")
    assert_untouched(flight)


def test_a_leader_that_was_killed_is_back_where_it_was_and_leads(flight: Flight, killed: Killed) -> None:
    (back,) = [pod for pod in killed.after if name_of(pod) == killed.leader]
    (status,) = back["status"]["containerStatuses"]

    assert status["lastState"]["terminated"]["exitCode"] == KILLED
    assert killed.stayed() == names(killed.before)
    assert name_of(flight.chart.leader()) == killed.leader


def test_what_a_killed_leader_did_goes_on_and_nothing_is_done_twice(flight: Flight, killed: Killed) -> None:
    flight.tenant.finished_training("killed")
    assert_untouched(flight)


def test_a_drain_takes_one_pod_and_has_to_wait_for_another_one_to_be_ready(drained: Drained) -> None:
    assert "disruption budget" in drained.refused
    assert len(names(drained.before) & names(drained.held_up)) == 1
    assert len(drained.after) == 2
    assert not drained.stayed()


def test_the_pod_that_a_drain_leaves_does_the_work(flight: Flight, drained: Drained) -> None:
    flight.tenant.finished_training("drained")
    assert_untouched(flight)


def test_a_rollback_brings_the_former_crd_and_the_former_pods(flight: Flight, rolled_back: Step) -> None:
    assert versions(rolled_back.after) == {PREVIOUS_VERSION}
    assert not knows_newest_field(flight)


def test_a_training_goes_on_through_a_rollback(flight: Flight, rolled_back: Step) -> None:
    flight.tenant.finished_training("rolled-back")
    assert_untouched(flight)


def test_an_uninstall_with_living_objects_ends_and_takes_none_of_them(
    flight: Flight, uninstalled: None
) -> None:
    assert flight.chart.pods() == []
    assert flight.tenant.find("avatarmodel/upgraded")["metadata"]["finalizers"]
    assert_untouched(flight)


def test_a_new_release_takes_the_objects_over_and_goes_on_where_the_former_one_was(
    flight: Flight, reinstalled: None
) -> None:
    assert knows_newest_field(flight)
    flight.tenant.finished_training("left")
    assert_untouched(flight)


def test_a_new_release_ends_what_was_deleted_while_there_was_none(flight: Flight, reinstalled: None) -> None:
    flight.tenant.wait("avatarmodel/upgraded", "delete")


def test_a_new_release_draws_with_a_model_that_the_former_one_trained(
    flight: Flight, reinstalled: None
) -> None:
    request = flight.tenant.draw("more", "ann")

    assert request["status"]["model"] == flight.request["status"]["model"]
    assert_untouched(flight)


def test_the_pods_have_the_rights_that_they_used_and_no_others(
    flight: Flight, over: None, audited_node: NodeCluster
) -> None:
    events = while_installed(OPERATOR, audited_node.audit_events())
    rights = rights_in_use(OPERATOR, roles_and_bindings(audited_node), events)

    assert rights.own == granted_by_the_chart(NAMESPACE)
    assert rights.unused == set()
    assert rights.refused == set()
    # Which kinds there are, as kopf asks at its start; every account may.
    assert {(use.verb, use.url.split("/")[1]) for use in rights.common} == {("get", "api"), ("get", "apis")}
