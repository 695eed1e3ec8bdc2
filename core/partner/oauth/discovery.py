"""Where a workspace gives tokens: read from the documents it publishes, believed only about itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from core.keys.key_ring import seconds
from core.partner.oauth.calling import DatabricksHttp
from core.partner.oauth.failures import foreign_answer
from core.partner.oauth.single_flight import SingleFlight
from core.partner.security.hosts import WorkspaceHost

ISSUER_PATH = "/oidc"  # of every workspace, behind its address
DOCUMENTS = tuple(
    f"{ISSUER_PATH}/.well-known/{name}" for name in ("oauth-authorization-server", "openid-configuration")
)
"""RFC 8414 and OpenID Connect Discovery; one of them is enough. Databricks has both behind the path of the issuer."""
_KEPT_SECONDS = 3600.0
_KEPT = 1000  # workspaces


@dataclass(frozen=True, slots=True)
class OAuthEndpoints:
    """The endpoints of one workspace, all on its own host."""

    issuer: str
    authorization: str
    token: str
    tells_issuer: bool = False  # in every callback (RFC 9207)


class Discovery:
    """Reads the endpoints of workspaces, and keeps them for an hour."""

    def __init__(self, http: DatabricksHttp, clock: Callable[[], float] = seconds) -> None:
        self._http = http
        self._clock = clock
        self._kept: dict[str, tuple[float, OAuthEndpoints]] = {}
        self._flight: SingleFlight[OAuthEndpoints] = SingleFlight()

    async def endpoints(self, host: WorkspaceHost) -> OAuthEndpoints:
        """The endpoints of a workspace. Raises UnreachableError."""
        until, endpoints = self._kept.get(host.name, (0.0, None))
        if endpoints is not None and self._clock() < until:
            return endpoints
        return await self._flight.join(host.name, lambda: self._read(host))

    async def _read(self, host: WorkspaceHost) -> OAuthEndpoints:
        for path in DOCUMENTS:
            answer = await self._http.get(host, path)
            if answer is not None and answer.status == 200:
                endpoints = read_endpoints(host, answer.body, self._http.address(host))
                while len(self._kept) >= _KEPT:
                    del self._kept[next(iter(self._kept))]
                self._kept[host.name] = (self._clock() + _KEPT_SECONDS, endpoints)
                return endpoints
        raise foreign_answer(host, "it publishes no document about its OAuth endpoints")


def read_endpoints(host: WorkspaceHost, document: Mapping[str, Any], address: str) -> OAuthEndpoints:
    """The endpoints in a discovery document, if they are on the workspace itself. Raises UnreachableError."""
    issuer = document.get("issuer")
    if issuer != f"{address}{ISSUER_PATH}":  # RFC 8414, section 3.3: of another issuer nothing is to be used
        raise foreign_answer(host, f"the issuer that it publishes is not {address}{ISSUER_PATH}", str(issuer))
    found = [document.get(name) for name in ("authorization_endpoint", "token_endpoint")]
    for url in found:
        # A secret goes there: not to any other host, whatever the document says. No query can be appended to one.
        if (
            not isinstance(url, str)
            or not url.startswith(f"{address}/")
            or not url.isascii()
            or set(url) & set("?# \\")
        ):
            raise foreign_answer(host, "the OAuth endpoints it publishes are missing or on another host")
    methods = document.get("code_challenge_methods_supported", ["S256"])
    if not isinstance(methods, list) or "S256" not in methods:
        raise foreign_answer(host, "it does not support PKCE with S256")
    authorization, token = map(str, found)
    tells_issuer = document.get("authorization_response_iss_parameter_supported") is True
    return OAuthEndpoints(issuer, authorization, token, tells_issuer)
