"""Whose a connection is, whose an account is, and that ids of 64 bits stay exact."""

from __future__ import annotations

import secrets
from dataclasses import replace

from core.partner.checker.case import Case, Origin
from core.partner.checker.conversation import Conversation, told
from core.partner.checker.judging import check_refusal, read_connection, require
from core.partner.checker.requesting import LARGEST_ID, User, Workspace, company, neighbouring_ids, random_id, user_of
from core.partner.checker.subject import DELETION, TESTING, Need, Subject
from core.partner.messages.partner_config import NewUserAction
from core.partner.messages.responses import AccountStatus, ErrorReason, UserStatus

_FREE_MAIL = "gmail.com"


def _same_number(talk: Conversation, workspace: Workspace) -> Workspace:
    return Workspace(talk.subject.another_cloud(workspace.cloud), workspace.id)


async def another_workspace(talk: Conversation) -> None:
    user, workspace = user_of(company()), talk.requests.workspace()
    connection = await talk.connection(user, workspace)
    await talk.not_connected(user, talk.requests.workspace(), connection)


async def another_cloud(talk: Conversation) -> None:
    user, workspace = user_of(company()), talk.requests.workspace()
    connection = await talk.connection(user, workspace)
    await talk.not_connected(user, _same_number(talk, workspace), connection)


async def unknown_connection(talk: Conversation) -> None:
    await talk.not_connected(user_of(company()), talk.requests.workspace(), f"unknown-{secrets.token_hex(8)}")


async def deleted_from_another_workspace(talk: Conversation) -> None:
    workspace = talk.requests.workspace()
    await _deleted_from_elsewhere(talk, workspace, talk.requests.workspace())


async def deleted_from_another_cloud(talk: Conversation) -> None:
    workspace = talk.requests.workspace()
    await _deleted_from_elsewhere(talk, workspace, _same_number(talk, workspace))


async def _deleted_from_elsewhere(talk: Conversation, workspace: Workspace, elsewhere: Workspace) -> None:
    user = user_of(company())
    connection = await talk.connection(user, workspace)
    await talk.not_deleted(connection, elsewhere)
    await talk.signed_in(user, workspace, connection)
    await talk.deleted(connection, workspace)  # so it was there still


async def tested_from_another_workspace(talk: Conversation) -> None:
    connection = await talk.connection(user_of(company()), talk.requests.workspace())
    body = talk.requests.of_connection(connection, talk.requests.workspace())
    check_refusal(await talk.call("test_connection_path", body), ErrorReason.CONNECTION_NOT_FOUND)


async def exact_ids(talk: Conversation) -> None:
    """H306: the two largest ids differ by one, which a float does not hold."""
    user = User(f"user1@{company()}", neighbouring_ids()[0])
    largest = Workspace(talk.subject.cloud(), LARGEST_ID)
    neighbour = replace(largest, id=LARGEST_ID - 1)
    connection = await talk.connection(user, largest)
    await talk.not_connected(user, neighbour, connection)
    await talk.signed_in(user, largest, connection)


async def exact_ids_deleted(talk: Conversation) -> None:
    largest = Workspace(talk.subject.cloud(), LARGEST_ID)
    await _deleted_from_elsewhere(talk, largest, replace(largest, id=LARGEST_ID - 1))


async def exact_user_ids(talk: Conversation) -> None:
    """H314: a colleague whose id differs by one is somebody else."""
    domain, workspace = company(), talk.requests.workspace()
    first, second = neighbouring_ids()
    await talk.connection(User(f"user1@{domain}", first), workspace)
    answer = await talk.connect(talk.requests.connect(User(f"user2@{domain}", second), workspace))
    if answer.status == 500 and talk.subject.new_user_action is NewUserAction.ERROR:
        return
    found = read_connection(answer)
    require(found.user_status is not UserStatus.EXISTING, "another user", "user_status is existing")


async def user_id_in_two_clouds(talk: Conversation) -> None:
    """H308: the number of a user means nothing in another cloud."""
    number = random_id()
    here, there = talk.requests.workspace(), talk.requests.workspace()
    there = replace(there, cloud=talk.subject.another_cloud(here.cloud))
    await talk.connection(User(f"user1@{company()}", number), here)
    found = await talk.made(talk.requests.connect(User(f"user1@{company()}", number), there))
    came = f"the user of another company is told to be {found.user_status}"
    require(found.user_status is not UserStatus.EXISTING, "another user: ids are unique within a cloud only", came)


async def one_of_two_deleted(talk: Conversation) -> None:
    user, kept, gone = user_of(company()), talk.requests.workspace(), talk.requests.workspace()
    staying = await talk.connection(user, kept)
    await talk.deleted(await talk.connection(user, gone), gone)
    await talk.signed_in(user, kept, staying)
    await talk.deleted(staying, kept)


async def separate_connections(talk: Conversation) -> None:
    """H310: the same body twice makes two connections. The first may go with it; if not, the second stays without."""
    user, workspace = user_of(company()), talk.requests.workspace()
    body = talk.requests.connect(user, workspace)
    first, second = await talk.made(body), await talk.made(body)
    require(first.connection_id != second.connection_id, "two connection_ids", "the same came twice")
    answer = await talk.delete(first.connection_id or "", workspace)
    if answer.status != 200:
        check_refusal(answer, ErrorReason.CONNECTION_NOT_FOUND)
    await talk.signed_in(user, workspace, second.connection_id or "")
    await talk.deleted(second.connection_id or "", workspace)


async def strangers_of_free_mail(talk: Conversation) -> None:
    """H311: whoever has an address of a free-mail provider is nobody's colleague, though no document says so."""
    for _ in range(2):
        user = User(f"housekeys-check-{secrets.token_hex(8)}@{_FREE_MAIL}", random_id())
        found = read_connection(await talk.connect(talk.requests.connect(user, talk.requests.workspace())))
        apart = found.account_status not in (AccountStatus.ACTIVE, AccountStatus.EXPIRED)
        talk.should(apart, f"a stranger at {_FREE_MAIL} comes into the account of others, which is {told(found)[2]}")


async def domain_in_any_case(talk: Conversation) -> None:
    """H312: DNS knows no case, so a domain in capitals is the same company."""
    domain, workspace = company(), talk.requests.workspace()
    user = user_of(domain)
    await talk.connection(user, workspace)
    again = await talk.made(talk.requests.connect(replace(user, email=f"user1@{domain.upper()}"), workspace))
    talk.should(
        again.account_status is not AccountStatus.NEW,
        "the domain of an e-mail address is compared with its case: in capitals it is another account",
    )


def _two_clouds(subject: Subject) -> str:
    return "" if len(subject.clouds) > 1 else "the PartnerConfig has one cloud in supported_clouds"


_CLOUDS = Need("two clouds in supported_clouds", _two_clouds)

CASES = (
    Case("H301", "A connection is not found from another workspace", Origin.HOUSEKEYS, another_workspace),
    Case("H302", "A connection is not found from another cloud", Origin.HOUSEKEYS, another_cloud, (_CLOUDS,)),
    Case("H303", "A connection_id that was never given is not found", Origin.HOUSEKEYS, unknown_connection),
    Case(
        "H304",
        "Another workspace deletes nothing",
        Origin.HOUSEKEYS,
        deleted_from_another_workspace,
        (DELETION,),
    ),
    Case("H305", "Another cloud deletes nothing", Origin.HOUSEKEYS, deleted_from_another_cloud, (DELETION, _CLOUDS)),
    Case("H306", "Ids up to 2^63-1 are exact", Origin.HOUSEKEYS, exact_ids),
    Case("H307", "Ids up to 2^63-1 are exact when deleting", Origin.HOUSEKEYS, exact_ids_deleted, (DELETION,)),
    Case("H308", "A user id is of one cloud only", Origin.HOUSEKEYS, user_id_in_two_clouds, (_CLOUDS,)),
    Case("H309", "Deleting one connection leaves the other", Origin.HOUSEKEYS, one_of_two_deleted, (DELETION,)),
    Case(
        "H310", "The same request twice makes separate connections", Origin.HOUSEKEYS, separate_connections, (DELETION,)
    ),
    Case("H311", "Strangers at a free-mail provider share no account", Origin.HOUSEKEYS, strangers_of_free_mail),
    Case("H312", "The domain of an e-mail address has no case", Origin.HOUSEKEYS, domain_in_any_case),
    Case("H313", "Another workspace tests nothing", Origin.HOUSEKEYS, tested_from_another_workspace, (TESTING,)),
    Case("H314", "Users whose ids differ by one are two", Origin.HOUSEKEYS, exact_user_ids),
)
