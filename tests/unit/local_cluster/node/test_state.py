"""A node's directory is refused where its programs could not work in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from local_cluster.errors import LocalClusterError
from local_cluster.node.state import NodeDirectory


def test_a_path_too_long_for_containerds_second_socket_is_refused(tmp_path: Path) -> None:
    # containerd says of more than 104 bytes that they are too many.
    room = 104 - len(f"{tmp_path}//containerd.sock.ttrpc")

    NodeDirectory(tmp_path / ("a" * room)).make()
    with pytest.raises(LocalClusterError, match="too long for a socket"):
        NodeDirectory(tmp_path / ("a" * (room + 1))).make()


@pytest.mark.parametrize("place", ["/run/node", "/var/lib/cluster/node", "/var/log/node"])
def test_a_place_that_the_node_does_not_see_is_refused(place: str) -> None:
    with pytest.raises(LocalClusterError, match="is not visible to a node"):
        NodeDirectory(Path(place)).make()
    assert not Path(place).exists()
