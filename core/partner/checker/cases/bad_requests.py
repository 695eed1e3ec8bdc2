"""What must be answered by 400, and by nothing else; and that it leaves nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from core.partner.checker.case import Case, Origin
from core.partner.checker.conversation import Conversation, told, told_in_words
from core.partner.checker.exchanges import Answer
from core.partner.checker.judging import UnmetError, check_bad_request, check_refusal, require
from core.partner.checker.requesting import ABSENT, Json, changed, company, user_of
from core.partner.checker.subject import DELETION, TESTING, configured
from core.partner.messages.partner_config import AuthOption, NewUserAction, ResourceType
from core.partner.messages.requests import WAREHOUSE_FLAGS, WAREHOUSE_TEXTS
from core.partner.messages.responses import ErrorReason

_REQUIRED: Final = (
    *("user_info", "hostname", "port", "workspace_url", "workspace_id", "demo", "cloud_provider", "is_free_trial"),
    *("user_info.email", "user_info.databricks_user_id", "user_info.databricks_organization_id"),
    *("user_info.first_name", "user_info.last_name", "user_info.is_connection_established"),
)
# Without these nobody can do what is asked; others are of no use to some partners, who need not look at them.
_NEEDED: Final = (
    *("user_info", "user_info.email", "user_info.is_connection_established", "hostname", "cloud_provider"),
)
_NEEDED_TO_END: Final = ("connection_id", "domain", "email")
_WRONG: Final[tuple[tuple[str, Any], ...]] = (
    ("user_info", []),
    ("user_info.email", 5),
    ("user_info.databricks_user_id", "abc"),
    ("user_info.is_connection_established", "perhaps"),
    ("workspace_id", {}),
    ("port", True),
    ("hostname", 1),
    ("demo", "yes"),
    ("cloud_provider", "moon"),
    ("is_free_trial", []),
)
_BEYOND_INT64: Final = 2**63
_LARGE: Final = 200 * 1024  # bytes
_RETRIES: Final = 3  # by Databricks, after a 500


def _body(talk: Conversation, changes: Json | None = None) -> Json:
    return talk.requests.connect(user_of(company()), talk.requests.workspace(), changes)


async def _refused(talk: Conversation, body: Json | bytes, what: str) -> None:
    _check_refused(await talk.connect(body), what)


def _check_refused(answer: Answer, what: str) -> None:
    check_bad_request(answer, what)


def _tell_carried_out(talk: Conversation, endpoint: str, what: str, names: list[str]) -> None:
    talk.should(not names, f"{endpoint} is carried out, and not refused by 400, {what} {', '.join(names)}")


async def not_json(talk: Conversation) -> None:
    for content in (b"{", b"user_info=1", b"\xff\xfe{}", json.dumps(_body(talk)).encode()[:-1]):
        await _refused(talk, content, "for what is not JSON")


async def no_body(talk: Conversation) -> None:
    await _refused(talk, b"", "for an empty body")


async def no_object(talk: Conversation) -> None:
    for content in (b"[]", b'"text"', b"null", b"1"):
        await _refused(talk, content, "for what is not an object")


async def missing_fields(talk: Conversation) -> None:
    await _refused_each(talk, dict.fromkeys(_REQUIRED, ABSENT), "without")


async def wrong_types(talk: Conversation) -> None:
    await _refused_each(talk, dict(_WRONG), "with a wrong value of")


async def _refused_each(talk: Conversation, changes: Json, what: str) -> None:
    carried_out = []
    for name, value in changes.items():
        answer = await talk.connect(_body(talk, {name: value}))
        if name not in _NEEDED and answer.status in (200, 201):
            carried_out.append(name)
        else:
            _check_refused(answer, f"without {name}" if value is ABSENT else f"with {json.dumps(value)} as {name}")
    _tell_carried_out(talk, "connect", what, carried_out)


async def no_connection_id(talk: Conversation) -> None:
    body = talk.requests.established(user_of(company()), talk.requests.workspace(), "x", {"connection_id": ABSENT})
    await _refused(talk, body, "for an established connection without connection_id")


async def no_warehouse(talk: Conversation) -> None:
    await _refused(
        talk,
        _body(talk, dict.fromkeys((*WAREHOUSE_FLAGS, *WAREHOUSE_TEXTS), ABSENT)),
        "without the SQL warehouse that is provisioned",
    )


async def no_uuid(talk: Conversation) -> None:
    """H107: with OAuth M2M it is the client_id; else it may be of no use to the partner."""
    answer = await talk.connect(_body(talk, {"service_principal_id": "12345"}))
    if AuthOption.AUTH_OAUTH_M2M not in talk.subject.auth_options and answer.status in (200, 201):
        _tell_carried_out(talk, "connect", "with what is no UUID for", ["service_principal_id"])
    else:
        _check_refused(answer, "where service_principal_id is no UUID")


async def large_body(talk: Conversation) -> None:
    """H108: best taken or refused by 400, and not by 413 or by breaking off; but nothing sent today is as long.

    A server that answers without reading the rest resets the connection, and its answer is lost with it.
    """
    try:
        answer = await talk.connect(_body(talk, {"a_new_field": "x" * _LARGE}))
        require(answer.status in (200, 201, 400), "200 or 400", f"status {answer.status}")
    except UnmetError as error:
        talk.should(False, f"connect with a body of {_LARGE // 1024} KiB: {error}")


async def ids_beyond_int64(talk: Conversation) -> None:
    changes = {"workspace_id": _BEYOND_INT64, "user_info.databricks_organization_id": _BEYOND_INT64}
    answer = await talk.connect(_body(talk, changes))
    talk.should(answer.status == 400, f"an id of more than 64 bits is answered by {answer.status} and not by 400")


async def nothing_left(talk: Conversation) -> None:
    """H111: after a 400 the user is as new as one who never came."""
    control = await talk.made(_body(talk))
    user, workspace = user_of(company()), talk.requests.workspace()
    body = talk.requests.connect(user, workspace)
    await _refused(talk, changed(body, {"hostname": ABSENT}), "without hostname")
    after = await talk.made(body)
    require(
        told(after) == told(control),
        f"after a 400 the answer of a new user: {told_in_words(control)}",
        told_in_words(after),
    )


async def retried_errors(talk: Conversation) -> None:
    """H112: Databricks tries three times more after a 500, and nothing may come of it."""
    domain, workspace = company(), talk.requests.workspace()
    first = user_of(domain)
    connection = await talk.connection(first, workspace)
    body = talk.requests.established(user_of(domain, "user2"), workspace, connection)
    for _ in range(1 + _RETRIES):
        check_refusal(await talk.connect(body), ErrorReason.GENERAL_ERROR)
    await talk.signed_in(first, workspace, connection)


async def bad_deletions(talk: Conversation) -> None:
    await _bad_endings(
        talk, "delete_connection_path", ("connection_id", "cloud_provider", "databricks_organization_id")
    )


async def bad_tests(talk: Conversation) -> None:
    await _bad_endings(talk, "test_connection_path", ("connection_id",))


async def _bad_endings(talk: Conversation, endpoint: str, required: tuple[str, ...]) -> None:
    body = talk.requests.of_connection("unknown", talk.requests.workspace())
    await refused_endings(talk, endpoint, {name: changed(body, {name: ABSENT}) for name in required})


async def refused_endings(talk: Conversation, endpoint: str, without: Mapping[str, Json]) -> None:
    """Bodies `without` a field are refused by any endpoint but connect, and so is what is no object."""
    carried_out = []
    for name, body in without.items():
        if check_bad_request(await talk.call(endpoint, body), f"without {name}", needed=name in _NEEDED_TO_END):
            carried_out.append(name)
    for what, bad in (("what is not JSON", b"{"), ("an empty body", b""), ("what is not an object", b"[]")):
        check_bad_request(await talk.call(endpoint, bad), f"for {what}")
    _tell_carried_out(talk, endpoint.removesuffix("_path").replace("_", "-"), "without", carried_out)


_WAREHOUSE = configured("SqlEndpoint", lambda config: config.provisions(ResourceType.SQL_ENDPOINT))
_ERROR = configured(
    "new_user_action error",
    lambda config: config.new_user_action is NewUserAction.ERROR and not config.require_manual_signup,
)

CASES = (
    Case("H101", "connect refuses what is not JSON", Origin.HOUSEKEYS, not_json),
    Case("H102", "connect refuses an empty body", Origin.HOUSEKEYS, no_body),
    Case("H103", "connect refuses a body without a required field", Origin.HOUSEKEYS, missing_fields),
    Case("H104", "connect refuses values of a wrong type", Origin.HOUSEKEYS, wrong_types),
    Case("H105", "connect refuses an established one without its id", Origin.HOUSEKEYS, no_connection_id),
    Case("H106", "connect refuses a request without the warehouse", Origin.HOUSEKEYS, no_warehouse, (_WAREHOUSE,)),
    Case("H107", "connect refuses a service principal that is no UUID", Origin.HOUSEKEYS, no_uuid),
    Case("H108", "A large body is taken or refused by 400", Origin.HOUSEKEYS, large_body),
    Case("H109", "connect refuses JSON that is not an object", Origin.HOUSEKEYS, no_object),
    Case("H110", "connect refuses ids of more than 64 bits", Origin.HOUSEKEYS, ids_beyond_int64),
    Case("H111", "After a 400 nothing is left", Origin.HOUSEKEYS, nothing_left),
    Case("H112", "Retries after a 500 get the same, and leave nothing", Origin.HOUSEKEYS, retried_errors, (_ERROR,)),
    Case("H113", "delete-connection refuses bad requests", Origin.HOUSEKEYS, bad_deletions, (DELETION,)),
    Case("H114", "test-connection refuses bad requests", Origin.HOUSEKEYS, bad_tests, (TESTING,)),
)
