"""`LocalCluster`: start a real API server, use it, stop it.

In a test it is a context manager whose servers die with the test run; a cluster that ran before it is left running. From the
command line it is `detached`: the servers stay, and the state directory's record lets later commands find them. A start either
ends with a ready cluster or leaves nothing running.

The state directory keeps certificates, ports and objects, so a second start is the same cluster again, at the same
address; `fresh=True` empties it.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from local_cluster import binaries as control_plane_binaries
from local_cluster.access import Cluster
from local_cluster.audit_barrier import AUDIT_BARRIER, pass_audit_barrier
from local_cluster.audit_log import AUDIT_POLICY, AuditEvent, AuditLog
from local_cluster.binary_cache import ControlPlaneBinaries, Report
from local_cluster.certificates import CertificateFiles, ensure_certificates
from local_cluster.cluster_state import ClusterRecord, ClusterStatus, StateDirectory
from local_cluster.control_plane import (
    LOOP_BACK,
    SERVICE_ADDRESS,
    KubeletAccess,
    Ports,
    etcd_command,
    kube_apiserver_command,
)
from local_cluster.errors import LocalClusterError
from local_cluster.free_ports import free_port, is_free
from local_cluster.kubeconfig import certificate_user, encoded, kubeconfig, write_private_yaml
from local_cluster.processes import ProcessIdentity, is_alive, start
from local_cluster.readiness import AdminProbe, last_complaint

__all__ = ["LocalCluster"]

_READY_SECONDS = 90.0
_ANSWER_SECONDS = 15.0
_POLL_SECONDS = 0.05
_REPORT_EVERY_SECONDS = 5.0
_PORT_ATTEMPTS = 3


class _PortTakenError(LocalClusterError):
    """Somebody took a port between our choosing it and the server's listening on it."""


class LocalCluster(Cluster):
    """etcd and kube-apiserver in a state directory.

    Args:
        state_dir: where the cluster lives; made if absent.
        port: where the API server shall listen; by default the last port, else any free one.
        detached: False: the servers die with the calling thread. True: they outlive this process.
        binaries: the programs; by default found, downloaded or built.
        report: takes progress lines.

    Raises:
        LocalClusterError: the programs cannot be had.
    """

    _keeps_objects = True

    def __init__(
        self,
        state_dir: Path,
        *,
        port: int | None = None,
        detached: bool = False,
        binaries: ControlPlaneBinaries | None = None,
        report: Report = lambda _line: None,
    ) -> None:
        self._binaries = binaries or control_plane_binaries.ensure(report)
        self._state = StateDirectory(state_dir.absolute())
        self._wanted_port = port
        self._detached = detached
        self._report = report
        self._probe: AdminProbe | None = None
        self._stop_on_exit = False
        self._address = LOOP_BACK
        self._audit_log = AuditLog(self._state.audit_log)
        super().__init__(self._state.admin_kubeconfig, self._binaries.kubectl, self._state.root)

    def __enter__(self) -> Self:
        self._stop_on_exit = self.start()
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        if self._stop_on_exit:
            self.stop()

    def start(self, *, fresh: bool = False) -> bool:
        """Start the cluster and wait until it is ready for use.

        Args:
            fresh: begin without any objects, audit log or service accounts' kubeconfigs of an earlier start.

        Returns:
            False if it was running already, and is used as it is.

        Raises:
            LocalClusterError: it did not become ready, and nothing is left running; or its port is taken; or
                another command is busy with the state directory.
        """
        with self._state.locked():
            record = self._state.read_record()
            if not fresh and self._find_running(record):
                return False
            if self._state.stop_processes():
                self._report("stopped what an earlier start left running")
            if fresh or not self._keeps_objects:
                self._forget()
            write_private_yaml(self._state.audit_policy, AUDIT_POLICY)
            for attempt in range(_PORT_ATTEMPTS):
                try:
                    self._start_servers(self._choose_ports(record))
                    break
                except _PortTakenError:
                    if attempt == _PORT_ATTEMPTS - 1:
                        raise
        return True

    def stop(self) -> bool:
        """Stop the cluster; its objects stay in the state directory.

        Returns:
            Whether anything was running.
        """
        with self._state.locked():
            return self._state.stop_processes()

    def audit_position(self) -> int:
        """Where the audit log ends now, every finished request included; see `audit_events`."""
        self._pass_audit_barrier()
        return self._audit_log.position()

    def audit_events(self, since: int = 0) -> list[AuditEvent]:
        """What clients did after a position of the audit log, oldest first.

        Args:
            since: from `audit_position`; 0 for everything.

        Raises:
            LocalClusterError: the API server does not answer.
        """
        self._pass_audit_barrier()
        return [event for event in self._audit_log.events(since) if AUDIT_BARRIER not in event.request_uri]

    def _pass_audit_barrier(self) -> None:
        if self._probe is None:
            raise LocalClusterError(f"the cluster in {self._state.root} was not started by this object")
        pass_audit_barrier(self._probe, self._audit_log)

    def _is_of_this_kind(self, record: ClusterRecord) -> bool:
        return record.node_number is None

    def _forget(self) -> None:
        for directory in (
            self._state.etcd_data,
            self._state.root / "kubeconfigs",
            self._state.root / "kubectl-cache",
        ):
            shutil.rmtree(directory, ignore_errors=True)
        for log in self._state.root.glob("audit*.log"):
            log.unlink()

    def _certificates(self) -> CertificateFiles:
        return ensure_certificates(self._state.certificates, [SERVICE_ADDRESS])

    def _kubelet_access(self) -> KubeletAccess | None:
        """How the API server reaches a node, where there is one."""
        return None

    def _before_servers(self, record: ClusterRecord) -> ClusterRecord:
        """Start what has to be there before the API server."""
        return record

    def _once_ready(self, record: ClusterRecord, _probe: AdminProbe) -> ClusterRecord:
        """Start what needs an API server, and wait for it."""
        return record

    def _find_running(self, record: ClusterRecord) -> bool:
        """Adopt the cluster that an earlier start left running, if it runs and answers."""
        port = record.api_server_port
        if record.status is not ClusterStatus.RUNNING or port is None:
            return False
        if self._wanted_port not in (None, port):
            raise LocalClusterError(
                f"the cluster in {self._state.root} runs on port {port} already; stop it to change its port"
            )
        if not self._is_of_this_kind(record):
            raise LocalClusterError(
                f"the cluster in {self._state.root} runs {'without' if record.node_number is None else 'with'} a node; "
                "stop it first, or choose another state directory"
            )
        probe = AdminProbe(self._address, port, self._certificates())
        try:
            self._wait_until_ready(record, probe, _ANSWER_SECONDS)
        except LocalClusterError as error:
            self._report(f"the running cluster does not answer, starting it again: {error}")
            return False
        self._probe = probe
        return True

    def _choose_ports(self, record: ClusterRecord) -> Ports:
        if self._wanted_port is not None:
            if not is_free(self._wanted_port):
                raise LocalClusterError(
                    f"port {self._wanted_port} on 127.0.0.1 is in use; stop what listens there or choose another port"
                )
            api_server = self._wanted_port
        elif record.api_server_port is not None and is_free(record.api_server_port):
            api_server = record.api_server_port
        else:
            api_server = free_port()
        return Ports(kube_apiserver=api_server, etcd=free_port())

    def _start_servers(self, ports: Ports) -> None:
        record = ClusterRecord(api_server_port=ports.kube_apiserver, etcd_port=ports.etcd)
        try:
            record = self._before_servers(record)
            certificates = self._certificates()
            record = self._start(
                record, "etcd", etcd_command(self._binaries, self._state, certificates, ports)
            )
            record = self._start(
                record,
                "kube-apiserver",
                kube_apiserver_command(
                    self._binaries, self._state, certificates, ports, self._kubelet_access()
                ),
            )
            self._write_admin_kubeconfig(ports.kube_apiserver, certificates)
            probe = AdminProbe(self._address, ports.kube_apiserver, certificates)
            self._wait_until_ready(record, probe, _READY_SECONDS)
            self._once_ready(record, probe)
        except BaseException:
            # An API server that waits for its store does not listen to SIGTERM, and has nothing to lose yet.
            self._state.stop_processes(grace_seconds=0)
            raise
        self._probe = probe

    def _start(
        self,
        record: ClusterRecord,
        name: str,
        command: Sequence[str],
        environment: Mapping[str, str] | None = None,
    ) -> ClusterRecord:
        """Start a server and have it on record."""

        def with_it(process: ProcessIdentity) -> ClusterRecord:
            return replace(record, processes={**record.processes, name: process})

        log = self._state.log_of(name)
        return with_it(
            start(
                command,
                log,
                detached=self._detached,
                environment=environment,
                remember=lambda process: self._state.write_record(with_it(process)),
            )
        )

    def _write_admin_kubeconfig(self, port: int, certificates: CertificateFiles) -> None:
        cluster = {
            "server": f"https://{self._address}:{port}",
            "certificate-authority-data": encoded(certificates.authority),
        }
        user = certificate_user(certificates.admin.certificate, certificates.admin.key)
        write_private_yaml(self._state.admin_kubeconfig, kubeconfig(cluster, "admin", user, "default"))

    def _wait_until_ready(self, record: ClusterRecord, probe: AdminProbe, seconds: float) -> None:
        self._wait_for(record, "kube-apiserver", probe.unready, seconds)

    def _wait_for(
        self, record: ClusterRecord, name: str, ask: Callable[[], str | None], seconds: float
    ) -> None:
        """Wait until a server is ready, and every other one lives.

        Args:
            record: those that were started.
            name: the server.
            ask: says what it waits for; None once it is ready.
            seconds: how long.

        Raises:
            LocalClusterError: it is not ready in time, or one has ended.
        """
        started = reported = time.monotonic()
        while (unready := ask()) is not None:
            for other, process in record.processes.items():
                if not is_alive(process):
                    raise self._explain_death(other)
            now = time.monotonic()
            if now - started > seconds:
                log = self._state.log_of(name)
                raise LocalClusterError(
                    f"{name} is not ready after {seconds:.0f} s: {unready}; "
                    f"it last complained: {last_complaint(log)} (log: {log})"
                )
            if now - reported > _REPORT_EVERY_SECONDS:
                reported = now
                self._report(f"not ready after {now - started:.0f} s: {unready}")
            time.sleep(_POLL_SECONDS)

    def _explain_death(self, name: str) -> LocalClusterError:
        log = self._state.log_of(name)
        complaint = last_complaint(log)
        kind = _PortTakenError if "address already in use" in complaint else LocalClusterError
        return kind(f"{name} ended: {complaint} (log: {log})")
