"""A configuration out of a cluster is moved to this machine with nothing but its places changed."""

from __future__ import annotations

from pathlib import Path

import yaml

from monitoring.cluster_prometheus import on_this_machine

IN_THE_CLUSTER = """
global:
  external_labels: {prometheus: monitoring/watching, prometheus_replica: $(POD_NAME)}
rule_files: [/etc/prometheus/rules/prometheus-watching-rulefiles-0/*.yaml]
scrape_configs:
- job_name: serviceMonitor/avatar-system/avatar-operator/0
  honor_labels: true
  kubernetes_sd_configs: [{role: endpoints, namespaces: {names: [avatar-system]}}]
  relabel_configs:
  - {source_labels: [__tmp_hash, __tmp_disable_sharding], regex: $(SHARD);|.+;.+, action: keep}
"""


def test_it_reads_targets_and_rules_from_here_and_is_the_first_of_its_kind() -> None:
    moved = on_this_machine(IN_THE_CLUSTER, Path("/here/found"), Path("/here/rules"))

    here = (
        IN_THE_CLUSTER.replace("$(POD_NAME)", "prometheus-watching-0")
        .replace("$(SHARD)", "0")
        .replace("/etc/prometheus/rules/prometheus-watching-rulefiles-0", "/here/rules")
        .replace(
            "kubernetes_sd_configs: [{role: endpoints, namespaces: {names: [avatar-system]}}]",
            "file_sd_configs: [{files: [/here/found/endpoints.json]}]",
        )
    )
    assert moved == yaml.safe_load(here)
