"""What can go wrong with OAuth, told apart by what is to be done about it."""

from __future__ import annotations

from core.display import one_line
from core.errors import RefusedError, UnreachableError
from core.partner.security.redaction import redacted

_SHOWN = 200  # characters of what Databricks says


class OAuthRefusedError(RefusedError):
    """Databricks refuses to give a token. `code` is OAuth's own word, such as `invalid_client`."""

    def __init__(self, message: str, *, code: str = "", advice: str = "", detail: str = "") -> None:
        super().__init__(message, advice=advice, detail=detail)
        self.code = code


class MustAuthorizeAgainError(OAuthRefusedError):
    """There is no refresh token that is still good: the user must authorise again."""

    def __init__(self, connection_id: str, detail: str = "") -> None:
        super().__init__(
            f"The authorisation of partner connection {one_line(connection_id, 80)!r} has ended.",
            code="invalid_grant",
            advice="The user must authorise it again.",
            detail=detail,
        )


class AuthorizationStateError(RefusedError):
    """A callback does not belong to an authorization that was begun in the same browser. One message for all."""

    def __init__(self) -> None:
        super().__init__(
            "This authorisation is not known here, was finished before, or has taken too long.",
            advice="Begin it again from the page of the partner connection.",
        )


def refused(host: object, code: str, description: str) -> OAuthRefusedError:
    """The error for an answer of OAuth with `error` and `error_description`, which are a stranger's text."""
    code, description = one_line(redacted(code), 60), one_line(redacted(description), _SHOWN)
    said = f"{code}: {description}" if description else code
    advice = {
        "invalid_client": "Check the client id; where its secret has ended, have the partner connection made again.",
        "unauthorized_client": "The OAuth app is not set up for this: check it in Databricks.",
        "invalid_scope": "Check the scopes that the OAuth app has in Databricks.",
        "access_denied": "The user, or an administrator, did not allow it.",
    }.get(code, "")
    return OAuthRefusedError(f"{host} refuses the authorisation.", code=code, advice=advice, detail=said)


def foreign_answer(host: object, what: str, text: str = "") -> UnreachableError:
    """The error for an answer that is not OAuth's: a proxy, a page for people, a server in trouble."""
    return UnreachableError(
        f"{host} does not answer as Databricks does: {what}.",
        advice="Try again later.",
        detail=one_line(redacted(text), _SHOWN),
    )
