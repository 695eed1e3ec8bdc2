"""An authorization under way: PKCE, state and the URL that the user's browser is sent to. Pure.

PKCE: RFC 7636 with S256. The state names the partner connection, so that the callback finds what it is checked
against, and holds 256 random bits. A second secret stays in the browser that began, as a cookie: a user who is sent a
foreign authorization URL cannot be made to authorise a stranger's partner connection.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit

from core.errors import BadInputError
from core.partner.oauth.discovery import OAuthEndpoints
from core.partner.oauth.failures import AuthorizationStateError
from core.partner.oauth.tokens import DatabricksClient
from core.partner.security.hosts import WorkspaceHost
from core.secrets import Secret

OFFLINE_ACCESS = "offline_access"  # without it there is no refresh token
DEFAULT_SCOPES = ("all-apis", OFFLINE_ACCESS)
LIFETIME = 900.0  # seconds in which a user consents
LONGEST_STATE = 2048  # characters
_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+", re.ASCII)  # RFC 6749, appendix A.4
_STATE = re.compile(r"(?P<connection>[A-Za-z0-9_-]+)\.(?P<random>[A-Za-z0-9_-]{43})", re.ASCII)


@dataclass(frozen=True, slots=True)
class OAuthApp:
    """The OAuth app in whose name users authorise: a public client, so that PKCE stands for a secret."""

    client_id: str
    redirect_uri: str
    published: bool
    scopes: tuple[str, ...] = DEFAULT_SCOPES

    @property
    def redirect_uri_to_announce(self) -> str | None:
        """What the answer to connect says in `oauth_redirect_uri`: an app made for the workspace learns it there."""
        return None if self.published else self.redirect_uri


def published_app(client_id: str, redirect_uri: str, scopes: Sequence[str] = DEFAULT_SCOPES) -> OAuthApp:
    """The app that Databricks has registered once for the partner. Raises BadInputError."""
    return _checked(OAuthApp(client_id, redirect_uri, True, tuple(scopes)))


def workspace_app(oauth_u2m_app_id: str | None, redirect_uri: str, scopes: Sequence[str] = DEFAULT_SCOPES) -> OAuthApp:
    """The app that Partner Connect has made for one workspace, as connect tells. Raises BadInputError."""
    return _checked(OAuthApp(oauth_u2m_app_id or "", redirect_uri, False, tuple(scopes)))


@dataclass(frozen=True, slots=True)
class Begun:
    """An authorization that has begun: where the browser goes, and what it keeps until it comes back."""

    url: str = field(repr=False)
    browser_key: Secret = field(repr=False)


@dataclass(frozen=True, slots=True)
class PendingAuthorization:
    """What the callback is checked against. Kept sealed, for the verifier is in it."""

    client: DatabricksClient
    redirect_uri: str
    issuer: str
    state: str = field(repr=False)
    verifier: str = field(repr=False)
    browser_mark: str = field(repr=False)  # the SHA-256 of the key in the browser
    expires: float  # seconds since 1970: another process may finish it
    tells_issuer: bool = False

    def to_secret(self) -> Secret:
        """The text that is sealed."""
        fields = [
            self.client.connection_id,
            self.client.host.name,
            self.client.client_id,
            self.redirect_uri,
            self.issuer,
            self.state,
            self.verifier,
            self.browser_mark,
            self.expires,
            self.tells_issuer,
        ]
        return Secret(json.dumps(fields), passing=True)

    @classmethod
    def from_secret(cls, secret: Secret) -> PendingAuthorization:
        """Read what `to_secret` wrote; it was sealed, so that nobody else can have written it."""
        connection_id, host, client_id, *rest = json.loads(secret.reveal())
        return cls(DatabricksClient(connection_id, WorkspaceHost(host), client_id), *rest)


def begin(
    client: DatabricksClient, app: OAuthApp, endpoints: OAuthEndpoints, now: float
) -> tuple[PendingAuthorization, Begun]:
    """Begin an authorization: what to keep sealed, and what goes to the browser."""
    verifier, browser_key = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    named = urlsafe_b64encode(client.connection_id.encode("utf-8")).decode("ascii").rstrip("=")
    state = f"{named}.{secrets.token_urlsafe(32)}"
    query = {
        "response_type": "code",
        "client_id": app.client_id,
        "redirect_uri": app.redirect_uri,
        "scope": " ".join(app.scopes),
        "state": state,
        "code_challenge": challenge_of(verifier),
        "code_challenge_method": "S256",
    }
    pending = PendingAuthorization(
        client,
        app.redirect_uri,
        endpoints.issuer,
        state,
        verifier,
        _mark(browser_key),
        now + LIFETIME,
        endpoints.tells_issuer,
    )
    return pending, Begun(f"{endpoints.authorization}?{urlencode(query)}", Secret(browser_key, passing=True))


def challenge_of(verifier: str) -> str:
    """The code challenge of a verifier by S256."""
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    return urlsafe_b64encode(digest).decode("ascii").rstrip("=")


@dataclass(frozen=True, slots=True)
class Callback:
    """What the browser brings back: a code, or an error."""

    connection_id: str
    state: str = field(repr=False)
    code: Secret | None = field(repr=False)
    error: str = ""
    error_description: str = ""
    issuer: str | None = None

    def check(self, pending: PendingAuthorization, browser_key: Secret, now: float) -> None:
        """Check that it belongs to `pending` and comes from the browser that began it.

        Raises AuthorizationStateError. RFC 9207: an issuer that is named must be the one that was asked, and one that
        says that it is named must be.
        """
        same_state = hmac.compare_digest(self.state.encode("ascii"), pending.state.encode("ascii"))
        same_browser = hmac.compare_digest(_mark(browser_key.reveal()), pending.browser_mark)
        same_issuer = self.issuer == pending.issuer or (self.issuer is None and not pending.tells_issuer)
        if not (same_state and same_browser and same_issuer and now < pending.expires):
            raise AuthorizationStateError


def read_callback(query: Sequence[tuple[str, str]]) -> Callback:
    """What the parameters of the callback say. Raises AuthorizationStateError unless they are as they must be."""
    values = dict(query)
    state = values.get("state", "")
    match = _STATE.fullmatch(state) if len(state) <= LONGEST_STATE else None
    code, error = values.get("code", ""), values.get("error", "")
    if match is None or len(values) != len(query) or bool(code) == bool(error):
        raise AuthorizationStateError
    try:
        named = match["connection"]
        connection_id = urlsafe_b64decode(f"{named}{'=' * (-len(named) % 4)}").decode("utf-8")
    except ValueError:
        raise AuthorizationStateError from None
    secret = Secret(code, passing=True) if code else None
    return Callback(connection_id, state, secret, error, values.get("error_description", ""), values.get("iss"))


def _mark(browser_key: str) -> str:
    return hashlib.sha256(browser_key.encode("utf-8", "surrogatepass")).hexdigest()


def _checked(app: OAuthApp) -> OAuthApp:
    if not app.client_id.isprintable() or not app.client_id:
        raise BadInputError(
            "There is no id of the OAuth app for U2M.",
            advice="A published app has a fixed one; otherwise Databricks sends oauth_u2m_app_id with connect.",
        )
    parts = urlsplit(app.redirect_uri)
    if parts.scheme not in ("https", "http") or not parts.netloc or parts.fragment or "*" in app.redirect_uri:
        raise BadInputError("The redirect URI for U2M is not a fixed web address.", advice="As https://HOST/callback.")
    if OFFLINE_ACCESS not in app.scopes or not all(map(_SCOPE.fullmatch, app.scopes)):
        raise BadInputError("The scopes for U2M must have offline_access among them.", advice="As: sql offline_access.")
    return app
