"""Joining an account or user to the one that another service has made a moment before: one of the two counts.

Whose facts came second gives up what it has made in ClickHouse: its users get the role that counts, and its role, its
empty database and its second user of one person go. Everything may be done twice, by two services at once as well.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from core.access.access_model import EntityKey
from core.access.model import AlterUser, EntityKind, Grant
from core.access.render import render
from core.access_changes.changes import subject_kind
from core.changes import Change, Danger, Event, Guard, OnFailure, StatementStep
from core.clickhouse.engine import Engine
from core.clickhouse.quoting import quote_string
from core.partner.accounts.decision import Provision
from core.partner.accounts.policy import PartnerPolicy, database_name, role_name, user_name
from core.partner.accounts.state import Known
from core.partner.provisioning.clusters import NO_CLUSTER, Clusters
from core.partner.provisioning.dropping import drop_database_step, drop_step
from core.partner.provisioning.remaining import names_there

_STAYS = "What counts is what another service has made."


@dataclass(frozen=True, slots=True)
class Joining:
    """What gives way to an account or user that counts."""

    role: str  # of the account that counts, as the database
    database: str
    users: tuple[str, ...] = ()  # who get the role that counts
    second_users: tuple[str, ...] = ()  # of people who have another user already
    second_role: str = ""
    second_database: str = ""


def joining_of(provision: Provision, known: Known) -> Joining | None:
    """What of this provision gives way, by what is known after its facts were told; None where all of it counts."""
    lost_account = provision.account_id in known.same_as
    lost_user = provision.user_id in known.same_as
    if not (lost_account or lost_user):
        return None
    account = known.accounts[known.same_as.get(provision.account_id, provision.account_id)]
    made = (provision.user,) if provision.new_user else ()
    gone = lost_account and provision.new_account
    return Joining(
        account.role,
        account.database,
        users=made if lost_account and not lost_user else (),
        second_users=made if lost_user else (),
        second_role=provision.role if gone else "",
        second_database=provision.database if gone else "",
    )


async def read_joinings(
    engine: Engine, known: Known, policy: PartnerPolicy, firsts: Collection[str] | None = None
) -> list[Joining]:
    """What is still to be joined of all that services have made at once, or only to these accounts and users.

    Whoever came second may have been killed, or have seen nothing of the first, whose facts reached the journal late.
    """
    same = [(lost, first) for lost, first in known.same_as.items() if firsts is None or first in firsts]
    if not same:
        return []
    databases = await names_there(engine, "databases", (database_name(policy, lost) for lost, _ in same))
    roles = await names_there(engine, "roles", (role_name(policy, lost) for lost, _ in same))
    users = await names_there(engine, "users", (name for lost, _ in same for name in _names(lost, known, policy)))
    found = [await _left(engine, known, policy, each, databases, roles, users) for each in same]
    return [joining for joining in found if joining is not None]


async def _left(
    engine: Engine,
    known: Known,
    policy: PartnerPolicy,
    same: tuple[str, str],
    databases: set[str],
    roles: set[str],
    users: set[str],
) -> Joining | None:
    lost, first = same
    if first in known.users:
        account = known.account_of(known.users[first])
        second = tuple(name for name in _names(lost, known, policy) if name in users)
        return Joining(account.role, account.database, second_users=second) if second else None
    account = known.accounts[first]
    role, database = role_name(policy, lost), database_name(policy, lost)
    if account.deleted is not None or not (role in roles or database in databases):
        return None
    holders = await engine.query(
        "SELECT assumeNotNull(user_name) FROM system.role_grants"
        " WHERE granted_role_name = {role:String} AND user_name IS NOT NULL",
        {"role": role},
    )
    return Joining(account.role, account.database, tuple(str(row[0]) for row in holders.rows), (), role, database)


def _names(lost: str, known: Known, policy: PartnerPolicy) -> Iterator[str]:
    """What a user that does not count may be called in ClickHouse: by which account it was named is not known."""
    user = known.users.get(known.same_as[lost])
    if user is not None:
        others = (other for other, first in known.same_as.items() if first == user.account_id)
        yield from {user_name(policy, account, lost) for account in (user.account_id, *others)} - {user.name}


def plan_joining(title: str, joining: Joining, clusters: Clusters = NO_CLUSTER) -> Change:
    """Give way to what counts. A database that is not empty stays, and is told of as a failed step."""
    return Change(title, tuple(_steps(joining, clusters)), danger=Danger.DISRUPTIVE, on_failure=OnFailure.CONTINUE)


def _steps(joining: Joining, clusters: Clusters) -> Iterator[StatementStep]:
    for user in joining.users:
        yield from _user_steps(user, joining, clusters)
    for user in joining.second_users:
        yield drop_step(EntityKey(EntityKind.USER, user), clusters, no_undo=_STAYS)
    if joining.second_role:
        yield drop_step(EntityKey(EntityKind.ROLE, joining.second_role), clusters, no_undo=_STAYS)
    if name := joining.second_database:
        empty = f"SELECT count() = 0 FROM system.tables WHERE database = {quote_string(name)}"  # noqa: S608 - quoted
        guard = Guard(empty, f"The database {name} of an account that gave way holds tables, and stays.")
        yield drop_database_step(name, clusters, no_undo=_STAYS, guard=guard)


def _user_steps(user: str, joining: Joining, clusters: Clusters) -> Iterator[StatementStep]:
    key = EntityKey(EntityKind.USER, user)
    yield StatementStep(
        f"Grant to user {user}: role {joining.role}",
        render(Grant(roles=(joining.role,), grantees=(user,), cluster=clusters.access)),
        no_undo=_STAYS,
        repeatable=True,
        events=(Event(subject_kind(key), user, "grant", {"roles": [joining.role], "admin_option": False}),),
    )
    yield StatementStep(
        f"Let user {user} begin in database {joining.database}",
        render(AlterUser((user,), default_database=joining.database, cluster=clusters.access)),
        no_undo=_STAYS,
        repeatable=True,
        events=(Event(subject_kind(key), user, "alter", {"changed": ["DEFAULT DATABASE"]}),),
    )
