"""What a new account and a new user get in ClickHouse, by the template of the policy, as steps of a Change.

All of it is under names that nobody else has, so taking it back is dropping it, whether it was made or not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from core.access.access_model import EntityKey
from core.access.entity_parts import SettingElement
from core.access.model import CreateRole, CreateUser, EntityKind, Grant, Right
from core.access.parser import parse_statement
from core.access.passwords import generate_password, hash_password
from core.access.planning.plan import title
from core.access.render import render
from core.access.render_grants import render_rights
from core.access.secret_texts import without_secrets
from core.access_changes.changes import subject_kind
from core.access_changes.settling import done_query
from core.changes import Event, JsonValue, StatementStep
from core.clickhouse.quoting import quote_identifier, quote_string
from core.display import one_line
from core.errors import BadInputError
from core.partner.accounts.decision import Provision
from core.partner.provisioning.clusters import NO_CLUSTER, Clusters
from core.partner.provisioning.dropping import drop_database_step, drop_step
from core.profiles.partner import ResourceTemplate


def account_steps(
    provision: Provision, template: ResourceTemplate, clusters: Clusters = NO_CLUSTER
) -> Iterator[StatementStep]:
    """The database of a new account, and the role with the template's privileges on it.

    Raises BadInputError for what is no plain privilege on a database.
    """
    yield _create_database(provision.database, clusters)
    role = EntityKey(EntityKind.ROLE, provision.role)
    yield _create(role, CreateRole((provision.role,), cluster=clusters.access), clusters)
    if rights := database_rights(template.privileges, provision.database):
        granted: dict[str, JsonValue] = {"rights": render_rights(rights), "grant_option": False}
        yield _grant(role, Grant(rights, grantees=(provision.role,), cluster=clusters.access), granted, clusters)


def user_step(provision: Provision, template: ResourceTemplate, clusters: Clusters = NO_CLUSTER) -> StatementStep:
    """A new user, whom nobody can be before the sign-up: the password is random, and forgotten once it is hashed."""
    profile = template.settings_profile
    created = CreateUser(
        (provision.user,),
        cluster=clusters.access,
        methods=(hash_password(generate_password()),),
        default_database=provision.database,
        settings=(SettingElement(profile=profile),) if profile else (),
    )
    return _create(EntityKey(EntityKind.USER, provision.user), created, clusters)


def role_step(user: str, role: str, clusters: Clusters = NO_CLUSTER) -> StatementStep:
    """Give a new user the role of the account, which is then a default one: what ClickHouse makes of a granted role."""
    given: dict[str, JsonValue] = {"roles": [role], "admin_option": False}
    key = EntityKey(EntityKind.USER, user)
    return _grant(key, Grant(roles=(role,), grantees=(user,), cluster=clusters.access), given, clusters)


def database_rights(privileges: tuple[str, ...], database: str) -> tuple[Right, ...]:
    """`privileges` as rights on all of `database` and on nothing else. Raises BadInputError."""
    rights: list[Right] = []
    for privilege in privileges:
        grant = parse_statement(f"GRANT {privilege} ON {quote_identifier(database)}.* TO {quote_identifier('role')}")
        given = grant.rights if isinstance(grant, Grant) else ()
        if grant != Grant(given, grantees=("role",)) or given != (Right(given[0].privilege, database=database),):
            raise BadInputError(
                f"The privilege {one_line(privilege, 80)!r} of the template is none that a database can have as it is.",
                advice='In the profile, write plain privileges: privileges = ["SELECT", "INSERT"].',
            )
        rights += given
    return tuple(rights)


def _create_database(name: str, clusters: Clusters) -> StatementStep:
    return StatementStep(
        f"Create database {name}",
        f"CREATE DATABASE {quote_identifier(name)}{clusters.on_databases}",
        undo=drop_database_step(name, clusters, taken_back="create"),
        done_when=f"SELECT count() FROM system.databases WHERE name = {quote_string(name)}",  # noqa: S608 - quoted
        events=(Event("database", name, "create"),),
    )


def _create(key: EntityKey, statement: CreateRole | CreateUser, clusters: Clusters) -> StatementStep:
    return StatementStep(
        f"Create {title(key)}",
        render(statement),
        masked=render(without_secrets(statement)) if isinstance(statement, CreateUser) else None,
        undo=drop_step(key, clusters, taken_back="create"),
        done_when=done_query(key, statement),
        events=(Event(subject_kind(key), str(key.name), "create"),),
    )


def _grant(key: EntityKey, grant: Grant, details: dict[str, JsonValue], clusters: Clusters) -> StatementStep:
    what = details.get("rights") or f"role {', '.join(grant.roles)}"
    return StatementStep(
        f"Grant to {title(key)}: {what}",
        render(grant),
        # A REVOKE fails when there is nobody to revoke from. The step that has made the holder tells of its end.
        undo=replace(drop_step(key, clusters), events=()),
        repeatable=True,
        events=(Event(subject_kind(key), str(key.name), "grant", details),),
    )
