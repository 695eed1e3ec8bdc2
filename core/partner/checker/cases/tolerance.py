"""What must never be an error: fields that are unknown or null, names that are empty, and headers that vary."""

from __future__ import annotations

from core.partner.checker.case import Case, Origin
from core.partner.checker.conversation import Conversation
from core.partner.checker.judging import UnmetError, require
from core.partner.checker.requesting import Json, company, user_of
from core.partner.messages.requests import CloudProvider, ConnectionScope

_OPTIONAL = (
    *("connection_id", "cloud_provider_region", "destination_location", "catalog_name", "database_name"),
    *("data_source_connector", "connection_scope"),
)
_UNKNOWN: Json = {
    "a_new_field": "x",
    "another": {"inner": [1, None, {"deep": True}]},
    "user_info.a_new_field": [],
    "staging_location": "s3://old",
    "user_info.oauth_token": "unused",
}
_LOCATIONS = {
    CloudProvider.AWS: "s3://bucket/folder",
    CloudProvider.AZURE: "abfss://container@account.dfs.core.windows.net/folder",
    CloudProvider.GCP: "gs://bucket/folder",
}
_FULL: Json = {
    "catalog_name": "odd`name'with\"quotes;--\u00e4",
    "database_name": "default",
    "data_source_connector": "unused",
    "user_info.first_name": "Zo\u00eb \U0001f600",
    "user_info.last_name": "O'Brien",  # no more of it: what looks like an attack is refused before it arrives
}


def _body(talk: Conversation, changes: Json | None = None) -> Json:
    return talk.requests.connect(user_of(company()), talk.requests.workspace(), changes)


async def unknown_fields(talk: Conversation) -> None:
    await talk.made(_body(talk, _UNKNOWN))


async def nulls(talk: Conversation) -> None:
    body = _body(talk)
    unset = {name: None for name in _OPTIONAL}
    auth = {} if "auth" in body["user_info"] else {"user_info.auth": None}
    oauth = {name: None for name in ("service_principal_oauth_secret", "oauth_u2m_app_id") if name not in body}
    await talk.made(_body(talk, {**unset, **auth, **oauth}))


async def all_fields(talk: Conversation) -> None:
    location = _LOCATIONS[talk.subject.cloud()]
    for scope in ConnectionScope:
        await talk.made(_body(talk, {**_FULL, "destination_location": location, "connection_scope": scope.value}))


async def empty_names(talk: Conversation) -> None:
    await talk.made(_body(talk, {"user_info.first_name": "", "user_info.last_name": ""}))


async def content_types(talk: Conversation) -> None:
    for kind in ("application/json", "application/json;charset=UTF-8", "Application/JSON; charset=utf-8"):
        await talk.made(_body(talk), headers={"Content-Type": kind})


async def languages(talk: Conversation) -> None:
    for language in ("en-us", "de-DE,de;q=0.8,en;q=0.5", None):
        await talk.made(_body(talk), headers={"Accept-Language": language})


async def codings(talk: Conversation) -> None:
    """H807: without a word of gzip the body is plain."""
    body = _body(talk)
    for accepted in ("identity", None):
        await talk.made(body, headers={"Accept-Encoding": accepted})
        last = next(each for each in reversed(talk.exchanges) if each.method == "POST")
        coding = last.answer.headers.get("content-encoding", "identity") if last.answer is not None else ""
        plain = accepted is None or coding == "identity"
        require(plain, "a plain body where identity is asked for", f"Content-Encoding is {coding}")


async def no_user_agent(talk: Conversation) -> None:
    answer = await talk.connect(_body(talk), {"User-Agent": None})
    talk.should(answer.status in (200, 201), f"connect without User-Agent is answered by {answer.status}")


async def other_methods(talk: Conversation) -> None:
    """H809: Databricks calls by no other method, but a status that is not declared, as 405, is best given nowhere."""
    for method in ("GET", "PUT"):
        try:
            await talk.call("connect_path", method=method)
        except UnmetError as error:
            talk.should(False, f"{method} on connect: {error}")


CASES = (
    Case("H801", "Unknown fields are ignored", Origin.HOUSEKEYS, unknown_fields),
    Case("H802", "null is the same as absent", Origin.HOUSEKEYS, nulls),
    Case("H803", "All optional fields are taken, whatever they hold", Origin.HOUSEKEYS, all_fields),
    Case("H804", "Names may be empty", Origin.HOUSEKEYS, empty_names),
    Case("H805", "Content-Type is taken with and without charset", Origin.HOUSEKEYS, content_types),
    Case("H806", "Accept-Language may be anything, or absent", Origin.HOUSEKEYS, languages),
    Case("H807", "The body is not coded unless that was accepted", Origin.HOUSEKEYS, codings),
    Case("H808", "User-Agent may be absent", Origin.HOUSEKEYS, no_user_agent),
    Case("H809", "Another method is no undeclared status", Origin.HOUSEKEYS, other_methods),
)
