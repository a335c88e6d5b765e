"""The commands of the runbooks are commands: the real kubectl understands each, and the API server what it asks for."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from local_cluster.access import Cluster

PROJECT = Path(__file__).parents[3]
PLACEHOLDERS = {" NAMESPACE": " default", "avatar-system": "default"}
"""What a person fills in, and where the operator is installed, and something that fits."""
NEEDS_PODS = ("kubectl logs", "kubectl describe pods", "proxy/healthz")


def commands() -> list[str]:
    found = {
        line.strip()
        for page in sorted((PROJECT / "docs" / "runbooks").glob("*.md"))
        for line in page.read_text().splitlines()
        if line.startswith("    ") and line.strip().startswith("kubectl ")
    }
    return sorted(line for line in found if not any(part in line for part in NEEDS_PODS))


@pytest.mark.parametrize("command", commands())
def test_a_command_of_a_runbook_is_understood(command: str, installed: Cluster) -> None:
    for name, value in PLACEHOLDERS.items():
        command = command.replace(name, value)
    ran = subprocess.run(
        ["bash", "-c", command],
        env={
            "PATH": f"{installed.kubectl_program.parent}:{os.environ['PATH']}",
            "KUBECONFIG": str(installed.admin_kubeconfig),
            "HOME": str(installed.admin_kubeconfig.parent),
        },
        capture_output=True,
        text=True,
        timeout=60,
    )
    said = [line for line in ran.stderr.splitlines() if "rror" in line and "(NotFound): leases" not in line]
    assert said == []
