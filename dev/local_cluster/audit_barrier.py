"""Wait until the audit log has every request that was answered: it is written a moment later."""

from __future__ import annotations

import time
import uuid

from local_cluster.audit_log import AuditLog
from local_cluster.errors import LocalClusterError
from local_cluster.readiness import AdminProbe

__all__ = ["AUDIT_BARRIER", "pass_audit_barrier"]

AUDIT_BARRIER = "audit-barrier="
"""What the addresses of our own requests have in them."""
_AUDIT_SECONDS = 10.0
_POLL_SECONDS = 0.05


def pass_audit_barrier(probe: AdminProbe, audit_log: AuditLog) -> None:
    """Wait until a request of our own is in the log: those answered before it are there then, too.

    Raises:
        LocalClusterError: the API server does not answer, or does not log.
    """
    marker = f"{AUDIT_BARRIER}{uuid.uuid4().hex}"
    position = audit_log.position()
    status, body = probe.get(f"/version?{marker}")
    if status != 200:
        raise LocalClusterError(f"the API server does not answer: {status or body}")
    deadline = time.monotonic() + _AUDIT_SECONDS
    while not any(marker in event.request_uri for event in audit_log.events(position)):
        if time.monotonic() > deadline:
            raise LocalClusterError(f"a request did not appear in {audit_log.path}")
        time.sleep(_POLL_SECONDS)
