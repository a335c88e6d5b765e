"""Ports for containers: nobody else's, and never the same twice."""

from __future__ import annotations

import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from sagemaker_local.instances import ports
from sagemaker_local.instances.ports import NoFreePort, PortReservations, outside_ephemeral_range, taken

RESERVE_IN_ANOTHER_PROCESS = """
import sys
from sagemaker_local.instances.ports import PortReservations
reservations = PortReservations([int(sys.argv[1])])
print(reservations.reserve(), flush=True)
sys.stdin.read()
"""


def free_ports(count: int) -> list[int]:
    """Ports in which this test alone is interested."""
    reservations = PortReservations()
    found = [reservations.reserve() for _ in range(count)]
    for port in found:
        reservations.release(port)
    return found


def test_no_port_is_handed_out_twice() -> None:
    reservations = PortReservations(free_ports(20))
    assert len({reservations.reserve() for _ in range(20)}) == 20
    with pytest.raises(NoFreePort, match="all 20 ports"):
        reservations.reserve()


def test_a_port_that_was_given_back_can_be_had_again() -> None:
    (port,) = free_ports(1)
    reservations = PortReservations([port])
    assert reservations.reserve() == port
    reservations.release(port)
    assert reservations.reserve() == port


def test_a_port_on_which_somebody_listens_is_not_handed_out() -> None:
    busy, free = free_ports(2)
    with socket.create_server(("127.0.0.1", busy)):
        assert PortReservations([busy, free]).reserve() == free
        assert taken(busy)
    assert not taken(free)


@pytest.mark.skipif(sys.platform != "linux", reason="reservations between processes need abstract sockets")
def test_two_servers_never_reserve_the_same_port() -> None:
    mine, other = free_ports(2)
    with subprocess.Popen(
        [sys.executable, "-c", RESERVE_IN_ANOTHER_PROCESS, str(mine)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        with closing(process.stdin):
            assert int(process.stdout.readline()) == mine
            assert PortReservations([mine, other]).reserve() == other
    kept = PortReservations([mine])
    assert kept.reserve() == mine


def test_ports_that_serve_connections_are_left_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    setting = tmp_path / "ip_local_port_range"
    setting.write_text("15000\t60999\n")
    monkeypatch.setattr(ports, "_EPHEMERAL_RANGE", setting)
    assert max(outside_ephemeral_range()) == 14_999


def test_a_machine_that_serves_connections_from_everywhere_still_has_ports(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    setting = tmp_path / "ip_local_port_range"
    setting.write_text("1024\t65535\n")
    monkeypatch.setattr(ports, "_EPHEMERAL_RANGE", setting)
    assert len(outside_ephemeral_range()) == 20_000
