"""Testing and deleting a partner connection, and the hooks of Databricks' tests that delete accounts and end trials.

The hooks work when the policy turns them on, and only on users whose e-mail address is of Databricks' test domains.
"""

from __future__ import annotations

from datetime import datetime

from core.changes import Event
from core.partner.accounts import facts
from core.partner.accounts.decision import Ending, Removal
from core.partner.accounts.domains import domain_of, is_test_domain, plain_domain, plain_email
from core.partner.accounts.policy import PartnerPolicy
from core.partner.accounts.state import Known, PartnerAccount, PartnerUser
from core.partner.messages.requests import AccountInfo, AccountUserInfo, ConnectionInfo, DeleteConnectionRequest
from core.partner.messages.responses import ErrorAnswer, ErrorReason, ResourceStatus


def decide_test(request: ConnectionInfo, known: Known) -> Ending:
    """Which partner connection is to be tested: the workspace's own, where the request names one."""
    connection = known.connection(request.connection_id, request.workspace_key)
    return _no_connection() if connection is None else Ending(connection=connection)


def decide_delete(request: DeleteConnectionRequest, known: Known) -> Ending:
    """Whether a partner connection goes: the second time it is not found. The account and its data stay."""
    connection = known.connection(request.connection_id, request.workspace_key)
    if connection is None:
        return _no_connection()
    return Ending(
        connection=connection,
        resource_status=ResourceStatus.RESOURCES_DELETED,
        events=(facts.connection_deleted(connection.id),),
        removal=Removal(connections=(connection.id,)),
    )


def decide_expire(request: AccountUserInfo, known: Known, policy: PartnerPolicy, now: datetime) -> Ending:
    """Whose trial ends: by the policy the user's own or the account's. One that is over already has ended."""
    email = plain_email(request.email)
    if error := _hook_problem(policy, domain_of(email)):
        return error
    for identifier in known.users_by_email.get(email, ()):
        user = known.users[identifier]
        account = known.account_of(user)
        if request.workspace_key not in account.workspaces:
            continue
        if policy.trial.type == "user":
            over, event = user.trial.over(now), facts.user_expired(user.id)
        elif all(is_test_domain(domain_of(other.email)) for other in known.users_of(account)):
            over, event = account.trial.over(now), facts.account_expired(account.id)
        else:
            continue  # others than testers would lose their access too
        return Ending(events=() if over else (event,))
    return _no_account()


def decide_delete_account(request: AccountInfo, known: Known, policy: PartnerPolicy) -> Ending:
    """What goes of the accounts that this workspace was connected to: everybody under the domain, demos too.

    An account goes whole when nobody else is in it; otherwise only these users and what they connected.
    """
    domain = plain_domain(request.domain)
    if error := _hook_problem(policy, domain):
        return error
    ending = Ending()
    for account in known.accounts.values():
        if account.deleted is not None or request.workspace_key not in account.workspaces:
            continue
        users = list(known.users_of(account))
        leaving = [user for user in users if domain_of(user.email) == domain]
        if leaving or (not users and account.domain == domain):
            ending = _joined(ending, _leaving(known, account, leaving, whole=len(leaving) == len(users)))
    return ending if ending.events else _no_account()


def deleted_before(request: AccountInfo, known: Known, policy: PartnerPolicy) -> Removal:
    """What they had under the domain whose deletion is recorded: some of it is there yet when that failed in part."""
    domain = plain_domain(request.domain)
    if _hook_problem(policy, domain) is not None:
        return Removal()
    removal = Removal()
    for account in known.accounts.values():
        if request.workspace_key not in account.workspaces:
            continue
        every = [user for user in known.users.values() if user.account_id == account.id]
        gone = [user for user in every if user.deleted is not None and domain_of(user.email) == domain]
        whole = account.deleted is not None and account.domain == domain and len(gone) == len(every)
        left = {user.id for user in gone}
        connections = (one for one in known.connections.values() if one.account_id == account.id)
        had = Removal(
            tuple(one.id for one in connections if one.deleted is not None and (whole or one.user_id in left)),
            tuple(user.name for user in gone if user.added is not None),
            (account.role,) if whole else (),
            (account.database,) if whole else (),
        )
        removal = _all_of(removal, had)
    return removal


def what_it_had(account: PartnerAccount, known: Known) -> Removal:
    """All that a deleted account had, whether it is there yet or not."""
    users = (user for user in known.users.values() if user.account_id == account.id and user.added is not None)
    connections = (one.id for one in known.connections.values() if one.account_id == account.id)
    return Removal(tuple(connections), tuple(user.name for user in users), (account.role,), (account.database,))


def _leaving(known: Known, account: PartnerAccount, users: list[PartnerUser], *, whole: bool) -> Ending:
    gone = {user.id for user in users}
    connections = tuple(one.id for one in known.connections_of(account) if whole or one.user_id in gone)
    events: list[Event] = [facts.connection_deleted(identifier) for identifier in connections]
    events += [facts.user_deleted(user.id) for user in users]
    if whole:
        events.append(facts.account_deleted(account.id))
    removal = Removal(
        connections,
        tuple(user.name for user in users if user.added is not None),
        (account.role,) if whole else (),
        (account.database,) if whole else (),
    )
    return Ending(events=tuple(events), removal=removal)


def _joined(one: Ending, other: Ending) -> Ending:
    return Ending(events=one.events + other.events, removal=_all_of(one.removal, other.removal))


def _all_of(first: Removal, second: Removal) -> Removal:
    return Removal(
        first.connections + second.connections,
        first.users + second.users,
        first.roles + second.roles,
        first.databases + second.databases,
    )


def _hook_problem(policy: PartnerPolicy, domain: str) -> Ending | None:
    if not policy.test_hooks:
        return _bad("the test hooks are off here")
    if not is_test_domain(domain):
        return _bad("only the domains of Databricks' tests may be named")
    return None


def _bad(why: str) -> Ending:
    return Ending(ErrorAnswer(ErrorReason.BAD_REQUEST, debugging_message=why))


def _no_connection() -> Ending:
    why = "no partner connection of this workspace has this connection_id"
    return Ending(ErrorAnswer(ErrorReason.CONNECTION_NOT_FOUND, "This connection is not here.", why))


def _no_account() -> Ending:
    why = "no account of this workspace has such a user"
    return Ending(ErrorAnswer(ErrorReason.ACCOUNT_NOT_FOUND, "This account is not here.", why))
