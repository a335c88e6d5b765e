"""What a request's signature says before anybody has checked it: whose key, which region, which service.

Routing, faults, persistence and refusals all need it, for requests that moto answers as well; whether the signature is right is
for the authorizer and moto. Source: "Signature Version 4" in the IAM user guide: a credential is
`<access key>/<date>/<region>/<service>/aws4_request`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

_CREDENTIAL = re.compile(r"Credential=([^/,\s]+)/\d+/([^/,\s]+)/([^/,\s]+)/aws4_request")


@dataclass(frozen=True)
class CredentialScope:
    """The parts of a credential that tell what a request is."""

    access_key: str
    region: str
    service: str


def signed_scope(authorization: str) -> CredentialScope | None:
    """Of an Authorization header; None when it holds no credential."""
    found = _CREDENTIAL.search(authorization)
    return CredentialScope(*found.groups()) if found else None


def credential_scope(environ: Mapping[str, Any]) -> CredentialScope | None:
    """Of a request's Authorization header, or else of the query of a presigned URL; None when it is not signed."""
    signed = signed_scope(str(environ.get("HTTP_AUTHORIZATION", "")))
    if signed is not None:
        return signed
    presigned = parse_qs(str(environ.get("QUERY_STRING", ""))).get("X-Amz-Credential", [""])[0]
    return signed_scope(f"Credential={presigned}")
