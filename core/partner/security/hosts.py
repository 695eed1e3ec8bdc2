"""Which hosts are called and which are pointed to: workspaces of Databricks only, and the partner's own host names.

Whoever holds the Basic credential chooses `hostname`, `workspace_url` and the JDBC URLs of a request; without this
list the service would carry secrets wherever such a request says, into its own network as well.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from core.display import one_line
from core.errors import BadInputError
from core.partner.messages.requests import CloudProvider

HTTPS_PORT = 443
ZONES = {
    CloudProvider.AWS: (".cloud.databricks.com", ".cloud.databricks.us"),
    CloudProvider.AZURE: (".azuredatabricks.net", ".databricks.azure.us", ".databricks.azure.cn"),
    CloudProvider.GCP: (".gcp.databricks.com",),
}
"""The DNS zones of workspaces. Source: databricks-sdk, `databricks.sdk.environments`."""

_LONGEST = 253
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})+", re.ASCII)
_NUMBER = re.compile(r"(?:[0-9]+|0x[0-9a-f]*)", re.ASCII)
_JDBC = re.compile(r"jdbc:(?:spark|databricks)://(?P<authority>[^/;?#\s]*)(?:[/;][^\s]*)?", re.IGNORECASE | re.ASCII)
_AUTHORITY = re.compile(r"(?P<host>[^:@\[\]]+)(?::(?P<port>[0-9]{1,5}))?", re.ASCII)


class HostRefusedError(BadInputError):
    """A host that is not on the list, or a URL that hides which host it means."""


@dataclass(frozen=True, slots=True)
class WorkspaceHost:
    """The host of a workspace, in lower case, known to be one of Databricks. Only such a one is ever called."""

    name: str

    def __str__(self) -> str:
        return self.name


def host_name(text: str, what: str = "") -> str:
    """`text` as a DNS name in lower case, in which it is compared: DNS knows no case. `what` is where it was said.

    Raises HostRefusedError for anything else: an address, a port, a user, a dot at the end, other letters than ASCII.
    """
    name = text.lower() if text.isascii() else ""
    if len(name) > _LONGEST or not _NAME.fullmatch(name) or _NUMBER.fullmatch(name.rpartition(".")[2]):
        said = f"{what}: {one_line(text, 80)!r}" if what else repr(one_line(text, 80))
        raise HostRefusedError(f"{said} is not the name of a host.", advice="As a.example.com, alone.")
    return name


def workspace_host(text: str, cloud: CloudProvider | None = None) -> WorkspaceHost:
    """The host of a workspace, of one cloud if it is given. Raises HostRefusedError."""
    name = host_name(text)
    zones = ZONES[cloud] if cloud else tuple(zone for zones in ZONES.values() for zone in zones)
    if not name.endswith(zones):
        where = f" in the cloud {cloud}" if cloud else ""
        raise HostRefusedError(
            f"{one_line(name, 80)!r} is not the host of a Databricks workspace{where}.",
            advice=f"Such hosts end in {', '.join(zones)}.",
        )
    return WorkspaceHost(name)


def check_workspace(
    hostname: str, workspace_url: str, jdbc_urls: Iterable[str | None] = (), cloud: CloudProvider | None = None
) -> WorkspaceHost:
    """The host that all of a request's ways to the workspace name. Raises HostRefusedError."""
    host = workspace_host(host_name(hostname, "hostname"), cloud)
    named = [("workspace_url", _workspace_url_host(workspace_url))]
    named += [("the JDBC URL", _jdbc_host(url)) for url in jdbc_urls if url is not None]
    for what, name in named:
        if name != host.name:
            raise HostRefusedError(f"hostname is {host}, and {what} names another host, {one_line(name, 80)}.")
    return host


def check_redirect(url: str, hostnames: Collection[str]) -> None:
    """Check that a link of ours leads to one of `hostnames` of the PartnerConfig, or below it, by https.

    By http to this machine only, where a partner tries it out. Raises HostRefusedError.
    """
    parts = _split(url, "The redirect URL")
    host = (parts.hostname or "").lower()
    local = host in ("localhost", "127.0.0.1")
    if not local:
        host = host_name(host)
    if parts.scheme != "https" and not (local and parts.scheme == "http"):
        raise HostRefusedError("The redirect URL must begin with https://.")
    allowed = [name.lower() for name in hostnames]
    if not any(host == name or (not local and host.endswith(f".{name}")) for name in allowed if name.strip(".")):
        raise HostRefusedError(
            f"The redirect URL leads to {one_line(host, 80)!r}, which is not among hostnames of the PartnerConfig.",
            advice=f"Allowed are {one_line(', '.join(allowed), 200)} and what is below them.",
        )


def _workspace_url_host(url: str) -> str:
    parts = _split(url, "workspace_url")
    if parts.scheme != "https" or parts.path not in ("", "/") or parts.fragment:
        raise HostRefusedError(
            f"workspace_url {one_line(url, 120)!r} is not the address of a workspace.", advice="As https://HOST/?o=ID."
        )
    return _https_host(parts.netloc, "workspace_url")


def _jdbc_host(url: str) -> str:
    match = _JDBC.fullmatch(url)
    if match is None:
        # Not repeated: drivers allow a token in the URL.
        raise HostRefusedError("The JDBC URL cannot be read.", advice="As jdbc:databricks://HOST:443/...;httpPath=...")
    return _https_host(match["authority"], "the JDBC URL")


def _https_host(authority: str, what: str) -> str:
    match = _AUTHORITY.fullmatch(authority)
    if match is None or (match["port"] is not None and int(match["port"]) != HTTPS_PORT):
        raise HostRefusedError(f"{what} names a user, an address or another port than {HTTPS_PORT} besides the host.")
    return host_name(match["host"], what)


def _split(url: str, what: str) -> SplitResult:
    # urlsplit drops tabs and line breaks, browsers take a backslash for a slash: the host would be another one.
    if not url.isascii() or not url.isprintable() or any(sign in url for sign in " \\"):
        raise HostRefusedError(f"{what} holds characters that a URL never has.")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise HostRefusedError(f"{what} cannot be read as a URL.") from None
    if "@" in parts.netloc or "%" in parts.netloc or "[" in parts.netloc or port == 0:
        raise HostRefusedError(f"{what} names a user, an address or another port besides the host.")
    return parts
