"""The certificates of a local cluster."""

from __future__ import annotations

import ssl
from pathlib import Path

from cryptography import x509

from local_cluster.certificates import CertificateFiles, ensure_certificates

SERVICE_ADDRESS = "10.96.0.1"


def all_files(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def handshake(server_files: CertificateFiles, client_files: CertificateFiles, host: str) -> ssl.SSLObject:
    """TLS between etcd's or kube-apiserver's certificate and the admin's, in memory; returns the server's side."""
    server_context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=server_files.authority)
    server_context.verify_mode = ssl.CERT_REQUIRED
    server_context.load_cert_chain(server_files.server.certificate, server_files.server.key)
    client_context = ssl.create_default_context(cafile=client_files.authority)
    client_context.load_cert_chain(client_files.admin.certificate, client_files.admin.key)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = server_context.wrap_bio(to_server, to_client, server_side=True)
    client = client_context.wrap_bio(to_client, to_server, server_hostname=host)
    finished: set[ssl.SSLObject] = set()
    while len(finished) < 2:
        for side in (client, server):
            try:
                side.do_handshake()
                finished.add(side)
            except ssl.SSLWantReadError:
                continue
    return server


def test_the_admin_and_the_servers_trust_each_other(tmp_path: Path) -> None:
    files = ensure_certificates(tmp_path / "certificates", [SERVICE_ADDRESS])

    for host in ("127.0.0.1", "localhost", "kubernetes.default.svc", SERVICE_ADDRESS):
        shown = handshake(files, files, host).getpeercert(binary_form=True)
        assert shown is not None
        assert "O=system:masters" in x509.load_der_x509_certificate(shown).subject.rfc4514_string()


def test_they_are_made_once_and_kept(tmp_path: Path) -> None:
    ensure_certificates(tmp_path / "certificates", [SERVICE_ADDRESS])
    before = all_files(tmp_path / "certificates")

    ensure_certificates(tmp_path / "certificates", [SERVICE_ADDRESS])

    assert all_files(tmp_path / "certificates") == before


def test_an_interrupted_making_is_begun_again(tmp_path: Path) -> None:
    partial = tmp_path / ".certificates.partial"
    partial.mkdir()
    (partial / "ca.crt").write_text("half")

    files = ensure_certificates(tmp_path / "certificates", [SERVICE_ADDRESS])

    assert files.admin.key.exists()
    assert not partial.exists()


def test_private_keys_are_readable_by_their_owner_only(tmp_path: Path) -> None:
    ensure_certificates(tmp_path / "certificates", [SERVICE_ADDRESS])

    keys = list((tmp_path / "certificates").glob("*.key"))
    assert len(keys) == 4
    assert {key.stat().st_mode & 0o777 for key in keys} == {0o600}
