"""Lint of what is granted: too much, too far, or not what it looks like."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from core.access.access_model import AccessModel, Holder
from core.access.lint.changes import with_rights, with_statements
from core.access.lint.findings import Finding, Fix, Severity
from core.access.lint.scope import on_everything
from core.access.lint.subject import Subject, key_of, listed, named, sentence
from core.access.model import CURRENT_DATABASE, EntityKind, Grant, Revoke, Right
from core.access.render_grants import render_rights

Fixing = Callable[[AccessModel], AccessModel]

# What the owner of a database needs of ALL: everything about its tables, nothing about users, policies or the server.
OWNER_PRIVILEGES = (
    *("CHECK", "SHOW", "SELECT", "INSERT", "ALTER TABLE", "ALTER DATABASE", "ALTER VIEW", "CREATE DATABASE"),
    *("CREATE TABLE", "CREATE VIEW", "CREATE DICTIONARY", "DROP DATABASE", "DROP TABLE", "DROP VIEW"),
    *("DROP DICTIONARY", "UNDROP TABLE", "TRUNCATE", "OPTIMIZE", "BACKUP", "dictGet"),
)
# A server lists ALL on a database or table privilege by privilege. Whoever has these of it has all of it.
_LISTED_OF_ALL = frozenset(
    (
        *("SELECT", "INSERT", "CREATE TABLE", "DROP TABLE", "TRUNCATE", "OPTIMIZE", "SYSTEM MERGES"),
        *("CREATE ROW POLICY", "ALTER ROW POLICY", "DROP ROW POLICY"),
    )
)
_DATA = frozenset(
    (
        *("ALL", "SELECT", "INSERT", "ALTER", "ALTER TABLE", "ALTER UPDATE", "ALTER DELETE", "ALTER COLUMN"),
        *("CREATE", "CREATE DATABASE", "CREATE TABLE", "CREATE VIEW", "CREATE DICTIONARY", "DROP", "DROP DATABASE"),
        *("DROP TABLE", "DROP VIEW", "DROP DICTIONARY", "TRUNCATE", "OPTIMIZE", "BACKUP", "dictGet"),
        *("UPDATE", "DELETE"),
    )
)
# Sources reach files and other machines, with the rights of the server.
_SOURCES = frozenset(
    (
        *("SOURCES", "READ", "WRITE", "FILE", "URL", "REMOTE", "MONGO", "REDIS", "MYSQL", "POSTGRES", "SQLITE", "ODBC"),
        *("JDBC", "HDFS", "S3", "HIVE", "AZURE", "KAFKA", "NATS", "RABBITMQ", "YTSAURUS", "ARROW FLIGHT", "BIGQUERY"),
        *("DISK", "CLUSTER"),
    )
)
_SERVER = frozenset(
    (
        *("SYSTEM", "INTROSPECTION", "KILL QUERY", "KILL TRANSACTION", "displaySecretsInShowAndSelect"),
        *("CREATE FUNCTION", "DROP FUNCTION", "CREATE WORKLOAD", "DROP WORKLOAD", "CREATE RESOURCE", "DROP RESOURCE"),
        *("CREATE HANDLER", "ALTER HANDLER", "DROP HANDLER", "MOVE PARTITION BETWEEN SHARDS"),
    )
)


def check(subject: Subject) -> Iterator[Finding]:
    """Findings about the rights of each holder."""
    for holder in subject.model.rights:
        if not _exists(subject, holder):
            continue
        rights = subject.in_force(holder)
        administrator = any(_administers(right) for _, right in rights)
        if administrator:
            yield _administrator(subject, holder, rights)
        else:
            yield from _all_on_database(subject, holder, rights)
            yield from _beside_databases(subject, holder, [right for _, right in rights])
        yield from _current_database(subject, holder, [right for _, right in rights])
        yield from _option_of_many(subject, holder, rights)
        yield from _unknown(subject, holder)
    yield from _beyond_tenants(subject)


def _exists(subject: Subject, holder: Holder) -> bool:
    return holder.name in (subject.model.users if holder.kind is EntityKind.USER else subject.model.roles)


def _administers(right: Right) -> bool:
    return right.privilege in ("ALL", "ACCESS MANAGEMENT") and (on_everything(right) or right.parameter == "")


def _administrator(subject: Subject, holder: Holder, rights: Sequence[tuple[Grant, Right]]) -> Finding:
    option = any(grant.grant_option and _administers(right) for grant, right in rights)
    members = subject.members.get(holder.name, []) if holder.kind is EntityKind.ROLE else []
    whom = f" Users that can have the role: {listed(members)}." if members else ""
    passing = " and may pass them on (WITH GRANT OPTION)" if option else ""
    return subject.finding(
        "administrator",
        Severity.NOTE,
        key_of(holder),
        f"{sentence(named(holder))} administers access.",
        f"With ACCESS MANAGEMENT, which ALL ON *.* contains, it manages users, roles and policies{passing}. Limits put "
        f"on an administrator are limits that it can lift.{whom}",
        advice="Keep administrators few, personal, and apart from the users of applications.",
    )


# -- ALL on a database


def _all_on_database(subject: Subject, holder: Holder, rights: Sequence[tuple[Grant, Right]]) -> Iterator[Finding]:
    tenants = subject.context.tenants
    for place, listed_singly in _places_of_all(rights).items():
        database = place.database or ""
        of_tenant = any(name.startswith(database) if place.database_wildcard else name == database for name in tenants)
        yield subject.finding(
            "grant-all",
            Severity.ERROR if of_tenant else Severity.WARNING,
            key_of(holder),
            f"{sentence(named(holder))} has ALL on {_place_text(place)}.",
            "ALL on a database is more than its tables. It holds CREATE, ALTER and DROP ROW POLICY, so that its holder "
            "can lift the row policies put on it; and for an object that is called like the database it holds CREATE "
            "and DROP USER, IMPERSONATE, NAMED COLLECTION ADMIN and more.",
            fix=Fix(
                f"Grant what an owner needs instead (all about tables, views and dictionaries of {_place_text(place)}; "
                "no row policies, users, roles, sources or SYSTEM)",
                _owner_instead_of_listed(holder, place)
                if listed_singly
                else _owner_instead_of_all(subject, holder, place),
            ),
        )


def _places_of_all(rights: Sequence[tuple[Grant, Right]]) -> dict[Right, bool]:
    """The objects on which all is held, and whether it is listed privilege by privilege."""
    found = {_without_privilege(right): False for _, right in rights if _is_all_on_database(right)}
    listed: dict[Right, set[str]] = {}
    for _, right in rights:
        if right.database and right.parameter is None and not right.columns:
            listed.setdefault(_without_privilege(right), set()).add(right.privilege)
    return found | {place: True for place, names in listed.items() if names >= _LISTED_OF_ALL and place not in found}


def _is_all_on_database(right: Right) -> bool:
    return right.privilege == "ALL" and right.parameter is None and bool(right.database)


def _without_privilege(right: Right) -> Right:
    return right._replace(privilege="", columns=())


def _place_text(place: Right) -> str:
    return render_rights((place._replace(privilege="ALL"),)).removeprefix("ALL ON ")


def _owner_instead_of_all(subject: Subject, holder: Holder, place: Right) -> Fixing:
    known = subject.context.known_privileges
    privileges = [name for name in OWNER_PRIVILEGES if not known or name in known]
    if place.table is not None:
        privileges = [name for name in privileges if not name.endswith(" DATABASE")]

    def change(statement: Grant | Revoke, right: Right) -> tuple[Right, ...]:
        if isinstance(statement, Grant) and _is_all_on_database(right) and _without_privilege(right) == place:
            return tuple(place._replace(privilege=privilege) for privilege in privileges)
        return (right,)

    return lambda model: with_rights(model, holder, change)


def _owner_instead_of_listed(holder: Holder, place: Right) -> Fixing:
    def unwanted(right: Right) -> bool:
        if right.parameter is not None:  # ALL on a database gave these on what is called like it
            named = (right.parameter, right.parameter_wildcard) == (place.database, place.database_wildcard)
            return named and place.table is None
        return _without_privilege(right) == place and right.privilege not in OWNER_PRIVILEGES

    def change(statement: Grant | Revoke, right: Right) -> tuple[Right, ...]:
        return () if isinstance(statement, Grant) and unwanted(right) else (right,)

    return lambda model: with_rights(model, holder, change)


# -- rights beside those on databases


def _beside_databases(subject: Subject, holder: Holder, rights: list[Right]) -> Iterator[Finding]:
    about_data = [right for right in rights if right.privilege in _DATA and right.parameter is None]
    if not about_data or not all(right.database for right in about_data):
        return
    found = list(dict.fromkeys(right.privilege for right in rights if _reaches_out(right)))
    if not found:
        return
    yield subject.finding(
        "global-rights-beside-database",
        Severity.WARNING,
        key_of(holder),
        f"{sentence(named(holder))} is limited to some databases, but has global rights: {listed(found)}.",
        "Sources (URL, S3, FILE, REMOTE …) read and write outside of every database, with the rights of the server; "
        "SYSTEM and its kin act on the whole server. allow_databases in users.xml leaves all of them: it narrows only "
        "the rights on tables.",
        fix=Fix(
            f"Take away the global rights ({listed(found)})",
            lambda model: with_rights(
                model,
                holder,
                lambda statement, right: () if isinstance(statement, Grant) and _reaches_out(right) else (right,),
            ),
        ),
    )


def _reaches_out(right: Right) -> bool:
    privilege = right.privilege
    if privilege in ("READ", "WRITE"):
        return right.parameter == "" or on_everything(right)
    return on_everything(right) and (privilege in _SOURCES or privilege in _SERVER or privilege.startswith("SYSTEM "))


# -- other forms


def _current_database(subject: Subject, holder: Holder, rights: list[Right]) -> Iterator[Finding]:
    found = tuple(
        dict.fromkeys(right for right in rights if right.parameter is None and right.database == CURRENT_DATABASE)
    )
    if found:
        yield subject.finding(
            "grant-current-database",
            Severity.WARNING,
            key_of(holder),
            f"A grant to {named(holder)} names no database: {render_rights(found[:3])}{' …' * (len(found) > 3)}.",
            "ON * and ON table mean the current database of whoever runs the statement, not all databases: those are "
            "*.*. Run by somebody else, the same statement grants something else.",
            advice="Write the database: ON db.* or ON *.*",
        )


def _option_of_many(subject: Subject, holder: Holder, rights: Sequence[tuple[Grant, Right]]) -> Iterator[Finding]:
    if holder.kind is not EntityKind.ROLE or not any(grant.grant_option for grant, _ in rights):
        return
    members = subject.members.get(holder.name, [])
    if len(members) < subject.context.many_users:
        return
    yield subject.finding(
        "grant-option-widespread",
        Severity.WARNING,
        key_of(holder),
        f"{len(members):,} users may pass on the rights of {named(holder)}.",
        f"WITH GRANT OPTION in a role lets each of its users ({listed(members)}) grant those rights to anybody. What "
        "they granted stays when the role is taken from them.",
        fix=Fix(
            "Keep the rights, take away the option to pass them on",
            lambda model: with_statements(
                model,
                holder,
                lambda statement: replace(statement, grant_option=False) if isinstance(statement, Grant) else statement,
            ),
        ),
    )


def _unknown(subject: Subject, holder: Holder) -> Iterator[Finding]:
    known = subject.context.known_privileges
    if not known:
        return
    used = (right.privilege for statement in subject.statements(holder) for right in statement.rights)
    for privilege in dict.fromkeys(used):
        if privilege not in known and privilege != "USAGE":
            yield subject.finding(
                "privilege-unknown",
                Severity.ERROR,
                key_of(holder),
                f"{sentence(named(holder))} has a privilege that this ClickHouse does not know: {listed([privilege])}.",
                "ClickHouse refuses the statement that grants it. It is misspelt, or of another version.",
                advice="See system.privileges for the privileges of this server.",
            )


# -- tenants


def _beyond_tenants(subject: Subject) -> Iterator[Finding]:
    context = subject.context
    wide = {holder: found for holder in subject.model.rights if (found := _data_everywhere(subject, holder))}
    if not wide:
        return
    of_tenants = {holder for holder in subject.model.rights if _about_tenant(subject, holder)}
    for user in subject.model.users.values():
        holders = list(subject.holders(user))
        is_datalens = user.name == context.datalens_user
        if not is_datalens and of_tenants.isdisjoint(holders):
            continue
        if not is_datalens and any(_is_administrator(subject, holder) for holder in holders):
            continue
        for holder in holders:
            if holder in wide:
                yield _beyond(subject, holders[0], holder, wide[holder], is_datalens=is_datalens)


def _data_everywhere(subject: Subject, holder: Holder) -> list[Right]:
    rights = subject.in_force(holder)
    return [right for _, right in rights if right.privilege in _DATA and on_everything(right)]


def _about_tenant(subject: Subject, holder: Holder) -> bool:
    rights = subject.in_force(holder)
    return any(
        right.parameter is None and not right.database_wildcard and right.database in subject.context.tenants
        for _, right in rights
    )


def _is_administrator(subject: Subject, holder: Holder) -> bool:
    rights = subject.in_force(holder)
    return any(_administers(right) for _, right in rights)


def _beyond(subject: Subject, user: Holder, holder: Holder, rights: list[Right], *, is_datalens: bool) -> Finding:
    what = listed(dict.fromkeys(right.privilege for right in rights))
    path = "" if holder == user else f" by {named(holder)}"
    who = "the DataLens user" if is_datalens else "user of a tenant"
    narrows = is_datalens and bool(subject.context.tenants)
    fix = None
    if holder == user and (narrows or not is_datalens):
        title = "Grant SELECT on the tenants' databases instead" if narrows else f"Take away {what} on *.*"
        fix = Fix(title, _narrowed(subject, holder, to_tenants=narrows))
    return subject.finding(
        "grant-beyond-tenants",
        Severity.ERROR,
        key_of(user),
        f"{sentence(named(user))}, {who}, has {what} on every database{path}.",
        "A right on *.* holds for the databases of all other tenants, and for those that are created later."
        + (" Whoever has a DataLens token for one tenant must not depend on DataLens alone." if is_datalens else ""),
        advice="" if fix else "Take the role away, or narrow its rights to the databases that are meant.",
        fix=fix,
    )


def _narrowed(subject: Subject, holder: Holder, *, to_tenants: bool) -> Fixing:
    tenants = sorted(subject.context.tenants)

    def change(statement: Grant | Revoke, right: Right) -> tuple[Right, ...]:
        if not isinstance(statement, Grant) or right.privilege not in _DATA or not on_everything(right):
            return (right,)
        if to_tenants and right.privilege in ("SELECT", "ALL"):
            return tuple(Right("SELECT", right.columns, database=tenant) for tenant in tenants)
        return ()

    return lambda model: with_rights(model, holder, change)
