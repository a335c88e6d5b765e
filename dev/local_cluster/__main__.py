"""`python -m local_cluster up|down|status`: a cluster that stays up until it is told to stop."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from pathlib import Path
from types import FrameType

from local_cluster.cluster import LocalCluster
from local_cluster.cluster_state import ClusterStatus, StateDirectory
from local_cluster.errors import LocalClusterError
from local_cluster.node.cluster import NodeCluster

__all__ = ["main"]


def main(arguments: list[str] | None = None) -> int:
    """Run one command.

    Returns:
        0 on success; 1 on an error, or from `status` when the cluster does not run; 130 when interrupted.
    """
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, _stop_cleanly)
    try:
        return {"up": _up, "down": _down, "status": _status}[options.command](options)
    except LocalClusterError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; nothing is left running", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="local_cluster", description=(__doc__ or "").strip())
    commands = parser.add_subparsers(dest="command", required=True, metavar="up|down|status")
    up = commands.add_parser("up", help="start the cluster, or find it running")
    up.add_argument(
        "--port", type=_port, help="where the API server shall listen (default: the last, else any free)"
    )
    up.add_argument("--fresh", action="store_true", help="begin without the objects of an earlier start")
    up.add_argument(
        "--node",
        action="store_true",
        help="with a node that runs Pods (root, containerd); it begins without objects",
    )
    down = commands.add_parser(
        "down", help="stop the cluster; without a node, its objects are kept for the next start"
    )
    status = commands.add_parser("status", help="say whether the cluster runs")
    for command in (up, down, status):
        command.add_argument("--state-dir", type=Path, required=True, help="where the cluster lives")
    return parser


def _port(text: str) -> int:
    if not (text.isdecimal() and 1 <= int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"{text!r} is not a port number (1 to 65535)")
    return int(text)


def _up(options: argparse.Namespace) -> int:
    started = time.monotonic()
    kind = NodeCluster if options.node else LocalCluster
    cluster = kind(options.state_dir, port=options.port, detached=True, report=_report)
    if cluster.start(fresh=options.fresh):
        _report(f"the cluster is ready after {time.monotonic() - started:.1f} s")
    else:
        _report("the cluster is running already")
    if isinstance(cluster, NodeCluster):
        _report(f"Pods reach this machine as {cluster.host_address}")
    print(f"export KUBECONFIG={cluster.admin_kubeconfig}")
    return 0


def _down(options: argparse.Namespace) -> int:
    state = StateDirectory(options.state_dir.absolute())
    if not state.root.is_dir():
        _report(f"no cluster in {state.root}")
        return 0
    with state.locked():
        stopped = state.stop_processes()
    _report("the cluster is stopped" if stopped else "the cluster was not running")
    return 0


def _status(options: argparse.Namespace) -> int:
    state = StateDirectory(options.state_dir.absolute())
    record = state.read_record()
    if record.status is ClusterStatus.RUNNING:
        print(f"{record.status} on port {record.api_server_port}; KUBECONFIG={state.admin_kubeconfig}")
        return 0
    print(record.status)
    return 1


def _report(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _stop_cleanly(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
