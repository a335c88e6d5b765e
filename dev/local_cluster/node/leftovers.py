"""What the kernel does not tidy up when a node ends: empty control groups, and files."""

from __future__ import annotations

import shutil

from local_cluster.node import control_groups
from local_cluster.node.network import NodeNetwork, alone_on_this_machine, wait_until_gone
from local_cluster.node.state import NodeDirectory

__all__ = ["remove_leftovers"]


def remove_leftovers(node: NodeDirectory, network: NodeNetwork) -> None:
    """Wait for the end of a node that was killed, and remove what it left.

    Raises:
        LocalClusterError: something of it does not end.
    """
    control_groups.wait_until_empty(network.name)
    wait_until_gone(network)
    with alone_on_this_machine():
        control_groups.remove_abandoned()
    shutil.rmtree(node.root, ignore_errors=True)
