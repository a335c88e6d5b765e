"""Ask the API server how it is, and find in a server's log why it is not well."""

from __future__ import annotations

import http.client
import re
import ssl
from pathlib import Path

from local_cluster.certificates import CertificateFiles
from local_cluster.errors import one_line

__all__ = ["AdminProbe", "last_complaint"]

_REQUEST_SECONDS = 5.0
_LOG_TAIL_BYTES = 32 * 1024
_COMPLAINT = re.compile(r"^[EF]\d{4} |^Error: |\t(error|fatal|panic)\t")


class AdminProbe:
    """Single GET requests as the cluster's admin, which no proxy setting can divert from this machine.

    Args:
        address: where the API server listens.
        port: at which port.
        certificates: the cluster's.
    """

    def __init__(self, address: str, port: int, certificates: CertificateFiles) -> None:
        self._address = address
        self._port = port
        self._tls = ssl.create_default_context(cafile=certificates.authority)
        self._tls.load_cert_chain(certificates.admin.certificate, certificates.admin.key)

    def get(self, path: str) -> tuple[int, str]:
        """GET `path`.

        Returns:
            The HTTP status and the body; status 0 and the reason if nobody answers.
        """
        connection = http.client.HTTPSConnection(
            self._address, self._port, timeout=_REQUEST_SECONDS, context=self._tls
        )
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read().decode(errors="replace")
        except (OSError, http.client.HTTPException) as error:
            return 0, one_line(str(error))
        finally:
            connection.close()

    def unready(self) -> str | None:
        """What the API server still waits for, in one line; None when it is ready for use."""
        status, body = self.get("/readyz?verbose")
        if status != 200:
            failing = re.findall(r"^\[-\](\S+)", body, re.MULTILINE)
            return f"waiting for {', '.join(failing)}" if failing else f"/readyz: {status or body}"
        # Made by a controller that /readyz does not wait for.
        status, _body = self.get("/api/v1/namespaces/default")
        return None if status == 200 else "waiting for the default namespace"


def last_complaint(log: Path) -> str:
    """The last error in a server's log, else its last line, in one line."""
    try:
        with log.open("rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - _LOG_TAIL_BYTES))
            lines = file.read().decode(errors="replace").splitlines()
    except FileNotFoundError:
        return "it wrote no log"
    lines = [line for line in lines if line.strip()]
    complaints = [line for line in lines if _COMPLAINT.search(line)]
    return one_line((complaints or lines or ["its log is empty"])[-1])
