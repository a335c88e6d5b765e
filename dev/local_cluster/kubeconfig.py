"""Kubeconfig documents, as https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/ defines them."""

from __future__ import annotations

import base64
import os
from pathlib import Path
from typing import Any

import yaml

__all__ = ["certificate_user", "encoded", "kubeconfig", "token_user", "write_private_yaml"]


def kubeconfig(
    cluster: dict[str, Any], user_name: str, user: dict[str, Any], namespace: str
) -> dict[str, Any]:
    """A kubeconfig with one cluster, one user and one context.

    Args:
        cluster: the `cluster` part: server, certificate-authority-data and so on.
        user_name: what the user is called in the file.
        user: the `user` part: a certificate or a token.
        namespace: the namespace used when none is asked for.
    """
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "cluster", "cluster": cluster}],
        "users": [{"name": user_name, "user": user}],
        "contexts": [
            {"name": user_name, "context": {"cluster": "cluster", "user": user_name, "namespace": namespace}}
        ],
        "current-context": user_name,
    }


def certificate_user(certificate: Path, key: Path) -> dict[str, str]:
    """The `user` part for somebody who logs in with a client certificate."""
    return {"client-certificate-data": encoded(certificate), "client-key-data": encoded(key)}


def token_user(token: str) -> dict[str, str]:
    """The `user` part for somebody who logs in with a bearer token."""
    return {"token": token}


def encoded(path: Path) -> str:
    """A file's content in base64, as kubeconfig's `*-data` fields carry it."""
    return base64.b64encode(path.read_bytes()).decode()


def write_private_yaml(path: Path, document: dict[str, Any]) -> None:
    """Write `document`, which holds credentials, readable by its owner only, in one step."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    partial.unlink(missing_ok=True)
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        yaml.safe_dump(document, file, sort_keys=False)
    partial.replace(path)
