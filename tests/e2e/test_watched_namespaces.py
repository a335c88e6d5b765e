"""Promise: a namespace that an operator is to watch may come, lose its Role and get it back, and no other is held up by that."""

from __future__ import annotations

import json
from pathlib import Path

from chart.conftest import helm, tools
from chart.rendering import Helm
from e2e.flight import eventually
from e2e.some_namespaces import apply, model, operator_of, read, rights_of, runtime, wait_for_state
from local_cluster.access import Cluster
from sagemaker_local.testing import LocalAws

__all__ = ["helm", "tools"]


def test_a_namespace_that_comes_and_loses_its_rights_is_watched_again_without_a_restart(
    cluster: Cluster, namespace: str, operator_kubeconfig: Path, tmp_path: Path, aws: LocalAws, helm: Helm
) -> None:
    home, later = f"{namespace}-ops", f"{namespace}-later"
    cluster.create_namespace(home)
    rights = rights_of(helm, home, namespace, later)
    of_later = [each for each in rights if each["metadata"].get("namespace") == later]
    apply(cluster, *(each for each in rights if each not in of_later))
    with operator_of(cluster, tmp_path, aws, home, namespace, later) as operator:

        def watched() -> dict[str, float]:
            return {
                name: operator.metric("avatar_namespace_watched", namespace=name)
                for name in (namespace, later)
            }

        assert watched() == {namespace: 1, later: 0}
        apply(cluster, runtime(home, namespace, later), model(namespace, home))
        wait_for_state(cluster, "avm", "ann", namespace, "Ready")

        cluster.create_namespace(later)
        apply(cluster, *of_later, model(later, home))
        wait_for_state(cluster, "avm", "ann", later, "Ready")
        assert watched() == {namespace: 1, later: 1}

        # As when the namespace is deleted: its RoleBinding goes first, and what lives there waits for the operator.
        cluster.kubectl("delete", "rolebinding/avatar-operator-avatars", f"--namespace={later}")
        cluster.kubectl("delete", "avm/ann", f"--namespace={later}", "--wait=false")
        apply(cluster, model(namespace, home, name="bob"))
        wait_for_state(cluster, "avm", "bob", namespace, "Ready")
        assert read(cluster, "avm", "ann", later)["metadata"]["finalizers"] == ["avatars.dev/cleanup"]
        lent = ("clusterrolebinding", f"{home}-lent")
        cluster.kubectl(
            "create", *lent, "--clusterrole=avatar-operator", f"--serviceaccount={home}:avatar-operator"
        )
        cluster.kubectl("wait", "avm/ann", f"--namespace={later}", "--for=delete", "--timeout=90s")

        cluster.kubectl("delete", "avm", "--all", f"--namespace={namespace}", "--timeout=60s")
        cluster.kubectl("delete", "avrt", home, "--timeout=60s")
        cluster.kubectl("delete", *lent)
        assert operator.is_running()
    log = [json.loads(line) for line in operator.log.read_text().splitlines() if line.startswith("{")]
    told = [line["event"].partition(":")[0] for line in log if line.get("namespace") == later]
    assert told[:2] == ["the namespace cannot be watched", "the namespace can be watched"]


def test_a_runtime_does_not_go_from_under_a_namespace_of_which_an_operator_that_began_anew_knows_nothing(
    cluster: Cluster, namespace: str, operator_kubeconfig: Path, tmp_path: Path, aws: LocalAws, helm: Helm
) -> None:
    home, closed = f"{namespace}-ops", f"{namespace}-closed"
    for name in (home, closed):
        cluster.create_namespace(name)
    rights = rights_of(helm, home, namespace, closed)
    apply(cluster, *rights)
    with operator_of(cluster, tmp_path / "before", aws, home, namespace, closed):
        apply(cluster, runtime(home, namespace, closed), model(closed, home))
        wait_for_state(cluster, "avm", "ann", closed, "Ready")
    cluster.kubectl("delete", "rolebinding/avatar-operator-avatars", f"--namespace={closed}")

    def why_it_stays() -> str:
        conditions = read(cluster, "avrt", home).get("status", {}).get("conditions", ())
        return next((each["message"] for each in conditions if each["reason"] == "InUse"), "")

    with operator_of(cluster, tmp_path / "anew", aws, home, namespace, closed):
        cluster.kubectl("delete", "avrt", home, "--wait=false")
        eventually(why_it_stays, lambda said: f"may be in use in {closed}," in said)

        apply(cluster, *rights)
        eventually(why_it_stays, lambda said: f"such as AvatarModel {closed}/ann" in said)
        cluster.kubectl("delete", "avm/ann", f"--namespace={closed}", "--timeout=60s")
        cluster.kubectl("wait", f"avrt/{home}", "--for=delete", "--timeout=90s")
