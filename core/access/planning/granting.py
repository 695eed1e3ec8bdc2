"""The steps of a plan about roles and rights, default roles and grantees."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby

from core.access.access_model import AccessModel, EntityKey, Holder
from core.access.difference_fields import DEFAULT_ROLE, GRANTEES, names_meaning
from core.access.difference_rights import Rights, acts, folded, rights_statements
from core.access.model import EVERYONE, NOBODY, AlterUser, EntityKind, Grant, NameSet, Revoke, User
from core.access.planning.name_sets import covers
from core.access.planning.plan import Action, Details, Planned, granted, who
from core.access.planning.references import holder_key
from core.access.render_grants import name_set, render_rights


def rights_steps(current: AccessModel, target: AccessModel, holder: Holder) -> Iterator[Planned]:
    """What gives and takes rights, in the order in which it must run."""
    before, after = current.rights.get(holder, ()), target.rights.get(holder, ())
    if before == after:
        return
    now = former = folded(before)
    for statement in rights_statements(now, folded(after), holder.name):
        then = _after(now, statement)
        inverse = rights_statements(then, now, holder.name)
        now = then
        what = render_rights(statement.rights)
        if isinstance(statement, Grant):
            details: Details = {"rights": what, "grant_option": statement.grant_option}
            yield Planned(holder_key(holder), Action.GRANT, statement, tuple(inverse), details=details)
        else:
            option = "the option to pass on " if statement.grant_option else ""
            lost = any(former.meets(*act) for act in acts(statement))  # else it is a part of what was just given
            takes = f"{who(holder_key(holder))} loses {option}{what}." if lost else ""
            details = {"rights": what, "option_only": statement.grant_option}
            yield Planned(holder_key(holder), Action.REVOKE, statement, tuple(inverse), takes=takes, details=details)


def _after(rights: Rights, statement: Grant | Revoke) -> Rights:
    then = rights.copy()
    for act, mask, place in acts(statement):
        then.apply(act, mask, place)
    return then


def role_grants(current: AccessModel, target: AccessModel, holder: Holder) -> Iterator[Planned]:
    """Roles granted, and the option to pass them on."""
    key = holder_key(holder)
    before, after = granted(current, key), granted(target, key)
    for admin in (False, True):
        new = tuple(sorted(role for role in after if role not in before and after[role] is admin))
        if new:
            yield _role_grant(key, new, admin, Revoke(roles=new, grantees=(holder.name,)))
    more = tuple(sorted(role for role in after if after[role] and before.get(role) is False))
    if more:
        yield _role_grant(key, more, True, Revoke(roles=more, grantees=(holder.name,), admin_option=True))


def _role_grant(key: EntityKey, roles: tuple[str, ...], admin: bool, inverse: Revoke) -> Planned:
    statement = Grant(roles=roles, grantees=(str(key.name),), admin_option=admin)
    return Planned(key, Action.GRANT, statement, (inverse,), details={"roles": roles, "admin_option": admin})


def role_revokes(current: AccessModel, target: AccessModel, holder: Holder) -> Iterator[Planned]:
    """Roles taken, and the option to pass them on."""
    key = holder_key(holder)
    before, after = granted(current, key), granted(target, key)
    gone = sorted((role for role in before if role not in after), key=lambda role: (before[role], role))
    for admin, roles in groupby(gone, key=lambda role: before[role]):
        yield _role_revoke(key, tuple(roles), admin, option_only=False)
    less = tuple(sorted(role for role in before if before[role] and after.get(role) is False))
    if less:
        yield _role_revoke(key, less, True, option_only=True)


def _role_revoke(key: EntityKey, roles: tuple[str, ...], admin: bool, *, option_only: bool) -> Planned:
    holder = (str(key.name),)
    option = "the option to pass on " if option_only else ""
    return Planned(
        key,
        Action.REVOKE,
        Revoke(roles=roles, grantees=holder, admin_option=option_only),
        (Grant(roles=roles, grantees=holder, admin_option=admin),),
        takes=f"{who(key)} loses {option}{_roles(roles)}.",
        details={"roles": roles, "option_only": option_only},
    )


def default_roles(current: AccessModel, target: AccessModel, name: str) -> Iterator[Planned]:
    """DEFAULT ROLE, behind the grants of the roles it names and before their revokes. New users come without."""
    user, former = target.users[name], current.users.get(name)
    key = EntityKey(EntityKind.USER, name)
    if former is user and granted(current, key) == granted(target, key):
        return
    before = _new_default(user) if former is None else _default_roles(former, granted(current, key))
    after = _default_roles(user, granted(target, key))
    # A role that is no longer granted leaves the list by itself, and could not be in it again before it is.
    if before == after:
        return
    takes = "" if covers(after, before) else f"{who(key)} starts with fewer roles: {name_set(after)}."
    yield Planned(
        key,
        Action.ALTER,
        AlterUser((name,), default_roles=after),
        (AlterUser((name,), default_roles=before),),
        takes=takes,
        details={"changed": (DEFAULT_ROLE,), DEFAULT_ROLE.lower(): name_set(after)},
    )


def _new_default(user: User) -> NameSet:
    return EVERYONE if user.default_roles == EVERYONE else NOBODY


def _default_roles(user: User, roles: Mapping[str, bool]) -> NameSet:
    return names_meaning(user.default_roles, roles)


def _roles(names: tuple[str, ...]) -> str:
    return f"the role{'s' * (len(names) > 1)} {', '.join(names)}"


def grantees(current: AccessModel, target: AccessModel, name: str) -> Iterator[Planned]:
    """GRANTEES, when all they name is there. New users come without."""
    user, former = target.users[name], current.users.get(name)
    if former is user:
        return
    after = names_meaning(user.grantees)
    start = EVERYONE if user.grantees == EVERYONE else NOBODY
    before = start if former is None else names_meaning(former.grantees)
    if before == after:
        return
    key = EntityKey(EntityKind.USER, name)
    words = name_set(after, "ANY")
    yield Planned(
        key,
        Action.ALTER,
        AlterUser((name,), grantees=after),
        (AlterUser((name,), grantees=before),),
        takes="" if covers(after, before) else f"{who(key)} may grant rights to fewer: {words}.",
        details={"changed": (GRANTEES,), GRANTEES.lower(): words},
    )
