"""The entities of an access state by kind and name, and ClickHouse's refusals about their names."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Final

from core.access.holdings import Holdings
from core.access.model import EntityKind, NameSet, Role, SettingElement, User
from core.access.policies import MaskingPolicy, PolicyName, RowPolicy
from core.access.quotas import Quota
from core.access.render_policies import policy_names
from core.access.settings_profiles import SettingsProfile

FIXED_USER = "default"  # the user that chDB connects as; users.xml defines it and SQL cannot change it
FIXED: Final = frozenset(  # what users.xml defines besides
    {(EntityKind.USER, FIXED_USER), (EntityKind.QUOTA, "default"), (EntityKind.SETTINGS_PROFILE, "default")}
)
_UNKNOWN: Final = {
    EntityKind.USER: (192, "UNKNOWN_USER"),
    EntityKind.ROLE: (511, "UNKNOWN_ROLE"),
    EntityKind.QUOTA: (199, "UNKNOWN_QUOTA"),
    EntityKind.SETTINGS_PROFILE: (180, "THERE_IS_NO_PROFILE"),
    EntityKind.ROW_POLICY: (523, "UNKNOWN_ROW_POLICY"),
    EntityKind.MASKING_POLICY: (765, "UNKNOWN_MASKING_POLICY"),
}
_READ_ONLY: Final = {"insert": "Cannot insert {} to {}", "update": "Cannot update {} in {}"} | {
    "remove": "Cannot remove {} from {}"
}


class AccessRefused(Exception):
    """ClickHouse's refusal of a statement: its error code, and its text as ClickHouse words it."""

    def __init__(self, code: int, name: str, text: str) -> None:
        super().__init__(f"Code: {code}. DB::Exception: {text} ({name})")
        self.code = code


@dataclass(slots=True)
class Entities:
    """Users, roles and what each of them holds, and the entities that limit them."""

    users: dict[str, User] = field(default_factory=dict)
    roles: dict[str, Role] = field(default_factory=dict)
    held: dict[tuple[EntityKind, str], Holdings] = field(default_factory=dict)
    quotas: dict[str, Quota] = field(default_factory=dict)
    settings_profiles: dict[str, SettingsProfile] = field(default_factory=dict)
    row_policies: dict[PolicyName, RowPolicy] = field(default_factory=dict)
    masking_policies: dict[PolicyName, MaskingPolicy] = field(default_factory=dict)

    def holdings(self, kind: EntityKind, name: str) -> Holdings:
        """What the user or role holds; empty when nothing was granted yet."""
        return self.held.setdefault((kind, name), Holdings())

    def knows(self, name: str) -> bool:
        """Whether there is a user or role of this name."""
        return name == FIXED_USER or name in self.users or name in self.roles

    def of_kind(self, kind: EntityKind) -> dict[Any, Any]:
        """The entities of a kind by name."""
        tables: dict[EntityKind, dict[Any, Any]] = {
            EntityKind.USER: self.users,
            EntityKind.ROLE: self.roles,
            EntityKind.QUOTA: self.quotas,
            EntityKind.SETTINGS_PROFILE: self.settings_profiles,
            EntityKind.ROW_POLICY: self.row_policies,
            EntityKind.MASKING_POLICY: self.masking_policies,
        }
        return tables[kind]

    # -- checks -------------------------------------------------------------------------------------------------

    def existing(
        self, kind: EntityKind, names: Iterable[Any], verb: str = "update", *, skip: bool = False
    ) -> list[Any]:
        """`names` without repetitions; with `skip` without the unknown, which are refused otherwise."""
        entities = self.of_kind(kind)
        found = []
        for name in dict.fromkeys(names):
            if (kind, name) in FIXED:
                raise read_only(kind, [name], verb)
            if name in entities:
                found.append(name)
            elif not skip:
                raise unknown(kind, name)
        return found

    def to_create(self, kind: EntityKind, statement: Any) -> list[Any]:
        """The names of a CREATE that are to be made, with OR REPLACE those as well that there are."""
        self.check_storage(kind, statement.names, statement.storage)
        entities = self.of_kind(kind)
        names = list(dict.fromkeys(statement.names))
        for name in names:
            if (kind, name) in FIXED and not statement.if_not_exists:
                raise read_only(kind, [name], "insert")
            if name in entities and not (statement.if_not_exists or statement.or_replace):
                raise exists(kind, name, "insert")
        if statement.if_not_exists:
            return [name for name in names if name not in entities and (kind, name) not in FIXED]
        return names

    def check_storage(self, kind: EntityKind, names: Iterable[Any], storage: str) -> None:
        """Refuse `IN storage`: there is one storage that can be written, and it has no name."""
        if storage:
            text = f"Cannot change {titles(kind, names)} in {storage} because this storage is readonly."
            raise AccessRefused(495, "ACCESS_STORAGE_READONLY", text)

    def check_rename(self, kind: EntityKind, names: tuple[Any, ...], new: Any) -> None:
        """Refuse a new name that is taken, or given to several."""
        if not new or names == (new,):
            return
        if len(names) > 1:
            raise AccessRefused(36, "BAD_ARGUMENTS", "Only one entity can be renamed at a time.")
        if new in self.of_kind(kind) or (kind, new) in FIXED:
            raise exists(kind, new, "rename to")

    def check_profiles(self, elements: Iterable[SettingElement]) -> None:
        """Refuse settings that inherit from a settings profile that there is not."""
        for element in elements:
            name = element.profile
            if name and name not in self.settings_profiles and (EntityKind.SETTINGS_PROFILE, name) not in FIXED:
                raise unknown(EntityKind.SETTINGS_PROFILE, name)

    def known_set(self, names: NameSet | None, also: Iterable[str] = ()) -> NameSet | None:
        """A set of users and roles with every name known; CURRENT_USER is the user that chDB connects as."""
        if names is None:
            return None
        for name in (*names.names, *names.excepted):
            if not self.knows(name) and name not in also:
                raise unknown(EntityKind.ROLE, name)
        listed = (*names.names, FIXED_USER) if names.current_user and FIXED_USER not in names.names else names.names
        return replace(names, names=listed, current_user=False)

    # -- names --------------------------------------------------------------------------------------------------

    def rewrite_sets(self, old: str, new: tuple[str, ...]) -> None:
        """Put another name, or none, in the place of a user's or role's that is no more, wherever it is named."""
        if self.knows(old):
            return  # another of that name is meant
        for name, user in self.users.items():
            if old in user.grantees.names or old in user.grantees.excepted:
                self.users[name] = replace(user, grantees=rewritten(user.grantees, old, new))
        for entities in (self.quotas, self.settings_profiles, self.row_policies, self.masking_policies):
            table: dict[Any, Any] = entities
            for key, entity in table.items():
                if old in entity.to.names or old in entity.to.excepted:
                    table[key] = replace(entity, to=rewritten(entity.to, old, new))

    def rewrite_profiles(self, old: str, new: str) -> None:
        """Put another settings profile, or none, in the place of one that is no more, wherever it is inherited."""
        for entities in (self.users, self.roles, self.settings_profiles):
            table: dict[str, Any] = entities
            for key, entity in table.items():
                if any(element.profile == old for element in entity.settings):
                    settings = (replace(e, profile=new) if e.profile == old else e for e in entity.settings)
                    table[key] = replace(entity, settings=tuple(e for e in settings if e.profile or e.name))


def unknown(kind: EntityKind, name: str | PolicyName) -> AccessRefused:
    """ClickHouse's error for an entity that does not exist."""
    code, label = _UNKNOWN[kind]
    return AccessRefused(code, label, f"There is no {title(kind, name)} in `user directories`.")


def exists(kind: EntityKind, name: str | PolicyName, verb: str) -> AccessRefused:
    """ClickHouse's error for an entity that exists already."""
    text = f"{title(kind, name)}: cannot {verb} because {title(kind, name)} already exists."
    return AccessRefused(493, "ACCESS_ENTITY_ALREADY_EXISTS", text)


def read_only(kind: EntityKind, names: Iterable[str | PolicyName], verb: str) -> AccessRefused:
    """ClickHouse's error for what users.xml defines; `verb` is insert, update or remove."""
    text = _READ_ONLY[verb].format(titles(kind, names), "users_xml")
    return AccessRefused(495, "ACCESS_STORAGE_READONLY", f"{text} because this storage is readonly.")


def title(kind: EntityKind, name: str | PolicyName) -> str:
    """An entity as ClickHouse names it in errors."""
    return titles(kind, [name])


def titles(kind: EntityKind, names: Iterable[str | PolicyName]) -> str:
    """Entities of one kind as ClickHouse names them in errors."""
    listed = (policy_names([name]) if isinstance(name, PolicyName) else name for name in names)
    return f"{kind.lower()} {', '.join(f'`{name}`' for name in listed)}"


def rewritten(names: NameSet, old: str, new: tuple[str, ...]) -> NameSet:
    """`names` with `old` replaced by what is in `new` (nothing, or the new name)."""
    if old not in names.names and old not in names.excepted:
        return names
    listed, excepted = (
        tuple(found for name in part for found in (new if name == old else (name,)))
        for part in (names.names, names.excepted)
    )
    return replace(names, names=listed, excepted=excepted)
