"""The hooks for tests: delete-account and expire-account, which work on the users under Databricks' test domains."""

from __future__ import annotations

from core.partner.checker.case import Case, Origin
from core.partner.checker.cases.bad_requests import refused_endings
from core.partner.checker.conversation import NOT_FOUND, Conversation, told, told_in_words
from core.partner.checker.judging import check_refusal, read_connection, require, unmet
from core.partner.checker.requesting import TEST_DOMAIN, User, Workspace, changed, company, random_id, user_of
from core.partner.checker.subject import ACCOUNT_DELETION, DELETION, EXPIRY, Need, Subject, configured
from core.partner.messages.partner_config import NewUserAction, TrialType
from core.partner.messages.requests import CloudProvider
from core.partner.messages.responses import AccountStatus, Connection, ErrorReason, RedirectValue

_EVIL_DOMAIN = f"evil{TEST_DOMAIN}"  # ends as the test domain does, and anybody can buy it
_REAL_DOMAIN = "realuseraccount.com"


async def _tester(talk: Conversation, cloud: CloudProvider = CloudProvider.AWS) -> tuple[User, Workspace, str]:
    """The first user under the test domain, with a partner connection."""
    workspace = talk.requests.test_workspace(cloud)
    await talk.clear_testers(workspace)
    user = user_of(TEST_DOMAIN)
    return user, workspace, await talk.connection(user, workspace)


async def connect_after_forgetting(talk: Conversation) -> None:
    workspace = talk.requests.test_workspace(CloudProvider.AZURE)
    await talk.clear_testers(workspace)
    body = talk.requests.connect(user_of(TEST_DOMAIN), workspace)
    first = await talk.made(body)
    await talk.forgotten(workspace)
    again = await talk.made(body)
    wanted = f"the answer of the first time: {told_in_words(first)}"
    require(told(again) == told(first), wanted, told_in_words(again))


async def sign_in_after_forgetting(talk: Conversation) -> None:
    user, workspace, connection = await _tester(talk, CloudProvider.AZURE)
    await talk.forgotten(workspace)
    await talk.not_connected(user, workspace, connection)


async def forgetting_real_users(talk: Conversation) -> None:
    body = talk.requests.delete_account(_REAL_DOMAIN, talk.requests.workspace())
    check_refusal(await talk.call("delete_account_path", body), ErrorReason.BAD_REQUEST)


async def connect_after_expiry(talk: Conversation) -> None:
    user, workspace, _ = await _tester(talk)
    await talk.expired(user, workspace)
    answer = await talk.connect(talk.requests.connect(user, workspace))
    found = read_connection(answer)
    _check_expired(found)
    if found.redirect_value is RedirectValue.CREATE_TRIAL:
        wanted = "another trial: configured_resources true, and a connection_id"
        require(found.configured_resources and found.connection_id is not None, wanted, "nothing was configured")
    elif found.redirect_value is RedirectValue.PURCHASE_PRODUCT:
        wanted = "nothing made before a purchase: configured_resources false, no connection_id"
        require(not found.configured_resources and found.connection_id is None, wanted, "something was configured")
    else:
        unmet("redirect_value purchase_product or create_trial", f"redirect_value is {found.redirect_value}")
    await talk.follow(found.redirect_uri)


async def sign_in_after_expiry(talk: Conversation) -> None:
    user, workspace, connection = await _tester(talk)
    await talk.expired(user, workspace)
    found = await talk.signed_in(user, workspace, connection, [RedirectValue.PURCHASE_PRODUCT])
    if found is not None:
        _check_expired(found)


def _check_expired(found: Connection) -> None:
    came = f"account_status is {found.account_status}"
    require(found.account_status is AccountStatus.EXPIRED, "account_status expired", came)


async def other_user_after_expiry(talk: Conversation) -> None:
    """P502: a trial by user ends for one, a trial by account for all."""
    user, workspace, connection = await _tester(talk)
    await talk.expired(user, workspace)
    answer = await talk.connect(talk.requests.established(user_of(TEST_DOMAIN, "user2"), workspace, connection))
    if talk.subject.manual_signup or (answer.status == 404 and _action(talk) is NewUserAction.NOT_FOUND):
        check_refusal(answer, *NOT_FOUND)
        return
    if answer.status == 500 and _action(talk) is NewUserAction.ERROR:
        return
    found = read_connection(answer)
    by_user = talk.subject.config is not None and talk.subject.config.trial_type is TrialType.USER
    wanted = AccountStatus.ACTIVE if by_user else AccountStatus.EXPIRED
    require(found.account_status is wanted, f"account_status {wanted}", f"account_status is {found.account_status}")


def _action(talk: Conversation) -> NewUserAction | None:
    return talk.subject.new_user_action


async def expiring_lookalikes(talk: Conversation) -> None:
    """H501: a domain that only ends in the same letters is nobody's test domain."""
    await _refused_expiry(talk, user_of(_EVIL_DOMAIN))


async def expiring_real_users(talk: Conversation) -> None:
    await _refused_expiry(talk, user_of(company()))


async def _refused_expiry(talk: Conversation, user: User) -> None:
    workspace = talk.requests.workspace()
    await talk.connection(user, workspace)
    body = talk.requests.expire_account(user, workspace)
    check_refusal(await talk.call("expire_account_path", body), ErrorReason.BAD_REQUEST)


async def forgetting_lookalikes(talk: Conversation) -> None:
    body = talk.requests.delete_account(_EVIL_DOMAIN, talk.requests.workspace())
    check_refusal(await talk.call("delete_account_path", body), ErrorReason.BAD_REQUEST)


async def forgetting_from_elsewhere(talk: Conversation) -> None:
    """H504: another workspace, or the same number in another cloud, best forgets nobody.

    The documents say both: that a workspace is named, and that all under the domain are removed.
    """
    _, workspace, connection = await _tester(talk)
    elsewhere = (
        talk.requests.workspace(workspace.cloud),
        Workspace(talk.subject.another_cloud(workspace.cloud), workspace.id),
    )
    for other in elsewhere:
        body = talk.requests.delete_account(TEST_DOMAIN, other)
        talk.nobody_found(await talk.call("delete_account_path", body), "delete_account_path")
    answer = await talk.delete(connection, workspace)
    talk.should(answer.status == 200, "delete-account removes the connections of other workspaces too")


async def expiring_unknown_users(talk: Conversation) -> None:
    workspace = talk.requests.test_workspace()
    await talk.clear_testers(workspace)
    body = talk.requests.expire_account(User(f"nobody-{random_id()}@{TEST_DOMAIN}", random_id()), workspace)
    talk.nobody_found(await talk.call("expire_account_path", body), "expire_account_path")


async def forgetting_twice(talk: Conversation) -> None:
    _, workspace, _ = await _tester(talk)
    await talk.forgotten(workspace)
    body = talk.requests.delete_account(TEST_DOMAIN, workspace)
    talk.nobody_found(await talk.call("delete_account_path", body), "delete_account_path")


async def bad_hooks(talk: Conversation) -> None:
    """H507: each field of the hooks is needed."""
    workspace = talk.requests.test_workspace()
    bodies = {
        "expire_account_path": talk.requests.expire_account(user_of(TEST_DOMAIN), workspace),
        "delete_account_path": talk.requests.delete_account(TEST_DOMAIN, workspace),
    }
    for endpoint, body in bodies.items():
        if getattr(talk.subject.endpoints, endpoint) is not None:
            await refused_endings(talk, endpoint, {name: changed(body, {name: None}) for name in body})


def _any_hook(subject: Subject) -> str:
    missing = [need.why_not(subject) for need in (ACCOUNT_DELETION, EXPIRY)]
    return missing[0] if all(missing) else ""


_TRIALS = configured("trial_type", lambda config: config.trial_type is not None)
_HOOK = Need("delete_account_path or expire_account_path", _any_hook)
_GONE, _EXPIRED = (ACCOUNT_DELETION,), (EXPIRY,)
_BEGUN_ANEW = (EXPIRY, ACCOUNT_DELETION)  # a trial that has expired has done so for the next case, too

CASES = (
    Case("P403", "After delete-account a new trial can be made", Origin.REMOVED, connect_after_forgetting, _GONE),
    Case("P404", "After delete-account the connection is not found", Origin.REMOVED, sign_in_after_forgetting, _GONE),
    Case("P405", "delete-account refuses domains of real users", Origin.REMOVED, forgetting_real_users, _GONE),
    Case(
        "P500",
        "A user whose trial has expired connects again",
        Origin.MANUAL,
        connect_after_expiry,
        _BEGUN_ANEW,
        by_hand="Let the trial of a user end, then connect from the tile again: the page must offer to buy, or another "
        "trial with the connection configured.",
    ),
    Case("P501", "A user whose trial has expired signs in", Origin.REMOVED, sign_in_after_expiry, _BEGUN_ANEW),
    Case(
        "P502",
        "Another user signs in after a trial has expired",
        Origin.REMOVED,
        other_user_after_expiry,
        (*_BEGUN_ANEW, _TRIALS),
    ),
    Case("H501", "expire-account refuses a domain that ends alike", Origin.HOUSEKEYS, expiring_lookalikes, _EXPIRED),
    Case("H502", "delete-account refuses a domain that ends alike", Origin.HOUSEKEYS, forgetting_lookalikes, _GONE),
    Case("H503", "expire-account refuses domains of real users", Origin.HOUSEKEYS, expiring_real_users, _EXPIRED),
    Case(
        "H504",
        "delete-account from elsewhere finds nobody",
        Origin.HOUSEKEYS,
        forgetting_from_elsewhere,
        (ACCOUNT_DELETION, DELETION),
    ),
    Case("H505", "expire-account does not find an unknown user", Origin.HOUSEKEYS, expiring_unknown_users, _EXPIRED),
    Case("H506", "delete-account the second time finds nobody", Origin.HOUSEKEYS, forgetting_twice, _GONE),
    Case("H507", "The hooks refuse bad requests", Origin.HOUSEKEYS, bad_hooks, (_HOOK,)),
)
