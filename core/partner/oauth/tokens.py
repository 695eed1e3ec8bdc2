"""Access tokens as Databricks gives them: read strictly, used until shortly before their end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from core.partner.oauth.calling import Answer
from core.partner.oauth.failures import OAuthRefusedError, foreign_answer, refused
from core.partner.security.hosts import WorkspaceHost
from core.secrets import Secret

LONGEST_TOKEN = 32 * 1024  # characters
_UNSAID_LIFETIME = 300.0  # seconds, the shortest life that an app can give its tokens
_LONGEST_LIFETIME = 86_400.0
_EARLY = 120.0  # seconds before its end in which a token is not used any more; at most a fifth of its life


@dataclass(frozen=True, slots=True)
class DatabricksClient:
    """Who asks for tokens, and where: a partner connection, its workspace, and the id of the OAuth client."""

    connection_id: str
    host: WorkspaceHost
    client_id: str


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A bearer token, and the moment on the clock of `core.keys.key_ring.seconds` from which it is not used."""

    value: Secret = field(repr=False)
    use_until: float

    def usable(self, now: float) -> bool:
        """Whether it can still be handed out."""
        return now < self.use_until


@dataclass(frozen=True, slots=True)
class Granted:
    """What the token endpoint gave."""

    access: AccessToken
    refresh: Secret | None = field(repr=False)


def read_granted(host: WorkspaceHost, answer: Answer, asked_at: float) -> Granted:
    """The tokens in an answer of the token endpoint. Raises OAuthRefusedError, UnreachableError."""
    if answer.status != 200:
        raise _refusal(host, answer)
    body = answer.body
    access, refresh = _token(body, "access_token"), _token(body, "refresh_token")
    if access is None or str(body.get("token_type", "Bearer")).lower() != "bearer":
        raise foreign_answer(host, "no bearer token is in its answer")
    lifetime = _lifetime(body.get("expires_in"))
    until = asked_at + lifetime - min(_EARLY, lifetime / 5)
    return Granted(AccessToken(access, until), refresh)


def _refusal(host: WorkspaceHost, answer: Answer) -> Exception:
    code, description = answer.body.get("error"), answer.body.get("error_description", "")
    if answer.status in (400, 401, 403) and isinstance(code, str) and isinstance(description, str):
        return refused(host, code, description)
    if answer.status in (401, 403):
        return OAuthRefusedError(f"{host} refuses the authorisation.", detail=f"HTTP {answer.status}")
    return foreign_answer(host, f"HTTP {answer.status}")


def _token(body: Mapping[str, Any], name: str) -> Secret | None:
    value = body.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_TOKEN:
        return None
    # It becomes part of a header: nothing of it may begin another one.
    return Secret(value, passing=True) if value.isascii() and value.isprintable() and " " not in value else None


def _lifetime(said: object) -> float:
    try:
        seconds = float(said) if isinstance(said, int | float | str) and not isinstance(said, bool) else 0.0
    except (ValueError, OverflowError):
        seconds = 0.0
    return min(seconds, _LONGEST_LIFETIME) if seconds > 0 else _UNSAID_LIFETIME
