"""The condition keys of every request, whatever it asks for. Pure.

Source: "AWS global condition context keys" in the IAM user guide.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any


def moment(now: datetime) -> dict[str, list[str]]:
    """When a request is made."""
    return {
        "aws:currenttime": [now.strftime("%Y-%m-%dT%H:%M:%SZ")],
        "aws:epochtime": [str(int(now.timestamp()))],
    }


def transport(environ: Mapping[str, Any]) -> dict[str, list[str]]:
    """How a request came in, according to its WSGI environment."""
    return {
        "aws:securetransport": ["true" if environ.get("wsgi.url_scheme") == "https" else "false"],
        "aws:sourceip": [str(environ.get("REMOTE_ADDR") or "127.0.0.1")],
        "aws:useragent": [str(environ.get("HTTP_USER_AGENT", ""))],
    }
