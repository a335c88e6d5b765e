"""The cluster's own certificate authority and the few certificates that its two servers and the admin need.

One authority signs everything: this is a control plane for one person on a loopback address. Keys are ECDSA P-256,
because making RSA keys would take longer than starting etcd. Certificates last as long as the state directory is
likely to, and they are kept with it, so kubeconfig files stay valid when the cluster starts again.
"""

from __future__ import annotations

import datetime
import ipaddress
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

__all__ = ["Authority", "CertificateFiles", "KeyPair", "ensure_certificates"]

_VALIDITY = datetime.timedelta(days=3650)


@dataclass(frozen=True)
class KeyPair:
    """Paths of a PEM certificate and its PEM private key."""

    certificate: Path
    key: Path

    @classmethod
    def named(cls, directory: Path, name: str) -> KeyPair:
        """The files `name.crt` and `name.key` in `directory`."""
        return cls(directory / f"{name}.crt", directory / f"{name}.key")


@dataclass(frozen=True)
class CertificateFiles:
    """Every certificate and key of a cluster.

    `server` is shown by both etcd and kube-apiserver, `etcd_client` by kube-apiserver to etcd, `admin` by the admin
    to kube-apiserver (group system:masters); `service_accounts` signs service-account tokens.
    """

    authority: Path
    server: KeyPair
    etcd_client: KeyPair
    admin: KeyPair
    service_accounts: Path


@dataclass(frozen=True)
class Authority:
    """Whoever signs; its key is nowhere but here, so nothing can be issued once it is forgotten."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @classmethod
    def make(cls, name: str) -> Authority:
        """A new one, which signs itself."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certificate = (
            _builder(subject, issuer=subject, key=key)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_key_usage(signs_certificates=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        return cls(certificate, key)

    def issue(
        self,
        files: KeyPair,
        name: str,
        *,
        organization: str | None = None,
        host_names: Sequence[str] = (),
        addresses: Sequence[str] = (),
    ) -> None:
        """Make a key and a certificate.

        Args:
            files: where they go.
            name: whom it names.
            organization: the group that Kubernetes takes from it.
            host_names: what a server is called; with neither these nor addresses it is a client's certificate alone.
            addresses: IP addresses of a server.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        attributes = [x509.NameAttribute(NameOID.COMMON_NAME, name)]
        if organization is not None:
            attributes.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization))
        names: list[x509.GeneralName] = [
            *(x509.DNSName(host_name) for host_name in host_names),
            *(x509.IPAddress(ipaddress.ip_address(address)) for address in addresses),
        ]
        # etcd's HTTP gateway calls its own gRPC port with the server certificate, so that one is a client's as well.
        purposes = [ExtendedKeyUsageOID.CLIENT_AUTH, *([ExtendedKeyUsageOID.SERVER_AUTH] if names else [])]
        builder = (
            _builder(x509.Name(attributes), issuer=self.certificate.subject, key=key)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False
            )
        )
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        certificate = builder.sign(self.key, hashes.SHA256())
        files.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        _write_key(files.key, key)


def ensure_certificates(
    directory: Path,
    addresses: Sequence[str],
    others: Callable[[Authority, Path], None] = lambda _authority, _directory: None,
) -> CertificateFiles:
    """Make the certificates unless `directory` has them; it appears whole or not at all.

    Args:
        directory: where they are, or will be made.
        addresses: IP addresses that the servers have beside their loop-back one.
        others: issues what else there shall be in the directory that it is given.

    Raises:
        OSError: the directory cannot be written.
    """
    if not directory.is_dir():
        partial = directory.with_name(f".{directory.name}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(mode=0o700, parents=True)
        others(_make_all(_files(partial), addresses), partial)
        partial.rename(directory)
    return _files(directory)


def _files(directory: Path) -> CertificateFiles:
    return CertificateFiles(
        authority=directory / "ca.crt",
        server=KeyPair.named(directory, "server"),
        etcd_client=KeyPair.named(directory, "etcd-client"),
        admin=KeyPair.named(directory, "admin"),
        service_accounts=directory / "service-accounts.key",
    )


def _make_all(files: CertificateFiles, addresses: Sequence[str]) -> Authority:
    authority = Authority.make("local-cluster")
    files.authority.write_bytes(authority.certificate.public_bytes(serialization.Encoding.PEM))
    authority.issue(
        files.server,
        "kube-apiserver",
        host_names=["localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"],
        addresses=["127.0.0.1", "::1", *addresses],
    )
    authority.issue(files.etcd_client, "kube-apiserver-etcd-client")
    authority.issue(files.admin, "admin", organization="system:masters")
    _write_key(files.service_accounts, ec.generate_private_key(ec.SECP256R1()))
    return authority


def _builder(
    subject: x509.Name, *, issuer: x509.Name, key: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        # A little into the past: containers and virtual machines wake up with clocks that disagree.
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + _VALIDITY)
    )


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _write_key(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    encoded = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(encoded)
