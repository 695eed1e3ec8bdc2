"""The links that users are led to, and OAuth: what is sent for each of the auth options, and what must come back."""

from __future__ import annotations

from urllib.parse import urlsplit

from core.partner.checker.case import Case, Origin
from core.partner.checker.conversation import Conversation
from core.partner.checker.judging import read_connection, require, unmet
from core.partner.checker.requesting import ABSENT, company, user_of
from core.partner.checker.subject import configured
from core.partner.messages.partner_config import AuthOption, PartnerConfig
from core.partner.messages.responses import Connection

_LOCAL = ("localhost", "127.0.0.1")
_OPENED = 3  # by Databricks, by a scanner of mail, and then by the user


async def opened_often(talk: Conversation) -> None:
    """H601: a machine that opens a link takes nothing away from the user."""
    user, workspace = user_of(company()), talk.requests.workspace()
    made = await talk.made(talk.requests.connect(user, workspace))
    signed_in = await talk.signed_in(user, workspace, made.connection_id or "")
    for url in {made.redirect_uri, made.redirect_uri if signed_in is None else signed_in.redirect_uri}:
        for _ in range(_OPENED):
            await talk.follow(url)


async def m2m(talk: Conversation) -> None:
    await talk.made(talk.requests.connect(user_of(company()), talk.requests.workspace(), {"user_info.auth": ABSENT}))


async def m2m_without_secret(talk: Conversation) -> None:
    changes = {"user_info.auth": ABSENT, "service_principal_oauth_secret": ABSENT, "oauth_u2m_app_id": ABSENT}
    answer = await talk.connect(talk.requests.connect(user_of(company()), talk.requests.workspace(), changes))
    talk.should(answer.status == 400, f"connect without any credential is answered by {answer.status} and not by 400")


async def _new(talk: Conversation) -> Connection:
    return read_connection(await talk.connect(talk.requests.connect(user_of(company()), talk.requests.workspace())))


async def redirect_told(talk: Conversation) -> None:
    found = await _new(talk)
    wanted = "oauth_redirect_uri, for the app that Databricks makes in the workspace"
    require(found.oauth_redirect_uri is not None, wanted, "it is absent")
    try:
        parts = urlsplit(found.oauth_redirect_uri or "")
    except ValueError:
        unmet("an oauth_redirect_uri by https", "it is no URL")
    plain = parts.scheme == "http" and (parts.hostname in _LOCAL or talk.subject.insecure_http)
    safe = bool(parts.hostname) and (parts.scheme == "https" or plain)
    require(safe, "an oauth_redirect_uri by https", f"its scheme is {parts.scheme!r}")
    require(not parts.fragment, "an oauth_redirect_uri without a fragment", "there is one")


async def redirect_not_told(talk: Conversation) -> None:
    found = await _new(talk)
    wanted = "no oauth_redirect_uri: it goes with AUTH_OAUTH_U2M and an app that is not published"
    require(found.oauth_redirect_uri is None, wanted, "it is there")


def _own_app(config: PartnerConfig) -> bool:
    return AuthOption.AUTH_OAUTH_U2M in config.auth_options and not config.is_published_app


_M2M = configured("AUTH_OAUTH_M2M", lambda config: AuthOption.AUTH_OAUTH_M2M in config.auth_options)
_SECRETS = configured(
    "AUTH_PAT or AUTH_OAUTH_M2M alone", lambda config: AuthOption.AUTH_OAUTH_U2M not in config.auth_options
)
_OWN_APP = configured("AUTH_OAUTH_U2M with an app in each workspace", _own_app)
_NO_OWN_APP = configured("a published app, or no AUTH_OAUTH_U2M", lambda config: not _own_app(config))

CASES = (
    Case("H601", "A link may be opened again and again", Origin.HOUSEKEYS, opened_often),
    Case("H701", "OAuth M2M connects without an access token", Origin.HOUSEKEYS, m2m, (_M2M,)),
    Case("H702", "connect refuses a request without credentials", Origin.HOUSEKEYS, m2m_without_secret, (_SECRETS,)),
    Case("H703", "OAuth U2M answers oauth_redirect_uri", Origin.HOUSEKEYS, redirect_told, (_OWN_APP,)),
    Case("H704", "oauth_redirect_uri is absent otherwise", Origin.HOUSEKEYS, redirect_not_told, (_NO_OWN_APP,)),
)
