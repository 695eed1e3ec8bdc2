"""What the users screen shows of a user: its row in the table, and its summary."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from core.access.access_model import EntityKey, Holder
from core.access.lint.findings import Finding
from core.access.model import EntityKind, Hosts, User
from tui.screens import access_words as words
from tui.screens.access_reading import Access
from tui.screens.access_tabs import default_text, limits_named
from tui.widgets.columns import Column
from tui.widgets.lines import Line, fact

_NEVER = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class UserRow:
    """A user, with everything its columns say."""

    user: User
    kinds: str
    hosts: str
    roles: str
    profile: str
    until: str
    last: datetime  # its last end
    storage: str
    findings: tuple[Finding, ...]
    kept_only: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.user.name

    @property
    def disabled(self) -> bool:
        return self.user.hosts == Hosts()


def rows_of(access: Access, now: datetime) -> list[UserRow]:
    """A row for each user."""
    return [_row(access, user, now) for user in access.model.users.values()]


def _row(access: Access, user: User, now: datetime) -> UserRow:
    key = EntityKey(EntityKind.USER, user.name)
    roles = access.model.granted_roles.get(Holder(EntityKind.USER, user.name), {})
    ends = words.ends_of(user, now)
    return UserRow(
        user,
        words.kinds_text(user),
        words.hosts_brief(user.hosts),
        words.roles_brief(roles, user.default_roles),
        words.profiles_of(user.settings) or "-",
        words.until_text(user, now),
        max(ends) if ends and len(ends) == len(user.methods) else _NEVER,
        access.present.storage(key),
        access.found(key),
        access.kept(key),
    )


def _marked(text: str, row: UserRow) -> str:
    return f"{text} !" if row.kept_only else text


def _first(kinds: str) -> str:
    """The first of what is listed, and how many more there are."""
    first, *more = kinds.split(", ")
    return f"{first} +{len(more)}" if more else first


def _until_style(row: UserRow) -> str:
    return "error" if row.until == "expired" else "muted" if row.until == "-" else ""


COLUMNS: tuple[Column[UserRow], ...] = (
    Column("name", "NAME", lambda r: r.name, flexible=True, least=16, letter="N"),
    # In brief it has the mark that STORAGE has: there may be no room for that one.
    Column("authentication", "SIGN-IN", lambda r: r.kinds, brief=lambda r: _marked(_first(r.kinds), r), flexible=True,
           least=13, minor=4, letter="A",
           style=lambda r: "error" if "no password" in r.kinds or "plaintext" in r.kinds else ""),
    Column("hosts", "HOSTS", lambda r: r.hosts, flexible=True, least=15, minor=2, letter="H",
           style=lambda r: "warning" if r.disabled or r.user.hosts.any else ""),
    Column("roles", "ROLES", lambda r: r.roles, flexible=True, least=12, minor=1, letter="T"),
    Column("profile", "PROFILE", lambda r: r.profile, flexible=True, least=10, minor=7, letter="P"),
    Column("until", "VALID UNTIL", lambda r: r.until, sort=lambda r: r.last, minor=5, letter="V",
           style=_until_style),
    Column("storage", "STORAGE", lambda r: _marked(r.storage or "-", r), minor=6, letter="S",
           style=lambda r: "muted"),
    Column("findings", "LINT", lambda r: words.findings_text(r.findings), sort=lambda r: len(r.findings), numeric=True,
           minor=3, letter="F", style=lambda r: words.findings_style(r.findings)),
)  # fmt: skip


def summary_lines(row: UserRow, access: Access, now: datetime) -> list[Line]:
    """All of the definition in words, and what lint finds."""
    lines = [
        *words.kept_lines(row.kept_only),
        *definition_lines(row.user, access, now),
        Line(),
        words.storage_line(row.storage),
    ]
    return lines + words.finding_lines(row.findings)


def definition_lines(user: User, access: Access, now: datetime) -> list[Line]:
    """All of the definition in words, wherever it comes from."""
    roles = access.model.granted_roles.get(Holder(EntityKind.USER, user.name), {})
    return [
        *words.method_lines(user, now),
        words.hosts_line(user.hosts),
        Line(),
        fact("roles", words.identifiers(sorted(roles)) or "-"),
        fact("at login", default_text(user) if roles else "-"),
        fact("database", user.default_database or "-"),
        fact("may grant to", words.grantees_text(user.grantees)),
        *words.settings_lines(user.settings),
        *limits_named(access, EntityKey(EntityKind.USER, user.name)),
    ]
