"""Plans about one entity, as forms and commands need them. What cannot be done raises instead of being left out."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from core.access.access_model import AccessModel, EntityKey, Holder
from core.access.difference import Renamed, compare
from core.access.difference_fields import Entity, entity
from core.access.model import (
    ANY_HOST,
    AlterUser,
    Authentication,
    EntityKind,
    Grant,
    Hosts,
    Move,
    Revoke,
    Right,
    Role,
    User,
)
from core.access.model_changes import key_of, named_as_well, with_entity, with_renamed, without_entities
from core.access.parser import parse_statement
from core.access.planning.clusters import is_writable
from core.access.planning.plan import Action, Details, Plan, Planned, title, with_cluster
from core.access.planning.planner import plan
from core.access.render import render
from core.access.render_grants import render_rights
from core.errors import BadInputError, NotFoundError, RefusedError

StorageTypes = Mapping[str, str] | None
_HOST_NONE = Hosts()


def create(
    current: AccessModel,
    new: Entity,
    *,
    rights: Iterable[Grant | Revoke] = (),
    roles: Mapping[str, bool] | None = None,
    storage: str = "",
    cluster: str = "",
) -> Plan:
    """Make an entity; a user or role with rights, and with roles (each with or without the admin option).

    Raises BadInputError when there is one of the name.
    """
    key = key_of(new)
    if entity(current, key) is not None:
        raise BadInputError(f"There is a {title(key)} already.")
    desired = with_entity(current, new, storage)
    if isinstance(new, User | Role):
        desired = _holding(desired, Holder(key.kind, new.name), rights=tuple(rights), roles=dict(roles or {}))
    return _single(current, desired, cluster=cluster)


def alter(
    current: AccessModel,
    changed: Entity,
    *,
    new_secret: bool = False,
    cluster: str = "",
    storage_types: StorageTypes = None,
) -> Plan:
    """Make an entity what `changed` says. `new_secret`: the password in it is new, which nothing else could tell."""
    key = key_of(changed)
    _found(current, key)
    names = {str(key.name)} if new_secret else set()
    desired = with_entity(current, changed)
    return _single(current, desired, new_secrets=names, cluster=cluster, storage_types=storage_types)


def drop(
    current: AccessModel, keys: Iterable[EntityKey], *, cluster: str = "", storage_types: StorageTypes = None
) -> Plan:
    """Drop entities, and take them out of all that names them (`references.dependents` lists that)."""
    desired = without_entities(current, keys)
    return _single(current, desired, cluster=cluster, storage_types=storage_types)


def rename(
    current: AccessModel, key: EntityKey, name: str, *, cluster: str = "", storage_types: StorageTypes = None
) -> Plan:
    """Give an entity another name; all that refers to it follows. Raises BadInputError when there is one of it."""
    _refuse_read_only(current, key, storage_types)
    desired = with_renamed(current, key, name)
    return plan(current, desired, exact=True, renamed=(Renamed(key, name),), cluster=cluster)


def clone_user(
    current: AccessModel,
    name: str,
    new_name: str,
    methods: tuple[Authentication, ...],
    *,
    storage: str = "",
    cluster: str = "",
) -> Plan:
    """Make a user with all that another one has but its password: settings, roles, rights, limits, grantees.

    Where the other one is named (in the TO of quotas, profiles and policies, as a grantee), the new one is as well.
    """
    user = _user(current, name)
    desired = with_entity(current, replace(user, name=new_name, methods=methods), storage)
    return _single(current, _like(current, desired, EntityKind.USER, name, new_name), cluster=cluster)


def clone_role(current: AccessModel, name: str, new_name: str, *, storage: str = "", cluster: str = "") -> Plan:
    """Make a role with the settings, rights and roles of another one. Nobody has it yet."""
    role = current.roles.get(name)
    if role is None:
        raise NotFoundError(f"There is no role {name}.")
    if new_name in current.roles:
        raise BadInputError(f"There is a role {new_name} already.")
    desired = with_entity(current, replace(role, name=new_name), storage)
    return _single(current, _held_alike(current, desired, EntityKind.ROLE, name, new_name), cluster=cluster)


def disable(current: AccessModel, name: str, *, cluster: str = "", storage_types: StorageTypes = None) -> Plan:
    """Let a user come from nowhere (HOST NONE). Where it came from is in the details, for `enable`."""
    user = _user(current, name)
    if user.hosts == _HOST_NONE:
        raise RefusedError(f"The user {name} is disabled already: it can come from nowhere.")
    made = alter(current, replace(user, hosts=_HOST_NONE), cluster=cluster, storage_types=storage_types)
    return _as(made, Action.DISABLE, {"hosts": hosts_text(user.hosts)})


def enable(
    current: AccessModel,
    name: str,
    hosts: Hosts = ANY_HOST,
    *,
    cluster: str = "",
    storage_types: StorageTypes = None,
) -> Plan:
    """Let a disabled user come from `hosts` again, those that `remembered_hosts` read from the journal."""
    user = _user(current, name)
    if user.hosts != _HOST_NONE:
        raise RefusedError(f"The user {name} is not disabled: it can come from {hosts_text(user.hosts)}.")
    made = alter(current, replace(user, hosts=hosts), cluster=cluster, storage_types=storage_types)
    return _as(made, Action.ENABLE, {"hosts": hosts_text(hosts)})


def hosts_text(hosts: Hosts) -> str:
    """Hosts as SQL: what is behind HOST."""
    return render(AlterUser(("x",), hosts=hosts)).removeprefix("ALTER USER x HOST ")


def remembered_hosts(details: Mapping[str, object]) -> Hosts | None:
    """The hosts in the details of a `disable` in the journal; None when there are none that can be read."""
    try:
        statement = parse_statement(f"ALTER USER x HOST {details.get('hosts', '')}")
    except BadInputError:
        return None
    return statement.hosts if isinstance(statement, AlterUser) else None


def move(
    current: AccessModel,
    key: EntityKey,
    storage: str,
    *,
    cluster: str = "",
    storage_types: StorageTypes = None,
) -> Plan:
    """Move an entity to another access storage."""
    _found(current, key)
    _refuse_read_only(current, key, storage_types)
    former = current.storages.get(key, "")
    if former == storage:
        raise RefusedError(f"The {title(key)} is in {storage} already.")
    step = Planned(
        key,
        Action.MOVE,
        Move(key.kind, (key.name,), storage),
        (Move(key.kind, (key.name,), former),) if former else (),
        no_inverse="" if former else "The storage it was in before is not known.",
        details={"storage": storage, "from": former},
    )
    desired = replace(current, storages={**current.storages, key: storage})
    steps = tuple(with_cluster((step,), cluster)) if cluster else (step,)
    return Plan(current, desired, compare(current, desired), steps)


def grant(
    current: AccessModel,
    holder: Holder,
    rights: Sequence[Right],
    *,
    grant_option: bool = False,
    cluster: str = "",
    storage_types: StorageTypes = None,
) -> Plan:
    """Give rights. A plan without steps when the holder has them already."""
    given = Grant(tuple(rights), grantees=(holder.name,), grant_option=grant_option)
    return _with_statement(current, holder, given, cluster, storage_types)


def grant_current(
    current: AccessModel,
    holder: Holder,
    rights: Sequence[Right],
    *,
    grant_option: bool = False,
    cluster: str = "",
    storage_types: StorageTypes = None,
) -> Plan:
    """Give what whoever runs it can pass on of `rights` (`CURRENT GRANTS`); the target of the plan is all of them.

    For ClickHouse Cloud, where nobody has every right, so that GRANT ALL is refused.
    """
    made = grant(current, holder, rights, grant_option=grant_option, cluster=cluster, storage_types=storage_types)
    if not made.steps:
        return made
    given = Grant(tuple(rights), grantees=(holder.name,), grant_option=grant_option, current=True)
    step = replace(
        made.steps[0],
        statement=given,
        inverse=(),
        no_inverse="What it gave is what the one who ran it could pass on.",
        details={"rights": render_rights(tuple(rights)), "grant_option": grant_option},
    )
    return replace(made, steps=tuple(with_cluster((step,), cluster)) if cluster else (step,))


def revoke(
    current: AccessModel,
    holder: Holder,
    rights: Sequence[Right],
    *,
    option_only: bool = False,
    cluster: str = "",
    storage_types: StorageTypes = None,
) -> Plan:
    """Take rights, or only the option to pass them on. Without steps when the holder itself has none of them.

    A right that comes from a role stays: only the role can lose it.
    """
    taken = Revoke(tuple(rights), grantees=(holder.name,), grant_option=option_only)
    return _with_statement(current, holder, taken, cluster, storage_types)


def grant_roles(
    current: AccessModel,
    holder: Holder,
    roles: Iterable[str],
    *,
    admin_option: bool = False,
    cluster: str = "",
    storage_types: StorageTypes = None,
) -> Plan:
    """Give roles. A role that is granted with the admin option keeps it."""
    held = dict(_granted_to(current, holder))
    for role in roles:
        if role not in current.roles:
            raise NotFoundError(f"There is no role {role}.")
        if holder == Holder(EntityKind.ROLE, role):
            raise BadInputError(f"The role {role} cannot be granted to itself.")
        held[role] = held.get(role, False) or admin_option
    return _single(current, _holding(current, holder, roles=held), cluster=cluster, storage_types=storage_types)


def revoke_roles(
    current: AccessModel,
    holder: Holder,
    roles: Iterable[str],
    *,
    option_only: bool = False,
    cluster: str = "",
    storage_types: StorageTypes = None,
) -> Plan:
    """Take roles, or only the option to pass them on."""
    gone = set(roles)
    held = {
        role: admin and role not in gone
        for role, admin in _granted_to(current, holder).items()
        if option_only or role not in gone
    }
    desired = _holding(current, holder, roles=held)
    if holder.kind is EntityKind.USER and not option_only:
        user = desired.users[holder.name]
        names = tuple(name for name in user.default_roles.names if name not in gone)
        desired = with_entity(desired, replace(user, default_roles=replace(user.default_roles, names=names)))
    return _single(current, desired, cluster=cluster, storage_types=storage_types)


# -- what they have in common


def _single(
    current: AccessModel,
    desired: AccessModel,
    *,
    new_secrets: Collection[str] = (),
    cluster: str = "",
    storage_types: StorageTypes = None,
) -> Plan:
    """The plan for one thing, which must not be left out. Raises RefusedError."""
    made = plan(
        current,
        desired,
        exact=True,
        cluster=cluster,
        new_secrets=new_secrets,
        storage_types=storage_types,
    )
    if made.refusals:
        raise RefusedError(made.refusals[0].why)
    return made


def _as(made: Plan, action: Action, details: Details) -> Plan:
    return replace(made, steps=tuple(replace(step, action=action, details=details) for step in made.steps))


def _found(current: AccessModel, key: EntityKey) -> Entity:
    found = entity(current, key)
    if found is None:
        raise NotFoundError(f"There is no {title(key)}.")
    return found


def _user(current: AccessModel, name: str) -> User:
    found = current.users.get(name)
    if found is None:
        raise NotFoundError(f"There is no user {name}.")
    return found


def _refuse_read_only(current: AccessModel, key: EntityKey, storage_types: StorageTypes) -> None:
    storage = current.storages.get(key, "")
    if not is_writable(storage, None if storage_types is None else dict(storage_types)):
        raise RefusedError(f"The {title(key)} is in {storage}, which SQL cannot change.")


def _granted_to(current: AccessModel, holder: Holder) -> Mapping[str, bool]:
    _found(current, EntityKey(holder.kind, holder.name))
    return current.granted_roles.get(holder, {})


def _with_statement(
    current: AccessModel,
    holder: Holder,
    statement: Grant | Revoke,
    cluster: str,
    storage_types: StorageTypes,
) -> Plan:
    _found(current, EntityKey(holder.kind, holder.name))
    held = (*current.rights.get(holder, ()), statement)
    return _single(current, _holding(current, holder, rights=held), cluster=cluster, storage_types=storage_types)


def _holding(
    model: AccessModel,
    holder: Holder,
    *,
    rights: tuple[Grant | Revoke, ...] | None = None,
    roles: Mapping[str, bool] | None = None,
) -> AccessModel:
    """`model` with other rights or roles of a holder."""
    if rights is not None:
        mine = tuple(replace(statement, grantees=(holder.name,)) for statement in rights)
        model = replace(model, rights={**model.rights, holder: mine})
    return model if roles is None else replace(model, granted_roles={**model.granted_roles, holder: roles})


def _held_alike(current: AccessModel, model: AccessModel, kind: EntityKind, name: str, new_name: str) -> AccessModel:
    former = Holder(kind, name)
    rights, roles = current.rights.get(former, ()), current.granted_roles.get(former, {})
    return _holding(model, Holder(kind, new_name), rights=rights, roles=roles)


def _like(current: AccessModel, model: AccessModel, kind: EntityKind, name: str, new_name: str) -> AccessModel:
    if new_name in current.users or new_name in current.roles:
        raise BadInputError(f"There is a user or role {new_name} already.")
    return named_as_well(_held_alike(current, model, kind, name, new_name), name, new_name)
