"""delete-connection, test-connection, connectors, and what the PartnerConfig says of permissions."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import quote

from core.partner.checker.case import Case, Origin
from core.partner.checker.conversation import Conversation
from core.partner.checker.judging import (
    check_refusal,
    read_connectors,
    read_deletion,
    read_test_results,
    require,
    unmet,
)
from core.partner.checker.requesting import company, user_of
from core.partner.checker.subject import CONFIG, CONNECTORS, DELETION, TESTING
from core.partner.messages.responses import Connector, ErrorReason, TestStatus

_MOST_PAGES = 1000


async def connection_tested(talk: Conversation) -> None:
    workspace = talk.requests.workspace()
    connection = await talk.connection(user_of(company()), workspace)
    body = talk.requests.of_connection(connection, workspace)
    results = read_test_results(await talk.call("test_connection_path", body)).test_results
    for result in results:
        talk.should(result.status is not TestStatus.UNKNOWN, f"the test {result.test_name!r} ended as UNKNOWN")
        talk.should(result.message is not None, f"the test {result.test_name!r} has no message")


async def by_id_alone(talk: Conversation) -> None:
    """H411: some descriptions of test-connection name the workspace, others do not."""
    connection = await talk.connection(user_of(company()), talk.requests.workspace())
    read_test_results(await talk.call("test_connection_path", {"connection_id": connection}))


async def deleted_connection_tested(talk: Conversation) -> None:
    workspace = talk.requests.workspace()
    connection = await talk.connection(user_of(company()), workspace)
    await talk.deleted(connection, workspace)
    body = talk.requests.of_connection(connection, workspace)
    check_refusal(await talk.call("test_connection_path", body), ErrorReason.CONNECTION_NOT_FOUND)


async def deleted_twice(talk: Conversation) -> None:
    workspace = talk.requests.workspace()
    connection = await talk.connection(user_of(company()), workspace)
    await talk.deleted(connection, workspace)
    await talk.not_deleted(connection, workspace)


async def unknown_deleted(talk: Conversation) -> None:
    await talk.not_deleted("unknown", talk.requests.workspace())


async def deleted_by_method(talk: Conversation) -> None:
    """H403: POST is what is sent today; DELETE was until 2023, and the prose says so still."""
    workspace = talk.requests.workspace()
    connection = await talk.connection(user_of(company()), workspace)
    body = talk.requests.of_connection(connection, workspace)
    answer = await talk.call("delete_connection_path", body, method="DELETE")
    talk.should(answer.status == 200, f"DELETE on delete-connection, an old way, is answered by {answer.status}")
    if answer.status == 200:
        read_deletion(answer, user_named=False)
        await talk.not_connected(user_of(company()), workspace, connection)


async def deleted_with_user(talk: Conversation) -> None:
    """H404: the user who deletes is told by the documentation only, so every status may come."""
    user, workspace = user_of(company()), talk.requests.workspace()
    connection = await talk.connection(user, workspace)
    told = {"email": user.email, "databricks_user_id": user.id, "databricks_organization_id": workspace.id}
    await talk.deleted(connection, workspace, {"user_info": told})


async def first_connectors(talk: Conversation) -> None:
    page = read_connectors(await talk.call("get_connectors_path", query="?pagination_token="))
    require(bool(page.connectors), "a list with connectors", "the list is empty")
    if page.pagination_token is not None:
        following = read_connectors(await talk.call("get_connectors_path", query=_query(page.pagination_token)))
        require(bool(following.connectors), "connectors on the second page", "the list is empty")


async def all_connectors(talk: Conversation) -> None:
    """H901: the pages have an end, and no connector comes twice, but as a source and as a target."""
    seen: set[Connector] = set()
    twice: set[str] = set()
    tokens: set[str] = set()
    query = ""
    for _ in range(_MOST_PAGES):
        page = read_connectors(await talk.call("get_connectors_path", query=query))
        for connector in page.connectors:
            key = replace(connector, name="", description=None)
            twice |= {connector.identifier} if key in seen else set()
            seen.add(key)
        token = page.pagination_token
        if token is None:
            talk.should(not twice, f"connectors that are listed more than once: {', '.join(sorted(twice))}")
            return
        require(token not in tokens, "a new pagination_token with each page", "one came again")
        tokens.add(token)
        query = _query(token)
    unmet(f"an end within {_MOST_PAGES} pages", "every page has a pagination_token")


def _query(token: str) -> str:
    return f"?pagination_token={quote(token, safe='')}"


async def permissions(talk: Conversation) -> None:
    config = talk.subject.config
    asked = config is not None and bool(config.data_permissions or config.object_permissions)
    require(asked, "data_permissions or object_permissions in the PartnerConfig", "there are none")


CASES = (
    Case("P800", "A connection is tested", Origin.REMOVED, connection_tested, (TESTING,)),
    Case("P801", "A deleted connection is not tested", Origin.REMOVED, deleted_connection_tested, (TESTING, DELETION)),
    Case("P900", "Connectors are listed", Origin.SUITE, first_connectors, (CONNECTORS,)),
    Case("D100", "The PartnerConfig asks for permissions", Origin.SUITE, permissions, (CONFIG,), anonymous=True),
    Case("H401", "Deleting a connection twice: it is not found", Origin.HOUSEKEYS, deleted_twice, (DELETION,)),
    Case("H402", "Deleting a connection that never was", Origin.HOUSEKEYS, unknown_deleted, (DELETION,)),
    Case("H403", "delete-connection is served by DELETE too", Origin.HOUSEKEYS, deleted_by_method, (DELETION,)),
    Case("H404", "delete-connection takes user_info", Origin.HOUSEKEYS, deleted_with_user, (DELETION,)),
    Case("H411", "test-connection needs the connection_id only", Origin.HOUSEKEYS, by_id_alone, (TESTING,)),
    Case("H901", "The pages of connectors end, each is there once", Origin.HOUSEKEYS, all_connectors, (CONNECTORS,)),
)
