"""A node's addresses: those that nobody on this machine uses."""

from __future__ import annotations

import pytest

from local_cluster.errors import LocalClusterError
from local_cluster.node.network import NodeNetwork, first_free


def test_the_first_node_has_the_first_addresses() -> None:
    network = first_free(["192.0.2.0/24", "127.0.0.0/8", "10.203.1.0/30"])

    assert (network.host_address, network.node_address, network.pods) == (
        "10.203.0.1",
        "10.203.0.2",
        "10.204.0.0/24",
    )


@pytest.mark.parametrize("taken", ["10.203.0.0/30", "10.203.0.2", "10.204.0.0/24", "10.204.0.128/25"])
def test_a_number_is_passed_over_if_anybody_uses_one_of_its_networks(taken: str) -> None:
    assert first_free([taken]).number == 1


def test_a_route_that_covers_all_of_them_is_one_clear_line() -> None:
    with pytest.raises(LocalClusterError, match=r"routes of this machine cover 10\.203\.0\.0/16"):
        first_free(["10.0.0.0/8"])


def test_the_name_of_the_last_node_is_not_too_long_for_a_link() -> None:
    assert len(NodeNetwork(255).name) == 15
