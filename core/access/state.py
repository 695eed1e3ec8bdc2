"""The access entities of one ClickHouse as a value that statements change, with ClickHouse's own checks and words.

The embedded engine keeps such a state; ClickHouse has judged a statement before it comes here, and what is checked
here is what ClickHouse would check while it writes: which names exist, and which roles are granted.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from core.access.holdings import Holdings
from core.access.model import (
    EVERYONE,
    AlterRole,
    AlterUser,
    CreateRole,
    CreateUser,
    Drop,
    EntityKind,
    Grant,
    NameSet,
    Revoke,
    Role,
    SetDefaultRole,
    SettingElement,
    Statement,
    User,
)
from core.access.user_changes import altered_user, changed_settings, definition, new_user

FIXED_USER = "default"  # the user that chDB connects as; users.xml defines it and SQL cannot change it


class AccessRefused(Exception):
    """ClickHouse's refusal of a statement: its error code, and its text as ClickHouse words it."""

    def __init__(self, code: int, name: str, text: str) -> None:
        super().__init__(f"Code: {code}. DB::Exception: {text} ({name})")
        self.code = code


@dataclass(slots=True)
class AccessState:
    """Users, roles, and what each of them holds."""

    users: dict[str, User] = field(default_factory=dict)
    roles: dict[str, Role] = field(default_factory=dict)
    held: dict[tuple[EntityKind, str], Holdings] = field(default_factory=dict)

    def holdings(self, kind: EntityKind, name: str) -> Holdings:
        """What the user or role holds; empty when nothing was granted yet."""
        return self.held.setdefault((kind, name), Holdings())

    def apply(self, statement: Statement) -> None:
        """Carry out a statement whose passwords, times and current database are resolved, wholly or not at all.

        Raises AccessRefused.
        """
        match statement:
            case CreateUser():
                self._create_user(statement)
            case AlterUser():
                self._alter_user(statement)
            case CreateRole():
                self._create_role(statement)
            case AlterRole():
                self._alter_role(statement)
            case Drop() if statement.kind in (EntityKind.USER, EntityKind.ROLE):
                self._drop(statement)
            case SetDefaultRole():
                self._set_default_role(statement)
            case Grant():
                self._grant(statement)
            case Revoke():
                self._revoke(statement)
            case _:
                raise AccessRefused(
                    514, "ACCESS_STORAGE_FOR_INSERTION_NOT_FOUND", "Only users, roles and grants are kept here."
                )

    def statements(self) -> list[Statement]:
        """The statements that build this state from nothing, in an order in which every name is known when used."""
        built: list[Statement] = [
            CreateRole((name,), settings=self.roles[name].settings) for name in sorted(self.roles)
        ]
        for name in sorted(self.users):
            built.append(replace(definition(self.users[name]), default_roles=None, grantees=None))
        for kind, entities in ((EntityKind.USER, self.users), (EntityKind.ROLE, self.roles)):
            for name in sorted(entities):
                built += self.holdings(kind, name).statements(name)
        for name in sorted(self.users):
            user = self.users[name]
            roles = None if user.default_roles == EVERYONE else user.default_roles
            grantees = None if user.grantees == EVERYONE else user.grantees
            if roles is not None or grantees is not None:
                built.append(AlterUser((name,), default_roles=roles, grantees=grantees))
        return built

    # -- users and roles ----------------------------------------------------------------------------------------

    def _create_user(self, statement: CreateUser) -> None:
        self._check_storage(statement.storage, EntityKind.USER, statement.names)
        self._check_profiles(statement.settings)
        default_roles = statement.default_roles or EVERYONE
        granted = {*self._role_names(statement.roles), *self._role_names(default_roles.names)}
        self._role_names(default_roles.excepted)
        names = self._to_create(statement, EntityKind.USER, self.users)
        grantees = self._grantee_set(statement.grantees, also=names)
        for name in names:
            if name in self.users:  # OR REPLACE: to ClickHouse a new user, which nothing else means
                self._forget(EntityKind.USER, name)
            self.held[(EntityKind.USER, name)] = Holdings(roles=dict.fromkeys(sorted(granted), False))
            user = new_user(statement, name)
            self.users[name] = user if grantees is None else replace(user, grantees=grantees)

    def _alter_user(self, statement: AlterUser) -> None:
        names = self._existing(EntityKind.USER, statement.names, skip=statement.if_exists)
        if statement.settings is not None:
            self._check_profiles((*statement.settings.add, *statement.settings.modify))
        if statement.default_roles is not None:
            self._role_names((*statement.default_roles.names, *statement.default_roles.excepted))
            for name in names:
                self._check_granted(name, statement.default_roles)
        grantees = self._grantee_set(statement.grantees)
        self._check_rename(EntityKind.USER, statement.names, statement.rename_to, self.users)
        for name in names:
            user = altered_user(self.users[name], statement)
            self.users[name] = user if grantees is None else replace(user, grantees=grantees)
            if statement.rename_to:
                self._rename_user(name, statement.rename_to)

    def _create_role(self, statement: CreateRole) -> None:
        self._check_storage(statement.storage, EntityKind.ROLE, statement.names)
        self._check_profiles(statement.settings)
        for name in self._to_create(statement, EntityKind.ROLE, self.roles):
            if name in self.roles:  # OR REPLACE: a new role, which nobody holds
                self._forget(EntityKind.ROLE, name)
            self.held[(EntityKind.ROLE, name)] = Holdings()
            self.roles[name] = Role(name, statement.settings)

    def _alter_role(self, statement: AlterRole) -> None:
        names = self._existing(EntityKind.ROLE, statement.names, skip=statement.if_exists)
        if statement.settings is not None:
            self._check_profiles((*statement.settings.add, *statement.settings.modify))
        self._check_rename(EntityKind.ROLE, statement.names, statement.rename_to, self.roles)
        for name in names:
            if statement.settings is not None:
                role = self.roles[name]
                self.roles[name] = replace(role, settings=changed_settings(role.settings, statement.settings))
            if statement.rename_to:
                self._rename_role(name, statement.rename_to)

    def _drop(self, statement: Drop) -> None:
        self._check_storage(statement.storage, statement.kind, statement.names)
        for name in self._existing(statement.kind, statement.names, skip=statement.if_exists):
            self._forget(statement.kind, name)

    def _forget(self, kind: EntityKind, name: str) -> None:
        """Take a user or role out, and out of everything that names it."""
        self.held.pop((kind, name), None)
        if kind is EntityKind.USER:
            del self.users[name]
        else:
            del self.roles[name]
            for holdings in self.held.values():
                holdings.roles.pop(name, None)
            self._rewrite_default_roles(name, ())
        if not self.knows(name):
            self._rewrite_grantees(name, ())

    def _set_default_role(self, statement: SetDefaultRole) -> None:
        users = self._existing(EntityKind.USER, statement.users.names)
        if statement.users.current_user:
            self._refuse_fixed(EntityKind.USER, "update")
        self._role_names((*statement.roles.names, *statement.roles.excepted))
        for name in users:
            self._check_granted(name, statement.roles)
        for name in users:
            self.users[name] = replace(self.users[name], default_roles=statement.roles)

    # -- grants -------------------------------------------------------------------------------------------------

    def _grant(self, statement: Grant) -> None:
        roles = self._role_names(statement.roles)
        holders = self._holders(statement.grantees, current_user=statement.to_current_user)
        for (kind, name), _ in holders:
            if kind is EntityKind.ROLE and name in roles:
                raise AccessRefused(36, "BAD_ARGUMENTS", f"Cannot grant role '{name}' to itself.")
        for _, holdings in holders:
            if statement.replace_option and statement.rights:
                holdings.clear_rights()
            if statement.replace_option and roles:
                holdings.roles.clear()
            for right in statement.rights:
                holdings.grant(right, option=statement.grant_option)
            for role in roles:
                holdings.roles[role] = holdings.roles.get(role, False) or statement.admin_option

    def _revoke(self, statement: Revoke) -> None:
        roles = set(self._role_names(statement.roles))
        kept = set(self._role_names(statement.roles_except))
        excepted = {key for key, _ in self._holders(statement.grantees_except)}
        if statement.from_all:
            holders = [(key, self.holdings(*key)) for key in self._all_keys() if key not in excepted]
        else:
            holders = self._holders(statement.grantees, current_user=statement.from_current_user)
        for key, holdings in holders:
            for right in statement.rights:
                holdings.revoke(right, option_only=statement.grant_option)
            gone = set(holdings.roles) - kept if statement.all_roles else roles & set(holdings.roles)
            for role in gone:
                if statement.admin_option:
                    holdings.roles[role] = False
                else:
                    del holdings.roles[role]
            if key[0] is EntityKind.USER and gone and not statement.admin_option:
                user = self.users[key[1]]
                left = tuple(name for name in user.default_roles.names if name not in gone)
                self.users[key[1]] = replace(user, default_roles=replace(user.default_roles, names=left))

    def _holders(
        self, names: Iterable[str], *, current_user: bool = False
    ) -> list[tuple[tuple[EntityKind, str], Holdings]]:
        """Users or roles by name; of two with the same name the user is meant, as in ClickHouse."""
        found = []
        for name in names:
            if name == FIXED_USER and name not in self.roles:
                self._refuse_fixed(EntityKind.USER, "update")
            if name not in self.users and name not in self.roles:
                raise unknown(EntityKind.ROLE, name)
            key = (EntityKind.USER if name in self.users else EntityKind.ROLE, name)
            found.append((key, self.holdings(*key)))
        if current_user:
            self._refuse_fixed(EntityKind.USER, "update")
        return found

    # -- checks -------------------------------------------------------------------------------------------------

    def _all_keys(self) -> list[tuple[EntityKind, str]]:
        return [(EntityKind.USER, name) for name in self.users] + [(EntityKind.ROLE, name) for name in self.roles]

    def knows(self, name: str) -> bool:
        """Whether there is a user or role of this name."""
        return name == FIXED_USER or name in self.users or name in self.roles

    def _refuse_fixed(self, kind: EntityKind, verb: str) -> None:
        text = f"Cannot {verb} {kind.lower()} `{FIXED_USER}` in users_xml because this storage is readonly."
        raise AccessRefused(495, "ACCESS_STORAGE_READONLY", text)

    def _check_storage(self, storage: str, kind: EntityKind, names: Iterable[str]) -> None:
        if storage:
            listed = ", ".join(f"`{name}`" for name in names)
            text = f"Cannot change {kind.lower()} {listed} in {storage} because this storage is readonly."
            raise AccessRefused(495, "ACCESS_STORAGE_READONLY", text)

    def _check_profiles(self, elements: Iterable[SettingElement]) -> None:
        for element in elements:
            if element.profile and element.profile != "default":
                text = f"There is no settings profile `{element.profile}` in `user directories`."
                raise AccessRefused(180, "THERE_IS_NO_PROFILE", text)

    def _to_create(
        self, statement: CreateUser | CreateRole, kind: EntityKind, entities: dict[str, User] | dict[str, Role]
    ) -> list[str]:
        names = list(dict.fromkeys(statement.names))
        for name in names:
            if kind is EntityKind.USER and name == FIXED_USER and not statement.if_not_exists:
                self._refuse_fixed(kind, "replace" if statement.or_replace else "insert")
            if name in entities and not (statement.if_not_exists or statement.or_replace):
                raise _exists(kind, name, "insert")
        if statement.if_not_exists:
            return [
                name for name in names if name not in entities and not (kind is EntityKind.USER and name == FIXED_USER)
            ]
        return names

    def _existing(self, kind: EntityKind, names: Iterable[str], *, skip: bool = False) -> list[str]:
        entities = self.users if kind is EntityKind.USER else self.roles
        found = []
        for name in dict.fromkeys(names):
            if kind is EntityKind.USER and name == FIXED_USER:
                self._refuse_fixed(kind, "update")
            if name in entities:
                found.append(name)
            elif not skip:
                raise unknown(kind, name)
        return found

    def _role_names(self, names: Iterable[str]) -> list[str]:
        return self._existing(EntityKind.ROLE, names)

    def _check_granted(self, user: str, roles: NameSet) -> None:
        for role in roles.names:
            if role not in self.holdings(EntityKind.USER, user).roles:
                raise AccessRefused(512, "SET_NON_GRANTED_ROLE", f"Role `{role}` should be granted to set default.")

    def _check_rename(
        self, kind: EntityKind, names: tuple[str, ...], new: str, entities: dict[str, User] | dict[str, Role]
    ) -> None:
        if not new or names == (new,):
            return
        if len(names) > 1:
            raise AccessRefused(36, "BAD_ARGUMENTS", "Only one entity can be renamed at a time.")
        if new in entities or (kind is EntityKind.USER and new == FIXED_USER):
            raise _exists(kind, new, "rename to")

    def _grantee_set(self, names: NameSet | None, also: Iterable[str] = ()) -> NameSet | None:
        """GRANTEES with every name known; CURRENT_USER is the user that chDB connects as."""
        if names is None:
            return None
        for name in (*names.names, *names.excepted):
            if not self.knows(name) and name not in also:
                raise unknown(EntityKind.ROLE, name)
        listed = (*names.names, FIXED_USER) if names.current_user and FIXED_USER not in names.names else names.names
        return replace(names, names=listed, current_user=False)

    # -- renames ------------------------------------------------------------------------------------------------

    def _rename_user(self, old: str, new: str) -> None:
        self.users[new] = replace(self.users.pop(old), name=new)
        self.held[(EntityKind.USER, new)] = self.held.pop((EntityKind.USER, old), Holdings())
        if not self.knows(old):
            self._rewrite_grantees(old, (new,))

    def _rename_role(self, old: str, new: str) -> None:
        self.roles[new] = replace(self.roles.pop(old), name=new)
        self.held[(EntityKind.ROLE, new)] = self.held.pop((EntityKind.ROLE, old), Holdings())
        for holdings in self.held.values():
            if old in holdings.roles:
                holdings.roles[new] = holdings.roles.pop(old)
        self._rewrite_default_roles(old, (new,))
        if not self.knows(old):
            self._rewrite_grantees(old, (new,))

    def _rewrite_default_roles(self, old: str, new: tuple[str, ...]) -> None:
        for name, user in self.users.items():
            if (roles := _rewritten(user.default_roles, old, new)) is not user.default_roles:
                self.users[name] = replace(user, default_roles=roles)

    def _rewrite_grantees(self, old: str, new: tuple[str, ...]) -> None:
        for name, user in self.users.items():
            if (grantees := _rewritten(user.grantees, old, new)) is not user.grantees:
                self.users[name] = replace(user, grantees=grantees)


def unknown(kind: EntityKind, name: str) -> AccessRefused:
    """ClickHouse's error for a user or role that does not exist."""
    code, label = (192, "UNKNOWN_USER") if kind is EntityKind.USER else (511, "UNKNOWN_ROLE")
    return AccessRefused(code, label, f"There is no {kind.lower()} `{name}` in `user directories`.")


def _rewritten(names: NameSet, old: str, new: tuple[str, ...]) -> NameSet:
    """`names` with `old` replaced by what is in `new` (nothing, or the new name)."""
    if old not in names.names and old not in names.excepted:
        return names
    listed, excepted = (
        tuple(found for name in part for found in (new if name == old else (name,)))
        for part in (names.names, names.excepted)
    )
    return replace(names, names=listed, excepted=excepted)


def _exists(kind: EntityKind, name: str, verb: str) -> AccessRefused:
    word = kind.lower()
    text = f"{word} `{name}`: cannot {verb} because {word} `{name}` already exists."
    return AccessRefused(493, "ACCESS_ENTITY_ALREADY_EXISTS", text)
