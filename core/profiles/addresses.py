"""The address of a server: taken apart from a URL, and checked."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from core.errors import BadInputError
from core.profiles.model import PLAIN_PORT, TLS_PORT

_NATIVE = ("clickhouse", "clickhouses", "tcp", "native", "jdbc")
_HOST = re.compile(r"[\w.-]+", re.UNICODE)
_LABEL = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)")


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server listens for HTTP (`secure` false) or HTTPS."""

    host: str
    port: int
    secure: bool


def read_url(url: str) -> Address:
    """`https://host`, `http://host:8123` and the like.

    Raises BadInputError, which never repeats the URL: people paste passwords in it.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise BadInputError("the URL cannot be read", advice="write it as https://host:8443") from error
    if parts.username is not None or parts.password is not None:
        raise BadInputError(
            "a URL here holds no user and no password",
            advice='write user = "..." and a reference such as password = "env:NAME" instead',
        )
    if parts.scheme in _NATIVE:
        raise BadInputError(
            f"{parts.scheme}:// is not spoken here, only ClickHouse's HTTP interface",
            advice=f"write https://host:{TLS_PORT} or http://host:{PLAIN_PORT}",
        )
    if parts.scheme not in ("http", "https") or not host:
        raise BadInputError("the URL must begin with https:// or http:// and a host", advice="as https://host:8443")
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise BadInputError("the URL must end after the host and the port", advice="settings go to their own table")
    if port == 0:
        raise BadInputError("the port of the URL must be from 1 to 65535", advice="as https://host:8443")
    if problem := host_problem(host):
        raise BadInputError(f"the host of the URL {problem}", advice="write it as https://host:8443")
    secure = parts.scheme == "https"
    return Address(host, (TLS_PORT if secure else PLAIN_PORT) if port is None else port, secure)


def host_problem(host: str) -> str:
    """Why `host` is not the name or IP address of a host, as the end of a sentence; empty when it is."""
    if "://" in host:
        return "is a URL; write url = instead"
    if host.count(":") > 1:
        try:
            ipaddress.IPv6Address(host)
        except ValueError:
            return "is not an IPv6 address"
        return ""
    if ":" in host:
        return "holds a port; write port = instead"
    return "" if _HOST.fullmatch(host) and len(host) <= 253 else "is not the name of a host"


def host_with_port_problem(host: str) -> str:
    """Why `host` is neither a host nor `host:port`, as the end of a sentence; empty when it is."""
    name, colon, port = host.rpartition(":")
    if host.startswith("[") and colon and name.endswith("]"):
        name = name[1:-1]
    elif not colon or host.count(":") > 1:
        return host_problem(host)
    if not (port.isascii() and port.isdigit() and 1 <= int(port) <= 65_535):
        return "has no port from 1 to 65535"
    return host_problem(name)


def within_domain(host: str, domain: str) -> bool:
    """Whether `host` is `domain` or a true subdomain of it, in any case.

    `x.example.com` is within `example.com`, `xexample.com` is not.
    """
    host, domain = host.lower(), domain.lower()
    return bool(domain) and (host == domain or host.endswith(f".{domain}"))


def domain_problem(domain: str) -> str:
    """Why `domain` is not the name of a domain, as the end of a sentence; empty when it is."""
    labels = domain.split(".")
    if len(domain) > 253 or len(labels) < 2 or not all(_LABEL.fullmatch(label) for label in labels):
        return "is not the name of a domain, as example.com"
    return ""
