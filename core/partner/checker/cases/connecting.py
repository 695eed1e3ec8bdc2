"""Documented cases: new connections, sign-ins, several workspaces, demos, and connections that are deleted."""

from __future__ import annotations

from core.partner.checker.case import Case, Origin
from core.partner.checker.conversation import ANY_REDIRECT, Conversation
from core.partner.checker.judging import check_redirect_value, check_refusal, check_sign_in, read_connection, require
from core.partner.checker.requesting import company, user_of
from core.partner.checker.subject import DELETION, Need, Subject, configured
from core.partner.messages.partner_config import NewUserAction, ResourceType
from core.partner.messages.responses import AccountStatus, ErrorReason, RedirectValue, UserStatus

_SIGN_IN_OR_TRIAL = (RedirectValue.SIGN_IN, RedirectValue.CREATE_TRIAL)


def _adds_freely(subject: Subject) -> str:
    if subject.new_user_action is not NewUserAction.AUTO_ADD:
        return "the steps need a PartnerConfig with new_user_action auto_add"
    return "the sign-up is finished by hand" if subject.manual_signup else ""


async def new_user(talk: Conversation) -> None:
    body = talk.requests.connect(user_of(company()), talk.requests.workspace())
    await talk.made(body, [RedirectValue.CREATE_TRIAL])


async def known_user(talk: Conversation) -> None:
    user = user_of(company())
    await talk.connection(user, talk.requests.workspace())
    again = await talk.made(talk.requests.connect(user, talk.requests.workspace()))
    talk.should(
        talk.subject.manual_signup or again.user_status is not UserStatus.NEW,
        "a user who is known already, from another workspace, is told to be new",
    )


async def sign_in(talk: Conversation) -> None:
    user, workspace = user_of(company()), talk.requests.workspace()
    await talk.signed_in(user, workspace, await talk.connection(user, workspace))


async def other_user_signs_in(talk: Conversation) -> None:
    domain, workspace = company(), talk.requests.workspace()
    first, second = user_of(domain), user_of(domain, "user2")
    await talk.connection(second, workspace)
    connection = await talk.connection(first, workspace)  # the last one: a partner may keep one for a workspace
    await talk.signed_in(second, workspace, connection)


async def new_user_signs_in(talk: Conversation) -> None:
    """P302: the second user of a company comes to the connection of the first."""
    domain, workspace = company(), talk.requests.workspace()
    connection = await talk.connection(user_of(domain), workspace)
    second = user_of(domain, "user2")
    if talk.subject.manual_signup:
        await talk.signed_in(second, workspace, connection)
        return
    answer = await talk.connect(talk.requests.established(second, workspace, connection))
    match talk.subject.new_user_action:
        case NewUserAction.NOT_FOUND:
            check_refusal(answer, ErrorReason.ACCOUNT_NOT_FOUND)
        case NewUserAction.ERROR:
            check_refusal(answer, ErrorReason.GENERAL_ERROR)
        case action:
            found = read_connection(answer)
            added = action is NewUserAction.AUTO_ADD
            check_sign_in(answer, found, _SIGN_IN_OR_TRIAL if added else (RedirectValue.CONTACT_ADMIN,))
            wanted = UserStatus.NEW if added else UserStatus.NOT_APPLICABLE
            require(found.user_status is wanted, f"user_status {wanted}", f"user_status is {found.user_status}")
            await talk.follow(found.redirect_uri)


async def connect_twice(talk: Conversation) -> None:
    body = talk.requests.connect(user_of(company()), talk.requests.workspace())
    await talk.made(body)
    await talk.made(body)


async def connect_after_deletion(talk: Conversation) -> None:
    body = talk.requests.connect(user_of(company()), workspace := talk.requests.workspace())
    await talk.deleted((await talk.made(body)).connection_id or "", workspace)
    await talk.made(body)


async def sign_in_after_deletion(talk: Conversation) -> None:
    user, workspace = user_of(company()), talk.requests.workspace()
    connection = await talk.connection(user, workspace)
    await talk.deleted(connection, workspace)
    await talk.not_connected(user, workspace, connection)


async def two_workspaces(talk: Conversation) -> None:
    user = user_of(company())
    for workspace in (talk.requests.workspace(), talk.requests.workspace()):
        await talk.signed_in(user, workspace, await talk.connection(user, workspace))


async def demo(talk: Conversation) -> None:
    domain, workspace, changes = company(), talk.requests.workspace(), {"demo": True}
    for name in ("user1", "user2"):
        user = user_of(domain, name)
        made = await talk.made(talk.requests.connect(user, workspace, changes))
        check_redirect_value(made, [RedirectValue.CREATE_TRIAL])
        told = (made.user_status, made.account_status)
        wanted = (UserStatus.NEW, AccountStatus.NEW)
        require(told == wanted, "user_status new and account_status new", f"they are {' and '.join(told)}")
        await talk.signed_in(user, workspace, made.connection_id or "", ANY_REDIRECT, changes)


async def interactive_cluster(talk: Conversation) -> None:
    await talk.made(talk.requests.connect(user_of(company()), talk.requests.workspace()))


def _acts(action: NewUserAction) -> Need:
    return configured(f"new_user_action {action}", lambda config: config.new_user_action is action)


_FREELY = Need("new_user_action auto_add", _adds_freely)
_DEMO = configured("supports_demo true", lambda config: bool(config.supports_demo))
_CLUSTER = configured("InteractiveCluster", lambda config: config.provisions(ResourceType.INTERACTIVE_CLUSTER))

CASES = (
    Case("P100", "A new user connects and gets a trial", Origin.SUITE, new_user),
    Case("P101", "A user who is known already connects another workspace", Origin.MANUAL, known_user),
    Case(
        "P200",
        "The core integration works with what was connected",
        Origin.MANUAL,
        None,
        by_hand="In a workspace, connect from the partner's tile; then query data of a Unity Catalog and of "
        "hive_metastore in the product.",
    ),
    Case(
        "P201",
        "The destination chosen by the user is respected",
        Origin.MANUAL,
        None,
        by_hand="Connect with an external location chosen and with none; the product must write external tables "
        "there, and managed ones else.",
    ),
    Case("P300", "The user signs in to the established connection", Origin.SUITE, sign_in),
    Case(
        "P301",
        "Another known user of the company signs in",
        Origin.MANUAL,
        other_user_signs_in,
        (_FREELY,),
        by_hand="Let a second user of the partner account open the tile in the same workspace; the product must open "
        "with the connection of the first.",
    ),
    *(
        Case(
            f"P302-{action.replace('_', '-')}",
            f"A new user of the company signs in: {action}",
            Origin.SUITE,
            new_user_signs_in,
            (_acts(action),),
        )
        for action in NewUserAction
    ),
    Case("P400", "Connecting twice makes a connection each time", Origin.SUITE, connect_twice),
    Case("P401", "After delete-connection a new one can be made", Origin.SUITE, connect_after_deletion, (DELETION,)),
    Case(
        "P402", "After delete-connection the connection is not found", Origin.SUITE, sign_in_after_deletion, (DELETION,)
    ),
    Case("P600", "One user connects two workspaces", Origin.SUITE, two_workspaces),
    Case("P700", "A demo is always a new trial", Origin.SUITE, demo, (_DEMO,)),
    Case("R100", "A connection with an interactive cluster", Origin.SUITE, interactive_cluster, (_CLUSTER,)),
)
