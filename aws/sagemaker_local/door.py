"""Who is let in: programs that call this server by its own name. Web pages are not. Pure.

Whoever may call this server may run code on its machine: a model's environment is the caller's, and a process starts with it. So
what a developer's browser can be talked into must not get this far. A page can send requests to any address in three ways, and
browsers mark each of them so that the page itself cannot take the mark away:

- a request of another origin, a form or a preflight: it has `Origin`;
- a picture, a frame, a script, a link that is followed, none of which has: `Sec-Fetch-Site` says anything but `none`, which is
  what a user's own address bar says;
- DNS rebinding: the page's own name is made to lead here, which to the browser is the same origin: `Host` is that foreign name.

The server's own origin is no exception, because an object in a bucket may be a page as well. Addresses of this machine cannot be
rebound, and every name below `localhost` leads to it (RFC 6761), which S3's virtual-hosted buckets use. Other names have to be
allowed: that of a Kubernetes Service, of a container's host, or of AWS itself where a resolver leads it here.

A browser marks requests with `Sec-Fetch-Site` only if they go to its own machine (or by TLS). On another machine's address a
page can still cause requests without a body whose answers it never sees: a port that is reached from a network is open to it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from sagemaker_local.errors import AwsError

_HERE = ("localhost", "127.0.0.1", "[::1]")
_HOST_HEADER = re.compile(r"(?P<name>\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:\d*)?", re.IGNORECASE)
_HOST = re.compile(r"\[[0-9a-f:.]+\]|[a-z0-9_-]+(\.[a-z0-9_-]+)*", re.IGNORECASE)
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[^/?#@\s]+", re.IGNORECASE)


@dataclass(frozen=True)
class Door:
    """What is let in beside programs that call this machine by its own names.

    Attributes:
        hosts: further names of this server; what is below one of them (`bucket.name`) is let in too.
        origins: whose pages may call this server.
    """

    hosts: frozenset[str] = frozenset()
    origins: frozenset[str] = frozenset()

    @classmethod
    def open_to(cls, hosts: Sequence[str], origins: Sequence[str]) -> Door:
        """A door that also lets in what somebody has asked for.

        Raises:
            ValueError: with one sentence that says what is wrong with a host or an origin.
        """
        for host in hosts:
            if not _HOST.fullmatch(host):
                raise ValueError(
                    f"--allow-host {host!r} must be a name or an address alone, as in aws.example"
                )
        for origin in origins:
            if not _ORIGIN.fullmatch(origin):
                raise ValueError(
                    f"--allow-origin {origin!r} must be an origin as browsers send it, as in http://localhost:3000"
                )
        return cls(frozenset(map(str.lower, hosts)), frozenset(map(str.lower, origins)))

    def refusal(self, headers: Mapping[str, Any], address: str) -> AwsError | None:
        """Why a request is not let in; None for one that is.

        Arguments:
            headers: the request's WSGI environment.
            address: the address of this machine to which the caller has connected.
        """
        host = str(headers.get("HTTP_HOST", ""))
        if not self._is_ours(host, address):
            return _refused(
                f"Host {host!r} is not a name of this server. If it shall be one, start it with --allow-host NAME"
            )
        page = _page(headers)
        if page is not None and page not in self.origins:
            return _refused(
                f"a web page ({page or 'it does not say which'}) may not call this server. "
                "If it shall, start the server with --allow-origin ORIGIN"
            )
        return None

    def _is_ours(self, host: str, address: str) -> bool:
        said = _HOST_HEADER.fullmatch(host)
        if said is None:
            return False
        name = said["name"].lower().removesuffix(".")
        return any(name == known or name.endswith(f".{known}") for known in (*_HERE, address, *self.hosts))


def _page(headers: Mapping[str, Any]) -> str | None:
    """The origin of the page that a request comes from, empty if it is kept secret; None if it comes from no page."""
    origin = headers.get("HTTP_ORIGIN")
    if origin is not None:
        return str(origin).lower()
    if headers.get("HTTP_SEC_FETCH_SITE", "none") == "none":
        return None
    # A picture's request has no Origin. Its Referer can be left out by a page, and not be forged.
    referer = urlsplit(str(headers.get("HTTP_REFERER", "")))
    return f"{referer.scheme}://{referer.netloc}".lower() if referer.netloc else ""


def _refused(why: str) -> AwsError:
    return AwsError(
        "AccessDeniedException", f"sagemaker-local: {why}; docs/sagemaker-local.md says more", 403
    )
