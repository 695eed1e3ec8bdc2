"""ClickHouse's judgement of access statements that the embedded engine will keep itself.

chDB parses a statement, resolves names and checks values, and only then finds that it has nowhere to keep the result:
error 514 or 495 means that it is valid. Every other error is ClickHouse's own and goes to the operator.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Protocol

from core.access.model import (
    AlterRole,
    AlterUser,
    CreateRole,
    CreateUser,
    Drop,
    EntityKind,
    Grant,
    NameSet,
    Revoke,
    SettingElement,
    SettingsChange,
    Statement,
)
from core.access.parser import parse_statement
from core.access.policies import AlterRowPolicy, CreateRowPolicy, DropPolicy
from core.access.quotas import AlterQuota, CreateQuota
from core.access.renaming import renamed
from core.access.render import render
from core.access.settings_profiles import AlterSettingsProfile, CreateSettingsProfile
from core.access.settings_values import with_quoted_values
from core.access.state import FIXED_USER, AccessState
from core.access.users_xml import element_name
from core.clickhouse.embedded_handle import NOWHERE_TO_KEEP
from core.clickhouse.engine import QueryResult
from core.clickhouse.errors import ServerError, explain
from core.errors import BadInputError, HousekeysError

_UNKNOWN_NAME = frozenset({180, 192, 199, 511})
_BUILT_IN = "default"  # a quota and a settings profile that chDB always has
_QUOTA = EntityKind.QUOTA
_PROFILE = EntityKind.SETTINGS_PROFILE


class Chdb(Protocol):
    """What the access statements need of chDB. Errors are HousekeysErrors."""

    def ask(self, sql: str, parameters: dict[str, str] | None = None) -> QueryResult: ...

    def run(self, sql: str) -> None: ...

    def load_access(self) -> bool:
        """Make chDB read the state if it has changed; whether it had."""
        ...


class Judge:
    """Asks chDB about statements. Used in the engine's thread only."""

    def __init__(self, chdb: Chdb) -> None:
        self._chdb = chdb
        self._loaded: frozenset[str] = frozenset()  # the users and roles that chDB knows
        self._loaded_roles: tuple[str, ...] = ()
        self._loaded_limits: frozenset[tuple[EntityKind, str]] = frozenset()  # its quotas and settings profiles

    def loaded(self, state: AccessState) -> None:
        """Take note that chDB has read `state`."""
        self._loaded = frozenset((FIXED_USER, *state.users, *state.roles))
        self._loaded_roles = tuple(state.roles)
        limits = ((kind, name) for kind in (_QUOTA, _PROFILE) for name in state.of_kind(kind))
        self._loaded_limits = frozenset(limits)

    def judge(self, statement: Statement, ahead: AccessState | None) -> None:
        """Raise ClickHouse's error if the statement is not valid. `ahead` is a state that chDB has not loaded yet.

        A number that SQL would convert (`max_threads = 1.5`) is refused, as users.xml would not load with it.
        """
        statement = _as_create(statement)
        if ahead is not None:
            statement = self._with_loaded_names(statement, ahead)
        self._judge_names(statement)
        quoted = with_quoted_values(statement)
        if quoted != statement:
            try:
                self._judge_names(quoted)
            except ServerError as error:
                raise BadInputError(
                    "A value of a setting is not written as ClickHouse writes it, so it cannot be kept.",
                    advice="Write it as system.settings shows it: 2, not 1.5 or 0x2; and 1, not true, for a number.",
                    detail=error.detail,
                ) from error

    def in_clickhouse_s_words(self, statement: Statement) -> Statement:
        """A statement on a row policy with its condition as ClickHouse would keep and show it."""
        if not isinstance(statement, CreateRowPolicy | AlterRowPolicy) or statement.condition is None:
            return statement
        text = self._chdb.ask("SELECT formatQuerySingleLine({sql:String})", {"sql": render(statement)}).first_cell()
        formatted = parse_statement(str(text))
        if not isinstance(formatted, CreateRowPolicy | AlterRowPolicy):
            raise BadInputError("The condition of the row policy cannot be read.", detail=str(text))
        return replace(statement, condition=formatted.condition)

    def _with_loaded_names(self, statement: Statement, state: AccessState) -> Statement:
        """A statement with names that only the state knows yet replaced by others, which chDB has loaded.

        Its validity is the same, for names are checked when it is applied; and chDB need not be opened anew for every
        user or role that is made and then named. Where the two have to fit together (default roles), nothing is done.
        """
        match statement:
            case Grant() | Revoke():
                grantees = self._stand_ins(statement.grantees, state.knows, FIXED_USER)
                other = next((role for role in self._loaded_roles if role not in grantees), None)
                roles = self._stand_ins(statement.roles, state.roles.__contains__, other)
                return replace(statement, grantees=grantees, roles=roles)
            case AlterUser(default_roles=None):
                names = self._stand_ins(statement.names, state.users.__contains__, FIXED_USER)
                return replace(statement, names=names, settings=self._change(statement.settings, state))
            case CreateUser():
                return replace(statement, settings=self._elements(statement.settings, state))
            case Drop(kind=EntityKind.USER):
                return replace(statement, names=self._stand_ins(statement.names, state.users.__contains__, FIXED_USER))
            case Drop() if statement.kind in (_QUOTA, _PROFILE):
                return replace(statement, names=self._limits(statement.kind, statement.names, state))
            case CreateRowPolicy() | AlterRowPolicy() | CreateQuota():
                return replace(statement, to=self._set(statement.to, state))
            case AlterQuota():
                names = self._limits(_QUOTA, statement.names, state)
                return replace(statement, names=names, to=self._set(statement.to, state))
            case CreateSettingsProfile():
                settings = self._elements(statement.settings, state)
                return replace(statement, settings=settings, to=self._set(statement.to, state))
            case AlterSettingsProfile():
                names = self._limits(_PROFILE, statement.names, state)
                change = self._change(statement.settings, state)
                return replace(statement, names=names, settings=change, to=self._set(statement.to, state))
        return statement

    def _stand_ins(self, names: tuple[str, ...], known: Callable[[str], bool], other: str | None) -> tuple[str, ...]:
        if other is None:
            return names
        found = (other if name not in self._loaded and known(name) else name for name in names)
        return tuple(dict.fromkeys(found))

    def _limits(self, kind: EntityKind, names: Iterable[str], state: AccessState) -> tuple[str, ...]:
        known = state.of_kind(kind)
        found = (_BUILT_IN if name in known and (kind, name) not in self._loaded_limits else name for name in names)
        return tuple(dict.fromkeys(found))

    def _set(self, names: NameSet | None, state: AccessState) -> NameSet | None:
        if names is None:
            return None
        listed, excepted = (self._stand_ins(part, state.knows, FIXED_USER) for part in (names.names, names.excepted))
        return replace(names, names=listed, excepted=excepted)

    def _elements(self, elements: Iterable[SettingElement], state: AccessState) -> tuple[SettingElement, ...]:
        return tuple(
            replace(element, profile=self._limits(_PROFILE, [element.profile], state)[0])
            if element.profile
            else element
            for element in elements
        )

    def _change(self, change: SettingsChange | None, state: AccessState) -> SettingsChange | None:
        if change is None:
            return None
        return replace(
            change,
            drop_profiles=self._limits(_PROFILE, change.drop_profiles, state),
            add=self._elements(change.add, state),
            modify=self._elements(change.modify, state),
        )

    def _judge_names(self, statement: Statement) -> None:
        aliases: dict[str, str] = {}

        def alias(name: str) -> str:
            aliases[element_name(name)] = name
            return element_name(name)

        sql = render(_limits_renamed(renamed(statement, alias), alias))
        try:
            self._judge_text(sql)
        except ServerError as error:
            if error.code in _UNKNOWN_NAME and self._chdb.load_access():
                self._judge_again(sql, aliases)
            else:
                raise _with_names(error, aliases) from error

    def _judge_again(self, sql: str, aliases: dict[str, str]) -> None:
        try:
            self._judge_text(sql)
        except ServerError as error:
            raise _with_names(error, aliases) from error

    def _judge_text(self, sql: str) -> None:
        try:
            self._chdb.run(sql)
        except ServerError as error:
            if error.code not in NOWHERE_TO_KEEP:
                raise


def _as_create(statement: Statement) -> Statement:
    """ALTER and DROP of row policies as the CREATE that says the same: in chDB they stand under other names."""
    match statement:
        case AlterRowPolicy():
            return CreateRowPolicy(
                statement.names,
                storage=statement.storage,
                cluster=statement.cluster,
                using=statement.using,
                condition=statement.condition,
                restrictive=statement.restrictive,
                to=statement.to,
            )
        case DropPolicy(kind=EntityKind.ROW_POLICY):
            return CreateRowPolicy(statement.names, storage=statement.storage, cluster=statement.cluster)
    return statement


def _limits_renamed(statement: Statement, name: Callable[[str], str]) -> Statement:
    """`statement` with `name` applied to every name of a quota or settings profile in it."""
    match statement:
        case CreateQuota() | AlterQuota() | CreateSettingsProfile() | AlterSettingsProfile():
            statement = replace(statement, names=tuple(map(name, statement.names)))
        case Drop() if statement.kind in (_QUOTA, _PROFILE):
            return replace(statement, names=tuple(map(name, statement.names)))
    if isinstance(statement, AlterQuota | AlterSettingsProfile) and statement.rename_to:
        statement = replace(statement, rename_to=name(statement.rename_to))
    match statement:
        case CreateUser() | CreateRole() | CreateSettingsProfile():
            return replace(statement, settings=_elements_renamed(statement.settings, name))
        case AlterUser() | AlterRole() | AlterSettingsProfile() if (change := statement.settings) is not None:
            change = replace(
                change,
                drop_profiles=tuple(map(name, change.drop_profiles)),
                add=_elements_renamed(change.add, name),
                modify=_elements_renamed(change.modify, name),
            )
            return replace(statement, settings=change)
    return statement


def _elements_renamed(elements: Iterable[SettingElement], name: Callable[[str], str]) -> tuple[SettingElement, ...]:
    return tuple(replace(one, profile=name(one.profile)) if one.profile else one for one in elements)


def _with_names(error: ServerError, aliases: dict[str, str]) -> HousekeysError:
    """The same error with the names that the operator knows instead of those in the projection."""
    text = error.detail or str(error)
    for alias, name in aliases.items():
        if alias != name:
            text = text.replace(alias, name)
    return explain(error.code, text) if text != (error.detail or str(error)) else error
